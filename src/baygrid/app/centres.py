"""Centres of the region, as operators set them up."""

from __future__ import annotations

from baygrid.app.access import Action, Actor, permit
from baygrid.app.demand import silent_s
from baygrid.app.names import check_jurisdiction, check_name
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.app.tokens import Invitation, invitation
from baygrid.ports.basics import Instant
from baygrid.ports.records import CentreRecord, CentreState, Event
from baygrid.ports.store import Exists, Tx


def reachable(centre: CentreRecord, now: Instant) -> bool:
    """Whether the centre's agent has reported lately."""
    return silent_s(centre.seen_at, now) is None


def centres(platform: Platform, actor: Actor) -> list[CentreRecord]:
    permit(actor, Action.BROWSE)
    rows = platform.store.read(lambda tx: tx.region.centres())
    return [rows[name] for name in sorted(rows)]


def centre(platform: Platform, actor: Actor, name: str) -> CentreRecord:
    permit(actor, Action.BROWSE)
    return platform.store.read(lambda tx: find(tx, name))


def tended(platform: Platform, actor: Actor, name: str) -> CentreRecord:
    """For who looks after it. Raises NotFound, Forbidden."""
    permit(actor, Action.TEND, centre=name)
    return platform.store.read(lambda tx: find(tx, name))


def find(tx: Tx, name: str) -> CentreRecord:
    """Raises NotFound."""
    row = tx.region.centre(name)
    if row is None:
        raise NotFound(f"there is no centre {name!r}")
    return row


def add_centre(
    platform: Platform, actor: Actor, name: str, jurisdiction: str, driver: str, with_offers: bool = False
) -> tuple[CentreRecord, Invitation]:
    """A centre, and what an agent joins it with. It is empty until its agent reports. `driver` "": what its
    agent finds."""
    permit(actor, Action.OPERATE)
    check_name("name", name)
    check_jurisdiction("jurisdiction", jurisdiction)
    if driver and driver not in platform.drivers:
        known = ", ".join(platform.drivers)
        raise Invalid.at("driver", f"{driver[:40]!r} is not supported yet by this server: use {known}")
    row = CentreRecord(name, jurisdiction, driver)

    def apply(tx: Tx) -> Invitation:
        tx.region.insert_centre(row)
        tx.events.append([Event(platform.clock(), "centre-added", centre=name)])
        return invitation(platform, tx, name, with_offers, actor.who)

    try:
        return row, platform.store.write(apply)
    except Exists:
        raise WrongState(f"there is already a centre {name!r}") from None


def set_state(platform: Platform, actor: Actor, name: str, state: CentreState) -> CentreRecord:
    """DRAINED: what runs there goes on, nothing new comes."""
    permit(actor, Action.TEND, centre=name)

    def apply(tx: Tx) -> CentreRecord:
        if not tx.region.set_centre_state(name, state):
            raise NotFound(f"there is no centre {name!r}")
        tx.events.append([Event(platform.clock(), f"centre-{state.value}", centre=name)])
        return find(tx, name)

    return platform.store.write(apply)
