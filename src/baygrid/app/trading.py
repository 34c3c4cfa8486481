"""Buying ahead: reservations, which are paid at once, and commitments, which are paid as they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.catalogue import RegionCopy
from baygrid.app.listings import nodes_of, units_of
from baygrid.app.once import Answered, Once, answered
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotEnoughMoney, NotFound, WrongState
from baygrid.app.projects import find_project
from baygrid.app.shortage import shortage
from baygrid.core.pricing.contracts import UNIT, UNIT_HOUR, Kind
from baygrid.core.pricing.postings import Transaction, trade_postings
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event, Project
from baygrid.ports.store import Tx
from baygrid.ports.trading import ListingRow, TradeAmount, TradeRow

LARGEST = 2**61


@dataclass(frozen=True, slots=True)
class Order:
    """So many units of a listing; of a commitment so many whole unit-hours (None: all that the
    period has)."""

    listing: str
    units: int
    hours: int | None = None


def trades(platform: Platform, actor: Actor, project: str | None) -> list[TradeRow]:
    """Newest first. A team sees its own, an operator those of any project or all."""
    project = project or actor.project
    permit(actor, Action.READ, project=project)
    return platform.store.read(lambda tx: tx.trading.trades(project))


def buy(
    platform: Platform,
    actor: Actor,
    project: str | None,
    order: Order,
    *,
    once: Once | None,
    render: Callable[[TradeRow], str],
) -> Answered:
    """Raises Invalid, NotFound, WrongState (not so many are left, or it is too late), NotEnoughMoney,
    IdempotencyMismatch."""
    owner = project or actor.project
    if owner is None:
        raise Invalid.at("project", "say which project pays")
    permit(actor, Action.USE, project=owner)
    now = platform.clock()

    def work(tx: Tx) -> str:
        return render(_bought(platform, tx, actor, find_project(tx, owner), order, now))

    return platform.store.write(lambda tx: answered(tx, owner, once, now, lambda: work(tx)))


def _bought(
    platform: Platform, tx: Tx, actor: Actor, project: Project, order: Order, now: Instant
) -> TradeRow:
    listing = tx.trading.listing(order.listing)
    if listing is None:
        raise NotFound(f"there is no listing {order.listing!r}")
    worth = _worth(listing, project, order, now)
    amount = listing.terms.price(worth)
    if amount.minor > LARGEST:
        raise Invalid.at("units", "is more than a ledger can hold")
    region = platform.catalogue.at(tx)
    if not tx.trading.sell(listing.id, order.units):
        raise WrongState(f"listing {listing.id!r} has fewer than {order.units} units left: ask for fewer")
    reserved = listing.terms.kind is Kind.RESERVED
    row = TradeRow(
        platform.ids.new("trade", now),
        listing.terms,
        listing.centre,
        project.name,
        order.units,
        worth,
        amount.minor,
        _nodes(region, tx.trading.trades(), listing, order.units, now) if reserved else (),
        now,
        actor.token_id,
    )
    _pay(tx, project, amount, now, at_once=reserved)
    tx.trading.insert_trade(row)
    if row.purchase is not None:
        tx.money.post([transaction(platform, row.purchase)])
    data = {"trade": row.id, "listing": listing.id, "units": order.units, "minor": amount.minor}
    tx.events.append([Event(now, "trade-made", project.name, centre=listing.centre, data=data)])
    return row


def _worth(listing: ListingRow, project: Project, order: Order, now: Instant) -> int:
    """Thousandths of a unit times milliseconds. Raises Invalid, WrongState."""
    terms = listing.terms
    if terms.kind is Kind.SPOT:
        raise Invalid.at("listing", "spot is not bought: say `budget: {spot: true}` in a job file")
    if terms.currency != project.currency:
        what = f"is paid in {terms.currency}, and project {project.name!r} is kept in {project.currency}"
        raise Invalid.at("listing", what)
    if listing.closed_at is not None or terms.end <= now:
        raise WrongState(f"listing {listing.id!r} is over: `baygrid listings` shows what there is")
    if not 1 <= order.units <= listing.quantity:
        raise Invalid.at("units", f"must be a whole number from 1 to {listing.quantity}")
    most = order.units * UNIT * terms.left(now)
    if terms.kind is Kind.RESERVED:
        if terms.start <= now:
            raise WrongState(f"the period of listing {listing.id!r} has begun: what was not sold returned")
        if order.hours is not None:
            raise Invalid.at("hours", "a reservation is for its whole period: leave it out")
        return most
    whole = most // UNIT_HOUR
    hours = whole if order.hours is None else order.hours
    if not 1 <= hours <= whole:
        raise Invalid.at(
            "hours", f"must be from 1 to {whole}: so many have these units until the period ends"
        )
    return hours * UNIT_HOUR


def _pay(tx: Tx, project: Project, amount: Money, now: Instant, *, at_once: bool) -> None:
    """What is committed is held until it is used or the period is over."""
    moved = {"charged": amount.minor} if at_once else {"held": amount.minor}
    if tx.money.move(project.name, at=now, **moved):
        return
    free = Money(project.free, project.currency)
    raise NotEnoughMoney(
        shortage(tx, project.name, amount.minor, now)
        or f"this costs {amount}, and project {project.name!r} has {free} free: buy less, or grant it more",
        need={"minor": amount.minor, "currency": amount.currency},
        free={"minor": free.minor, "currency": free.currency},
    )


def _nodes(
    region: RegionCopy, others: Sequence[TradeRow], listing: ListingRow, units: int, now: Instant
) -> tuple[str, ...]:
    """Whole nodes that make up exactly these units and that nobody else has reserved in the period, by name.
    None where there are none such, or where the centre's own scheduler chooses nodes: then only the price
    is sold."""
    terms, policy = listing.terms, region.policy(now)
    offer = region.offers[terms.offer]
    if not policy.centre(offer.centre).managed:
        return ()
    where = (offer.centre, offer.partition)
    promised = [it for it in policy.reservations if (it.centre, it.partition) == where]
    taken = {node for it in promised if it.start < terms.end and terms.start < it.end for node in it.nodes}
    for trade in others:
        its = region.offers[trade.terms.offer]
        overlaps = trade.terms.start < terms.end and terms.start < trade.terms.end
        if (its.centre, its.partition) == where and overlaps:
            taken.update(trade.nodes)
    chosen, left = [], units
    for node in sorted(nodes_of(offer, region.centres[offer.centre]), key=lambda node: node.name):
        if node.name not in taken and units_of(offer, node) <= left:
            chosen.append(node.name)
            left -= units_of(offer, node)
    return () if left else tuple(chosen)


def transaction(platform: Platform, it: TradeAmount) -> Transaction:
    """As the ledger has it."""
    postings = trade_postings(it.project, it.centre, it.amount)
    return Transaction(platform.ids.new("txn", it.at), it.key, it.at, it.what, postings, (it.trade,))
