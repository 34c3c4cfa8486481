"""The exchange: who is joined by it, and what each link carries: as measured, as declared, or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from baygrid.app.access import Action, Actor, permit
from baygrid.app.links import measured
from baygrid.app.names import check_name
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, NotFound, WrongState
from baygrid.core.placement.links import Measured, Speed, fresh, speed
from baygrid.ports.records import EXCHANGE, Event, MemberKind, MemberRecord
from baygrid.ports.store import Exists, Tx

PROBE_BYTES = 16 << 20
"""The most that one question of a measurement may ask for."""


@dataclass(frozen=True, slots=True)
class Link:
    """From the exchange to a centre and back. `speed`: what placement reckons with; `measured`: what is
    known, also where it is too old for that. `gib_price`: in major units."""

    source: str
    target: str
    speed: Speed
    measured: Measured | None
    gib_price: Fraction


@dataclass(frozen=True, slots=True)
class View:
    """`centres` are members by themselves."""

    centres: tuple[str, ...]
    members: tuple[MemberRecord, ...]
    links: tuple[Link, ...]


def check_agent(actor: Actor) -> None:
    """Raises Forbidden for whoever is no centre's agent."""
    if actor.centre is None:
        raise Forbidden("only a centre's agent may do this")
    permit(actor, Action.AGENT, centre=actor.centre)


def show(platform: Platform, actor: Actor) -> View:
    permit(actor, Action.BROWSE)
    now = platform.clock()

    def load(tx: Tx) -> View:
        region = platform.catalogue.at(tx)
        policy, known = region.policy(now), measured(tx)
        links = []
        for name in sorted(region.centres):
            declared, found = policy.centre(name), known.get(name)
            lately = None if found is None else fresh(found, now)
            links.append(Link(EXCHANGE, name, speed(lately, declared), found, declared.gib_price))
        return View(tuple(sorted(region.centres)), tuple(tx.exchange.members()), tuple(links))

    return platform.store.read(load)


def add_member(platform: Platform, actor: Actor, name: str, kind: MemberKind) -> MemberRecord:
    """A network or cloud that the exchange joins. Raises WrongState for a name that is taken."""
    permit(actor, Action.OPERATE)
    check_name("name", name)
    row = MemberRecord(name, kind, platform.clock())

    def apply(tx: Tx) -> None:
        if name == EXCHANGE or tx.region.centre(name) is not None:
            raise WrongState(f"{name!r} is a member by itself")
        tx.exchange.add_member(row)
        tx.events.append([Event(row.added_at, "member-added", data={"name": name, "kind": kind.value})])

    try:
        platform.store.write(apply)
    except Exists:
        raise WrongState(f"there is already a member {name!r}") from None
    return row


def remove_member(platform: Platform, actor: Actor, name: str) -> None:
    permit(actor, Action.OPERATE)

    def apply(tx: Tx) -> None:
        if not tx.exchange.remove_member(name):
            raise NotFound(f"there is no member {name!r} but for the centres")
        tx.events.append([Event(platform.clock(), "member-removed", data={"name": name})])

    platform.store.write(apply)
