"""API tokens: the secret is shown once, only its digest is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baygrid.app.access import Action, Actor, permit, secret_digest
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound
from baygrid.ports.basics import Instant
from baygrid.ports.identity import EVERYTHING
from baygrid.ports.records import Event, Role, Scope, Token
from baygrid.ports.store import Tx

LASTS_MS: Final = 3_600_000
"""Of a join token."""
USUAL: Final = frozenset({Scope.READ, Scope.USE})
OF_ROLE: Final = {role: EVERYTHING if role is Role.OPERATOR else USUAL for role in Role}
"""What a token is good for where nobody says."""


def tokens(platform: Platform, actor: Actor) -> list[Token]:
    permit(actor, Action.OPERATE)
    return platform.store.read(lambda tx: tx.region.tokens())


def add_token(
    platform: Platform, actor: Actor, role: Role, project: str | None, centre: str | None, label: str
) -> tuple[Token, str]:
    """A new token and its secret. A team's needs a project, a centre's a centre, an operator's neither."""
    permit(actor, Action.OPERATE)
    if role is Role.JOIN:
        raise Invalid.at("role", "a join token is made by `baygrid centres invite`")
    return platform.store.write(lambda tx: issue(platform, tx, role, project, centre, label))


def issue(
    platform: Platform,
    tx: Tx,
    role: Role,
    project: str | None,
    centre: str | None,
    label: str,
    *,
    expires_at: Instant | None = None,
    with_offers: bool = False,
    scopes: frozenset[Scope] | None = None,
    user: str | None = None,
    by: str = "",
) -> tuple[Token, str]:
    """The part of `add_token` that other use cases share within their own transaction."""
    if (project is not None) != (role is Role.TEAM):
        raise Invalid.at("project", "name the project of a team token, and only of a team token")
    if (centre is not None) != (role in (Role.CENTRE, Role.JOIN)):
        raise Invalid.at("centre", "name the centre of a centre token, and only of a centre token")
    if project is not None and project not in tx.region.projects([project]):
        raise Invalid.at("project", f"there is no project {project!r}")
    if centre is not None and tx.region.centre(centre) is None:
        raise Invalid.at("centre", f"there is no centre {centre!r}")
    now = platform.clock()
    secret = platform.ids.secret()
    token = Token(
        platform.ids.new("tok", now),
        secret_digest(secret),
        role,
        label,
        project,
        centre,
        now,
        expires_at=expires_at,
        with_offers=with_offers,
        scopes=OF_ROLE[role] if scopes is None else scopes,
        user=user,
        made_by=by,
    )
    tx.region.insert_token(token)
    tx.events.append(
        [Event(now, "token-issued", project, centre=centre, data={"token": token.id, "role": role.value})]
    )
    return token, secret


def revoke(platform: Platform, actor: Actor, id: str) -> None:
    """From now on the token is refused; revoking twice is fine."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> None:
        if id not in {token.id for token in tx.region.tokens()}:
            raise NotFound(f"there is no token {id!r}")
        if tx.region.revoke_token(id, now):
            tx.events.append([Event(now, "token-revoked", data={"token": id})])

    platform.store.write(apply)


@dataclass(frozen=True, slots=True)
class Invitation:
    """`with_offers`: the centre's agent may set its first prices."""

    centre: str
    secret: str
    expires_at: Instant
    with_offers: bool


def invitation(platform: Platform, tx: Tx, centre: str, with_offers: bool) -> Invitation:
    """A new join token of this centre."""
    until = platform.clock() + LASTS_MS
    label = f"to join {centre}"
    _, secret = issue(platform, tx, Role.JOIN, None, centre, label, expires_at=until, with_offers=with_offers)
    return Invitation(centre, secret, until, with_offers)
