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
DAY_MS: Final = 86_400_000
LASTS_DAYS: Final = 90
MOST_DAYS: Final = 366
USUAL: Final = frozenset({Scope.READ, Scope.USE})
OF_ROLE: Final = {role: EVERYTHING if role is Role.OPERATOR else USUAL for role in Role}
"""What a token is good for where nobody says."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token that somebody asks for. A team's needs a project, a centre's a centre, an operator's neither.
    `scopes` None: the usual ones of the role; `days` None: without end, which only an operator may make."""

    role: Role
    project: str | None = None
    centre: str | None = None
    label: str = ""
    scopes: frozenset[Scope] | None = None
    days: int | None = None


def tokens(platform: Platform, actor: Actor) -> list[Token]:
    """Of an operator all, of a lead those of the project."""
    _manage(actor)
    rows = platform.store.read(lambda tx: tx.region.tokens())
    return [row for row in rows if actor.role is Role.OPERATOR or row.project == actor.project]


def own(platform: Platform, user: str) -> list[Token]:
    """Those of a user."""
    return [row for row in platform.store.read(lambda tx: tx.region.tokens()) if row.user == user]


def _manage(actor: Actor) -> None:
    if actor.role is Role.TEAM:
        permit(actor, Action.MANAGE, project=actor.project)
    else:
        permit(actor, Action.OPERATE)


def add_token(platform: Platform, actor: Actor, wanted: Wanted) -> tuple[Token, str]:
    """A token that is nobody's own, such as of a service, and its secret. Of a lead only for the project, and
    good for no more than the lead. Raises Invalid, NotFound, Forbidden."""
    _manage(actor)
    it, now = wanted, platform.clock()
    if it.role is Role.JOIN:
        raise Invalid.at("role", "a join token is made by `baygrid centres invite`")
    days = it.days
    if actor.role is Role.TEAM:
        if it.role is not Role.TEAM:
            raise Invalid.at("role", "must be team: other tokens are made by an operator")
        permit(actor, Action.MANAGE, project=it.project or "")
        days = LASTS_DAYS if days is None else days
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise Invalid.at("days", f"must be from 1 to {MOST_DAYS}")
    scopes = OF_ROLE[it.role] if it.scopes is None else it.scopes
    if not scopes:
        raise Invalid.at("scopes", f"name at least one of {', '.join(Scope)}")
    until = None if days is None else now + days * DAY_MS

    def apply(tx: Tx) -> tuple[Token, str]:
        token, secret = issue(
            platform, tx, it.role, it.project, it.centre, it.label,
            expires_at=until, scopes=scopes & actor.scopes, by=actor.who,
        )  # fmt: skip
        told = {"token": token.id, "role": it.role.value, "scopes": sorted(token.scopes), "by": actor.who}
        tx.audit.append(now, "token-issued", told, contract=None, project=token.project)
        return token, secret

    return platform.store.write(apply)


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
    """From now on the token is refused; revoking twice is fine. Everybody may take back what is their own, a
    lead what is the project's. Raises NotFound, Forbidden."""
    now = platform.clock()

    def apply(tx: Tx) -> None:
        token = next((token for token in tx.region.tokens() if token.id == id), None)
        own = _is_own(actor, token, id)
        if not own:
            _manage(actor)
        if token is None or not (own or actor.role is Role.OPERATOR or token.project == actor.project):
            raise NotFound(f"there is no token {id!r}")
        if tx.region.revoke_token(id, now):
            tx.events.append([Event(now, "token-revoked", data={"token": id})])
            told = {"token": id, "by": actor.who}
            tx.audit.append(now, "token-revoked", told, contract=None, project=token.project)

    platform.store.write(apply)


def _is_own(actor: Actor, token: Token | None, id: str) -> bool:
    return id == actor.token_id or (token is not None and actor.user is not None and token.user == actor.user)


@dataclass(frozen=True, slots=True)
class Invitation:
    """`with_offers`: the centre's agent may set its first prices."""

    centre: str
    secret: str
    expires_at: Instant
    with_offers: bool


def invitation(platform: Platform, tx: Tx, centre: str, with_offers: bool, by: str) -> Invitation:
    """A new join token of this centre."""
    until = platform.clock() + LASTS_MS
    label = f"to join {centre}"
    _, secret = issue(
        platform, tx, Role.JOIN, None, centre, label, expires_at=until, with_offers=with_offers, by=by
    )
    return Invitation(centre, secret, until, with_offers)
