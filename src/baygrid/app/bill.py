"""The bill of a project or a job: every line from the usage record that it rests on, recomputed on
request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from baygrid.app.access import Action, Actor, permit
from baygrid.app.costs import prices
from baygrid.app.jobs import find_job
from baygrid.app.others import others
from baygrid.app.platform import Platform
from baygrid.app.projects import find_project
from baygrid.app.signatures import verify
from baygrid.core.jobs.spared import not_charged
from baygrid.core.pricing.contracts import Cover, Covered
from baygrid.core.pricing.contracts import Terms as ListingTerms
from baygrid.core.pricing.papers import Other
from baygrid.core.pricing.vouchers import Drawn, Terms, draw
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Usage
from baygrid.ports.records import AttemptRecord, Offer
from baygrid.ports.store import Tx
from baygrid.ports.usage import ChargeRow, UsageRow


@dataclass(frozen=True, slots=True)
class BillLine:
    """One charge line, as `core.pricing.charge.Line.to_json` wrote it, with what it belongs to."""

    job: str
    job_name: str
    attempt: str
    n: int
    centre: str
    offer: str
    line: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BillShare:
    """What a voucher paid of a charge, as `core.pricing.vouchers.Share.to_json` wrote it."""

    job: str
    attempt: str
    n: int
    share: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spared:
    """An attempt that used something and is not charged, and why."""

    job: str
    attempt: str
    centre: str
    started_at: Instant
    ended_at: Instant
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the posted charge of a usage record is not what the record and the tariffs give."""

    attempt: str
    n: int
    what: str


@dataclass(frozen=True, slots=True)
class Bill:
    """Charges posted in [start, end), minor units of `currency`. `total` is what the project pays: the lines
    less the `shares` of vouchers and `overrun`, which lay above the holds: the platform bore it; and
    `others`, what it bought ahead. `spared`:
    attempts that ended meanwhile and are not charged.
    `differences` None: not recomputed; empty: every line is right."""

    project: str
    currency: str
    start: Instant
    end: Instant
    lines: tuple[BillLine, ...]
    shares: tuple[BillShare, ...]
    spared: tuple[Spared, ...]
    others: tuple[Other, ...]
    total: int
    overrun: int
    differences: tuple[Difference, ...] | None


def bill(
    platform: Platform, actor: Actor, project: str, start: Instant, end: Instant, *, recompute: bool
) -> Bill:
    """What a project pays. `recompute` rebuilds every line from usage records and tariffs and checks
    signatures."""
    permit(actor, Action.READ, project=project)

    def load(tx: Tx) -> Bill:
        row = find_project(tx, project)
        charges = tx.money.charges(project, start, end)
        broken = tx.attempts.broken(project, start, end)
        found = _bill(platform, tx, project, row.currency, charges, broken, start, end, recompute)
        bought = tuple(others(tx, start, end, project))
        return replace(found, others=bought, total=found.total + sum(it.amount.minor for it in bought))

    return platform.store.read(load)


def of_job(platform: Platform, actor: Actor, id: str, *, recompute: bool = False) -> Bill:
    """One job's part of its project's bill."""

    def load(tx: Tx) -> Bill:
        job = find_job(tx, actor, Action.READ, id)
        charges = tx.money.charges_of([id])
        start, end = job.submitted_at, (job.ended_at or platform.clock()) + 1
        attempts = tx.attempts.of_jobs([id])
        return _bill(platform, tx, job.project, job.currency, charges, attempts, start, end, recompute)

    return platform.store.read(load)


def _bill(
    platform: Platform,
    tx: Tx,
    project: str,
    currency: str,
    charges: Sequence[ChargeRow],
    attempts: Sequence[AttemptRecord],
    start: Instant,
    end: Instant,
    recompute: bool,
) -> Bill:
    jobs = tx.jobs.get(sorted({charge.job for charge in charges}))
    lines = tuple(
        BillLine(c.job, jobs[c.job].name, c.attempt, c.n, c.centre, c.offer, line)
        for c in charges
        for line in c.lines
    )
    differences: tuple[Difference, ...] | None = None
    if recompute:
        usage = tx.money.usage_of(sorted({charge.attempt for charge in charges}))
        terms = {row.voucher.id: row.voucher.terms for row in tx.support.vouchers()}
        offers, sold = platform.catalogue.at(tx).offers, _sold(tx, project, charges)
        differences = tuple(recomputed(charges, usage, offers, terms, sold))
    total, overrun = sum(c.amount for c in charges), sum(c.overrun for c in charges)
    shares = tuple(BillShare(c.job, c.attempt, c.n, share) for c in charges for share in c.shares)
    spared = _spared(attempts)
    return Bill(project, currency, start, end, lines, shares, spared, (), total, overrun, differences)


def _spared(attempts: Sequence[AttemptRecord]) -> tuple[Spared, ...]:
    found = []
    for it in attempts:
        why = not_charged(it.state, it.cause, it.outputs)
        if why is not None and it.started_at is not None and it.ended_at is not None:
            found.append(Spared(it.job, it.id, it.centre, it.started_at, it.ended_at, why))
    return tuple(found)


