"""What a job may have of its project's trades and of spot listings; and taking it when the job is placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from baygrid.core.placement.deals import Deal
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.planned import Assignment
from baygrid.core.placement.queue.quota import amount_of
from baygrid.core.pricing.contracts import Cover, Kind
from baygrid.core.pricing.hold import KILL_WAIT_S
from baygrid.ports.basics import Instant
from baygrid.ports.store import Tx
from baygrid.ports.trading import Open, Return

_FIRST = (Kind.RESERVED, Kind.COMMITTED, Kind.SPOT)


def in_force(opened: Iterable[Open], now: Instant) -> tuple[Open, ...]:
    """Those whose period it is."""
    return tuple(it for it in opened if it.terms.start <= now < it.terms.end)


def to_come(opened: Iterable[Open], now: Instant) -> tuple[Open, ...]:
    """Those whose period it is or will be, as if nobody used them, all of their time before them."""
    found = []
    for it in opened:
        if now < it.terms.end:
            terms = replace(it.terms, start=now, end=now + it.terms.left(now))
            worth = None if it.worth is None else max(it.worth, it.size * terms.left(now))
            found.append(replace(it, terms=terms, units=it.size, worth=worth))
    return tuple(found)


def with_deals(demand: Demand, opened: Iterable[Open], now: Instant) -> Demand:
    """The demand with what it may have now: what is paid already first, then the cheapest. A spot job has
    spot listings only, another its project's trades."""
    deals = []
    for it in sorted(opened, key=lambda it: (_FIRST.index(it.terms.kind), it.terms.rate, it.of)):
        wanted = it.project is None if demand.spot else it.project == demand.project
        if wanted and it.terms.currency == demand.currency and (deal := _deal(demand, it, now)) is not None:
            deals.append(deal)
    return demand if tuple(deals) == demand.deals else replace(demand, deals=tuple(deals), shape=None)


def _deal(demand: Demand, it: Open, now: Instant) -> Deal | None:
    terms = it.terms
    most = max(amount_of(demand, model, each, demand.nodes, share) for model, each, share in demand.options)
    units = min(it.units, most)
    seconds = min(demand.time_s + demand.grace_s + KILL_WAIT_S, terms.left(now) // 1000)
    if units > 0 and it.worth is not None:
        seconds = min(seconds, it.worth // (units * 1000))
    if units <= 0 or seconds <= 0:
        return None
    rate = Fraction(0) if terms.kind is Kind.RESERVED else terms.rate
    return Deal(it.of, terms.offer, units, seconds, rate, terms.cpus, terms.memory_mib)


def take(
    tx: Tx, opened: Mapping[str, Open], demand: Demand, to: Assignment, now: Instant
) -> tuple[Cover, ...] | None:
    """What the plan reckoned with at this offer, taken; None, and nothing, where it is not all free any
    more."""
    left = amount_of(demand, to.accelerator, to.accelerators, to.count, to.accelerator_share)
    covers: list[Cover] = []
    for deal in demand.deals:
        units = min(deal.units, left)
        if deal.offer != to.offer or not units:
            continue
        it = opened.get(deal.of)
        ms = deal.seconds * 1000
        if (
            it is None
            or it.terms.left(now) < ms
            or not tx.trading.take(it.of, it.terms.kind, units, units * ms)
        ):
            tx.trading.give_back([Return(c.of, c.kind, c.units, c.worth) for c in covers])
            return None
        terms = it.terms
        covers.append(Cover(it.of, terms.kind, units, ms, terms.rate, terms.cpus, terms.memory_mib))
        left -= units
    return tuple(covers)
