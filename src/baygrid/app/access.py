"""Who is asking, and whether the policies (policy.cedar) allow it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

import cedarpy

from baygrid.app.hats import hats
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, NotFound, Unauthorized, UnknownToken
from baygrid.ports.identity import EVERYTHING
from baygrid.ports.records import Role, Scope, Token
from baygrid.ports.store import Tx


class Action(StrEnum):
    """What a policy speaks of; every use case is one of these."""

    BROWSE = "browse"  # centres, offers, who am I
    READ = "read"  # jobs, logs, bills of a project
    USE = "use"  # submit, cancel, explain in a project
    STORE = "store"  # put and get blobs
    AGENT = "agent"  # reports, orders and logs of a centre
    DATASET = "dataset"  # read one: a project does, in its jobs, too
    RATE = "rate"  # bring a rating that a centre's agent has signed
    SELL = "sell"  # publish a listing of a centre's offer
    SETTLEMENT = "settlement"  # read what a centre earned
    WATCH = "watch"  # see whose jobs a centre has and had, and what they took of it
    TEND = "tend"  # let an agent of a centre in, drain and open it, set its prices
    JOIN = "join"  # become the agent of a centre
    MANAGE = "manage"  # members, invitations and tokens of a project, a centre or an organisation
    OPERATE = "operate"  # set up the region, grant funds, decide that an attempt is lost


@dataclass(frozen=True, slots=True)
class Actor:
    """The bearer of a token, or a user in one hat: then `token_id` is the session's id. `fresh`: as of the
    token. `organisation`: of which the user is an admin, in this hat."""

    token_id: str
    role: Role
    label: str
    project: str | None = None
    centre: str | None = None
    fresh: bool = False
    user: str | None = None
    scopes: frozenset[Scope] = EVERYTHING
    organisation: str | None = None

    @property
    def who(self) -> str:
        """Whose acts these are: the user's, by whichever session or token; of a service its token's."""
        return self.user or self.token_id


def secret_digest(secret: str) -> str:
    """What the store keeps of a token. Secrets are random, at least 160 bits, so a plain hash does."""
    return hashlib.sha256(secret.encode()).hexdigest()


def authenticate(platform: Platform, secret: str | None) -> Actor:
    """The actor of a bearer token. Raises Unauthorized for none, an unknown, an expired and a revoked one;
    only who had one of a centre's is told which."""
    token, scopes = _token(platform, secret_digest(secret)) if secret else (None, EVERYTHING)
    expired = token is not None and token.expires_at is not None and token.expires_at <= platform.clock()
    if token is not None and token.centre is not None and (expired or token.revoked_at is not None):
        what = "join token" if token.role is Role.JOIN else "credential"
        why = "was taken back" if token.revoked_at is not None else "has expired"
        raise Unauthorized(
            f"this {what} of {token.centre} {why}: ask the region's operator for a new join token, of"
            f" `baygrid centres invite {token.centre}`"
        )
    if token is None or expired or token.revoked_at is not None or not scopes:
        raise UnknownToken(
            "send `Authorization: Bearer TOKEN` with a token of this server; an operator makes one with"
            " `baygrid tokens create`"
        )
    return Actor(
        token.id, token.role, token.label, token.project, token.centre, token.fresh, token.user, scopes
    )


def _token(platform: Platform, digest: str) -> tuple[Token | None, frozenset[Scope]]:
    """And what it is good for: of a user's no more than the user may do there now, so nothing when a
    membership or the user has ended."""

    def load(tx: Tx) -> tuple[Token | None, frozenset[Scope]]:
        token = tx.region.token(digest)
        if token is None or token.user is None:
            return token, token.scopes if token else EVERYTHING
        user = tx.users.get(token.user)
        if user is None or user.disabled_at is not None:
            return token, frozenset()
        place = (token.role, token.project, token.centre)
        found = (hat for hat in hats(tx, token.user) if (hat.role, hat.project, hat.centre) == place)
        return token, next((hat.scopes & token.scopes for hat in found), frozenset())

    return platform.store.read(load)


