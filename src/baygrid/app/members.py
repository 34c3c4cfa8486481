"""Members of projects, organisations, centres and the platform."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.app.signing_in import tell
from baygrid.ports.basics import Instant
from baygrid.ports.identity import LEVELS, Level, Membership, Of, OfKind, User
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class Member:
    user: User
    row: Membership


def parse_of(text: str) -> Of:
    """Of "project:demo", "organisation:acme", "centre:hub" or "platform". Raises Invalid."""
    try:
        return Of.parse(text)
    except ValueError as error:
        raise Invalid.at("of", str(error)) from None


def own(actor: Actor) -> Of:
    """That in which the actor acts."""
    if actor.project is not None:
        return Of(OfKind.PROJECT, actor.project)
    return Of(OfKind.CENTRE, actor.centre) if actor.centre is not None else Of(OfKind.PLATFORM)


def may_manage(actor: Actor, of: Of) -> None:
    """Raises NotFound, Forbidden."""
    _permit(actor, Action.MANAGE, of)


def _permit(actor: Actor, action: Action, of: Of) -> None:
    if of.kind is OfKind.PLATFORM:
        permit(actor, Action.OPERATE)
    else:
        place = {of.kind.value: of.name}
        permit(
            actor,
            action,
            project=place.get("project"),
            centre=place.get("centre"),
            organisation=place.get("organisation"),
        )


def members(platform: Platform, actor: Actor, of: Of) -> list[Member]:
    """By name. Everybody in a project sees who else is; elsewhere who decides about it. Raises NotFound."""
    _permit(actor, Action.READ if of.kind is OfKind.PROJECT else Action.MANAGE, of)

    def load(tx: Tx) -> list[Member]:
        check_there(tx, of)
        rows = tx.users.members(of)
        users = tx.users.some([row.user for row in rows])
        return [Member(users[row.user], row) for row in rows]

    return sorted(platform.store.read(load), key=lambda it: (it.user.name.casefold(), it.user.id))


def set_level(platform: Platform, actor: Actor, of: Of, user: str, level: Level) -> None:
    """Of who is a member already: others are invited. Raises Invalid, NotFound, WrongState."""
    may_manage(actor, of)
    check_level(of, level)
    now = platform.clock()

    def apply(tx: Tx) -> None:
        before = _membership(tx, of, user)
        if before.level is not level:
            _check_not_last(tx, before, level)
            tx.users.put_membership(Membership(user, of, level, now, actor.who))
            told(tx, now, "membership-set", of, {"user": user, "level": level.value, "by": actor.who})

    platform.store.write(apply)


def remove(platform: Platform, actor: Actor, of: Of, user: str) -> None:
    """What the user did as a member ends with it: sessions and tokens there are refused from now on. Who is a
    member may leave. Raises NotFound, WrongState."""
    now = platform.clock()

    def apply(tx: Tx) -> None:
        if user != actor.user or all(it.of != of for it in tx.users.memberships(user)):
            may_manage(actor, of)
        _check_not_last(tx, _membership(tx, of, user), None)
        tx.users.remove_membership(user, of)
        told(tx, now, "membership-ended", of, {"user": user, "by": actor.who})

    platform.store.write(apply)


def _membership(tx: Tx, of: Of, user: str) -> Membership:
    """That which somebody here made. Raises NotFound, WrongState."""
    check_there(tx, of)
    found = [row for row in tx.users.members(of) if row.user == user]
    if not found:
        raise NotFound(f"there is no member {user!r} of {of}")
    here = next((row for row in found if not row.issuer), None)
    if here is None:
        raise WrongState(f"{found[0].issuer} says that they are a member: change it there")
    return here


def _check_not_last(tx: Tx, row: Membership, level: Level | None) -> None:
    if row.of.kind is OfKind.PLATFORM and level is None and len(tx.users.members(row.of)) == 1:
        raise WrongState("this is the last operator of the platform: invite another one first")


def check_level(of: Of, level: Level) -> None:
    """Raises Invalid."""
    known = LEVELS[of.kind]
    if level not in known:
        raise Invalid.at("level", f"a member of a {of.kind.value} is {' or '.join(known)}, not {level.value}")


def check_there(tx: Tx, of: Of) -> None:
    """Raises NotFound."""
    match of.kind:
        case OfKind.PROJECT:
            there = bool(tx.region.projects([of.name]))
        case OfKind.ORGANISATION:
            there = of.name in {it.name for it in tx.region.organisations()}
        case OfKind.CENTRE:
            there = tx.region.centre(of.name) is not None
        case _:
            there = True
    if not there:
        raise NotFound(f"there is no {of.kind.value} {of.name!r}")


def told(tx: Tx, now: Instant, kind: str, of: Of, data: dict[str, str]) -> None:
    """An event of that of which it is, and a link of the audit."""
    project = of.name if of.kind is OfKind.PROJECT else None
    tell(tx, now, kind, {"of": str(of), **data}, project=project)
