"""What centres sell ahead: listings of an offer's units in a period at another price than the tariff's."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound
from baygrid.app.terms import rate
from baygrid.core.pricing.contracts import Kind, Terms
from baygrid.ports.basics import Instant
from baygrid.ports.messages import NodeReport
from baygrid.ports.records import CentreRecord, Event, Offer
from baygrid.ports.store import Tx
from baygrid.ports.trading import ListingRow

MAX_UNITS = 1_000_000
MAX_PERIOD_MS = 5 * 366 * 24 * 3_600_000
"""So the sums of unit-hours fit 64 bits."""


@dataclass(frozen=True, slots=True)
class New:
    """A listing to be made; `rate`: a decimal text, major units per hour of a unit. `start` None: now. `cpus`
    and `memory_mib` with each unit, None: its share of the smallest node."""

    offer: str
    kind: Kind
    quantity: int
    rate: str
    start: Instant | None
    end: Instant
    cpus: int | None = None
    memory_mib: int | None = None


def listings(platform: Platform, actor: Actor) -> list[ListingRow]:
    """Newest first, those that are over too."""
    permit(actor, Action.BROWSE)
    return platform.store.read(lambda tx: tx.trading.listings())


def publish(platform: Platform, actor: Actor, new: New) -> ListingRow:
    """By the operator, or by the agent of the offer's centre. Raises Invalid, NotFound."""
    now = platform.clock()

    def apply(tx: Tx) -> ListingRow:
        region = platform.catalogue.at(tx)
        offer = region.offers.get(new.offer)
        permit(actor, Action.SELL, centre=offer.centre if offer else actor.centre)
        if offer is None:
            raise NotFound(f"there is no offer {new.offer!r}")
        terms = _terms(platform, offer, region.centres[offer.centre], new, now)
        row = ListingRow(terms, offer.centre, new.quantity, now, actor.token_id)
        tx.trading.insert_listing(row)
        data = {"listing": row.id, "offer": offer.id, "kind": new.kind.value, "quantity": new.quantity}
        tx.events.append([Event(now, "listing-published", centre=offer.centre, data=data)])
        return row

    return platform.store.write(apply)


def _terms(platform: Platform, offer: Offer, centre: CentreRecord, new: New, now: Instant) -> Terms:
    start = now if new.start is None else new.start
    if start < now:
        raise Invalid.at("start", "lies in the past: leave it out to begin now")
    if not 0 < new.end - start <= MAX_PERIOD_MS:
        raise Invalid.at("end", "must come after the start, at most five years later")
    if new.kind is Kind.RESERVED and start == now:
        raise Invalid.at("start", "must lie ahead: a reservation is bought before its period begins")
    if not 1 <= new.quantity <= MAX_UNITS:
        raise Invalid.at("quantity", f"must be a whole number of units from 1 to {MAX_UNITS}")
    nodes = nodes_of(offer, centre)
    there = sum(units_of(offer, node) for node in nodes)
    if nodes and new.quantity > there:
        raise Invalid.at("quantity", f"is more than {centre.name} has of it: {there}")
    if offer.accelerator is None and new.cpus:
        raise Invalid.at("cpus", "a unit of a plain offer is one cpu: leave it out")
    price = rate("rate", new.rate)
    if price <= 0:
        raise Invalid.at("rate", "must be more than nothing")
    cpus, memory_mib = _beside(offer, nodes)
    return Terms(
        platform.ids.new("listing", now),
        new.kind,
        offer.id,
        offer.currency,
        price,
        cpus if new.cpus is None else new.cpus,
        memory_mib if new.memory_mib is None else new.memory_mib,
        start,
        new.end,
    )


def nodes_of(offer: Offer, centre: CentreRecord) -> tuple[NodeReport, ...]:
    """The nodes that have what it offers, as the centre declared them; none before it has."""
    found = next((it.nodes for it in centre.inventory if it.name == offer.partition), ())
    return tuple(node for node in found if units_of(offer, node))


def units_of(offer: Offer, node: NodeReport) -> int:
    """How many units of the offer a node has."""
    return node.cpus if offer.accelerator is None else node.accelerators.get(offer.accelerator, 0)


def _beside(offer: Offer, nodes: tuple[NodeReport, ...]) -> tuple[int, int]:
    """Cpus and MiB for each unit of the node that has least for one."""
    plain = offer.accelerator is None
    cpus = min((node.cpus // units_of(offer, node) for node in nodes), default=0)
    memory = min((node.memory_mib // units_of(offer, node) for node in nodes), default=0)
    return (0 if plain else cpus), memory