def permit(
    actor: Actor,
    action: Action,
    *,
    project: str | None = None,
    centre: str | None = None,
    organisation: str | None = None,
) -> None:
    """Raises NotFound where the actor must not learn that the resource exists, else Forbidden."""
    place = (project or "", centre or "", organisation or "")
    if _allowed(actor, action, *place):
        return
    _refuse_scopes(actor, action, place)
    if project is not None and actor.role is Role.TEAM and action in _IN_PROJECT:
        raise NotFound(f"there is no project {project!r} for this token")
    raise Forbidden(f"a {actor.role.value} token may not do this")


_IN_PROJECT = (Action.READ, Action.USE, Action.STORE, Action.MANAGE)


def _refuse_scopes(actor: Actor, action: Action, place: tuple[str, str, str]) -> None:
    """Where only its scopes are in the way. Raises Forbidden."""
    if _allowed(replace(actor, scopes=EVERYTHING), action, *place):
        has = " and ".join(sorted(actor.scopes))
        raise Forbidden(
            f"this token or membership is good for {has} only: ask a lead for one that may do more"
        )


def whose(actor: Actor, project: str | None) -> str | None:
    """The project whose things a list has: the one that is named, else a team's own. None: all, which only an
    operator may see. Raises as `permit`."""
    if project is None and actor.role is Role.TEAM:
        project = actor.project or ""
    if project is None and actor.role is not Role.OPERATOR:
        permit(actor, Action.OPERATE)
    permit(actor, Action.READ, project=project)
    return project


def visible(actor: Actor, action: Action, project: str, what: str, name: str) -> None:
    """As `permit`, for a thing inside a project: the answer is that there is no such thing. Whose scopes are
    in the way is told so of every name, or the answers would tell which are others'."""
    if not _allowed(actor, action, project, "", ""):
        _refuse_scopes(actor, action, (project, "", ""))
        if actor.role is Role.TEAM:
            permit(actor, action, project=actor.project)
            raise NotFound(f"there is no {what} {name!r}")
        raise Forbidden(f"a {actor.role.value} token may not do this")


@lru_cache(maxsize=1)
def _policies() -> str:
    return files("baygrid.app").joinpath("policy.cedar").read_text()


@lru_cache(maxsize=10_000)
def _allowed(actor: Actor, action: Action, project: str, centre: str, organisation: str) -> bool:
    """Policies do not change while a server runs, so the same question has the same answer."""
    principal = {
        "role": actor.role.value,
        "project": actor.project or "-",
        "centre": actor.centre or "-",
        "organisation": actor.organisation or "",
        "user": actor.user is not None,
        "scopes": sorted(actor.scopes),
    }
    resource = {"project": project, "centre": centre, "organisation": organisation}
    return _decided("Token", actor.token_id, principal, action, resource)


@lru_cache(maxsize=10_000)
def may_read_dataset(project: str, organisation: str, owner: str, *, shared: bool) -> bool:
    """Whether a project of this organisation may read a dataset of the organisation `owner`."""
    principal = {"role": Role.TEAM.value, "project": project, "organisation": organisation}
    dataset = {"project": "", "centre": "", "organisation": owner, "shared": shared}
    return _decided("Project", project, principal, Action.DATASET, dataset)


def _decided(
    kind: str, id: str, principal: Mapping[str, object], action: Action, resource: Mapping[str, object]
) -> bool:
    answer = cedarpy.is_authorized(
        {
            "principal": f'{kind}::"{id}"',
            "action": f'Action::"{action.value}"',
            "resource": 'Resource::"it"',
            "context": {},
        },
        _policies(),
        [
            {"uid": {"type": kind, "id": id}, "attrs": dict(principal), "parents": []},
            {"uid": {"type": "Resource", "id": "it"}, "attrs": dict(resource), "parents": []},
        ],
    )
    return bool(answer.allowed)