def recomputed(
    charges: Sequence[ChargeRow],
    usage: Sequence[UsageRow],
    offers: Mapping[str, Offer],
    terms: Mapping[str, Terms],
    sold: Mapping[str, ListingTerms],
) -> list[Difference]:
    """Every difference between what was posted and what the signed records, the tariffs, the terms of
    vouchers and what was `sold` (by trade, or spot listing) give."""
    records = {(row.signed.usage.attempt, row.signed.usage.n): row for row in usage}
    costs = _costs(charges, usage, offers)
    found = []
    for charge in charges:
        key = (charge.attempt, charge.n)
        row, cost = records.pop(key, None), costs.get(key)
        wrong = _differences(charge, row, cost)
        wrong += [*_of_shares(charge, row, terms), *_of_covers(charge, cost, sold)]
        found += [Difference(charge.attempt, charge.n, what) for what in wrong]
    found += [Difference(attempt, n, "this usage record was not charged") for attempt, n in records]
    return found


def _costs(
    charges: Sequence[ChargeRow], usage: Sequence[UsageRow], offers: Mapping[str, Offer]
) -> dict[tuple[str, int], Covered]:
    """By attempt and number what a usage record costs, where its offer is there. An attempt is priced as a
    whole: its minimum counts once, and what its first charge says that it took of trades is what it had."""
    of: defaultdict[str, list[Usage]] = defaultdict(list)
    for row in usage:
        of[row.signed.usage.attempt].append(row.signed.usage)
    where = {charge.attempt: offers[charge.offer] for charge in charges if charge.offer in offers}
    took = {it.attempt: it.covers for it in sorted(charges, key=lambda it: -it.n)}
    found = {}
    for attempt, offer in where.items():
        records = sorted(of[attempt], key=lambda record: record.n)
        covers = list(map(Cover.of_json, took[attempt]))
        for record, cost in zip(records, prices(records, offer, covers), strict=True):
            found[attempt, record.n] = cost
    return found


def _differences(charge: ChargeRow, row: UsageRow | None, covered: Covered | None) -> list[str]:
    if row is None:
        return ["there is no usage record for this charge"]
    found = []
    if not verify(row.public_key, row.signed):
        found.append("the usage record is not what its agent signed")
    if covered is None:
        return [*found, f"there is no offer {charge.offer!r}"]
    cost = covered.charge
    posted, right = list(charge.lines), [line.to_json() for line in cost.lines]
    if len(posted) != len(right):
        found.append(f"{len(posted)} lines were posted, {len(right)} are right")
    for index, (was, should) in enumerate(zip(posted, right, strict=False)):
        if dict(was) != should:
            found.append(f"line {index}: posted {dict(was)}, right is {should}")
    if charge.total != cost.total.minor:
        found.append(f"{Money(charge.total, charge.currency)} was posted, {cost.total} is right")
    return found


def _of_shares(charge: ChargeRow, row: UsageRow | None, terms: Mapping[str, Terms]) -> list[str]:
    """What vouchers paid, from what they had and what their pools had left at that moment."""
    found, left = [], charge.amount + charge.supported
    for share in charge.shares:
        it = terms.get(share["voucher"])
        if it is None:
            found.append(f"there is no voucher {share['voucher']!r}")
            continue
        if row is not None and not it.cover(row.signed.usage.start, row.signed.usage.end):
            found.append(f"voucher {share['voucher']!r} is not for that time")
        had = Drawn(**share["had"])
        after = draw(it, had, left, share["pool_left"])
        right = (after.base - had.base, after.paid - had.paid)
        if right != (share["base"], share["paid"]):
            was = Money(share["paid"], charge.currency)
            found.append(
                f"voucher {share['voucher']!r} paid {was}, right is {Money(right[1], charge.currency)}"
            )
        left -= share["base"]
    if sum(share["paid"] for share in charge.shares) != charge.supported:
        found.append(f"vouchers paid {Money(charge.supported, charge.currency)} by no shares")
    return found


def _sold(tx: Tx, project: str, charges: Sequence[ChargeRow]) -> dict[str, ListingTerms]:
    """The terms of the project's trades and of spot listings, if these charges name any."""
    if not any(charge.covers for charge in charges):
        return {}
    sold = {row.id: row.terms for row in tx.trading.trades(project)}
    return sold | {row.id: row.terms for row in tx.trading.listings()}


def _of_covers(charge: ChargeRow, covered: Covered | None, sold: Mapping[str, ListingTerms]) -> list[str]:
    """Whether what was taken of trades is what they sold, and what earlier usage left."""
    found = []
    for document in charge.covers:
        cover = Cover.of_json(document)
        terms = sold.get(cover.of)
        if terms is None:
            found.append(f"there is no trade {cover.of!r}")
        elif not cover.is_of(terms) or terms.offer != charge.offer:
            found.append(f"trade {cover.of!r} sold something else")
    if covered is not None and [it.to_json() for it in covered.covers] != [*map(dict, charge.covers)]:
        found.append("what earlier usage left of its trades is not what was posted")
    return found
