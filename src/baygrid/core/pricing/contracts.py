"""Contracts for computing: listings of an offer's units in a period at another price than the tariff's.

A unit is one accelerator of the offer, with so many cpus and so much memory of its node; of a plain offer it
is one cpu with memory. Amounts of units are whole thousandths, as shares of accelerators are; unit-hours are
whole thousandths of a unit times milliseconds, so that sums are exact.

How many units a trade pays for at once is decided when an attempt is placed: the attempt takes units of the
trade then, as far as they are free, and gives them back when it ends. So what its usage costs follows from
its own records, the tariffs and what it took, whatever else ran. A unit pays for accelerators, cpus and
memory; energy and egress are the tariff's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from baygrid.core.cost import Bought, Footprint, Stretch, stretches
from baygrid.core.pricing import charge as by_tariff
from baygrid.core.pricing.charge import HOUR_MS, Charge, Consumption, Line
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.reasons import JSON
from baygrid.core.units import DECIMALS, Money, exact

UNIT: Final = 1000
"""Thousandths in a unit."""
UNIT_HOUR: Final = UNIT * HOUR_MS


class Kind(StrEnum):
    """`SPOT`: whoever's job yields to all others has it while it is free. `RESERVED`: paid when bought, for
    the whole period. `COMMITTED`: so many unit-hours, paid as they are used and at the end of the period."""

    SPOT = "spot"
    RESERVED = "reserved"
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a listing sells, in [start, end) (milliseconds since 1970, UTC): units of an offer at `rate`
    major units of `currency` an hour, each with `cpus` (of a plain offer: 0) and MiB of memory."""

    listing: str
    kind: Kind
    offer: str
    currency: str
    rate: Fraction
    cpus: int
    memory_mib: int
    start: int
    end: int

    def left(self, now: int) -> int:
        """Milliseconds of the period that are yet to come."""
        return max(0, self.end - max(self.start, now))

    def price(self, worth: int) -> Money:
        """What so many thousandths of a unit times milliseconds cost, rounded once."""
        return Money.of(self.rate * Fraction(worth, UNIT_HOUR), self.currency)


@dataclass(frozen=True, slots=True)
class Cover:
    """What an attempt took of a trade (or of a spot listing) when it was placed: `units` thousandths of a
    unit at `rate` for its first `ms` milliseconds, which it keeps if it begins later; with each unit `cpus`
    and MiB."""

    of: str
    kind: Kind
    units: int
    ms: int
    rate: Fraction
    cpus: int
    memory_mib: int

    @property
    def worth(self) -> int:
        """What of the trade is kept for it, in thousandths of a unit times milliseconds."""
        return self.units * self.ms

    @property
    def paid(self) -> Fraction:
        """What an hour of a unit costs when it is used: a reservation was paid before."""
        return Fraction(0) if self.kind is Kind.RESERVED else self.rate

    def is_of(self, terms: Terms) -> bool:
        """Whether it says what the listing says."""
        said = (self.kind, self.rate, self.cpus, self.memory_mib)
        return said == (terms.kind, terms.rate, terms.cpus, terms.memory_mib)

    def to_json(self) -> dict[str, JSON]:
        return {
            "of": self.of,
            "kind": self.kind.value,
            "units": self.units,
            "ms": self.ms,
            "rate": exact(self.rate),
            "cpus": self.cpus,
            "memory_mib": self.memory_mib,
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Cover:
        return cls(**{**document, "kind": Kind(document["kind"]), "rate": Fraction(document["rate"])})


def bought(covers: Sequence[Cover]) -> list[Bought]:
    """What of these is held for a job (in seconds): what a commitment pays is held already."""
    return [
        Bought(
            it.units,
            it.ms // 1000,
            Fraction(0) if it.kind is Kind.COMMITTED else it.paid,
            it.cpus,
            it.memory_mib,
        )
        for it in covers
    ]


@dataclass(frozen=True, slots=True)
class Use:
    """What one usage record used of a cover: thousandths of a unit times milliseconds, and the minor units of
    it that a commitment pays."""

    of: str
    worth: int = 0
    ahead: int = 0

    def __add__(self, other: Use) -> Use:
        return Use(self.of, self.worth + other.worth, self.ahead + other.ahead)


@dataclass(frozen=True, slots=True)
class Covered:
    """What one usage record costs, with the covers as they were before it and what it used of each."""

    charge: Charge
    covers: tuple[Cover, ...] = ()
    uses: tuple[Use, ...] = ()

    @property
    def ahead(self) -> int:
        """Minor units that are held for commitments, not for the job."""
        return sum(use.ahead for use in self.uses)


def charges(
    records: Sequence[Consumption], tariffs: Sequence[Tariff], covers: Sequence[Cover]
) -> list[Covered]:
    """As `charge.charges`, for an attempt that has these `covers`: earlier ones are used first.

    A line of a commitment is rounded down, so that all of them together are never more than what was
    committed: what rounding leaves is paid at the end with what was not used. Other lines are rounded as
    all are. The minimum and the rounding up lengthen what is left at the tariff only.
    """
    if not covers:
        return [Covered(it) for it in by_tariff.charges(records, tariffs)]
    more, last = by_tariff.more_ms(records, tariffs), len(records) - 1
    found, left = [], tuple(covers)
    for n, record in enumerate(records):
        one = _charge(record, tariffs, left, more if n == last else 0)
        found.append(one)
        left = tuple(_after(cover, record) for cover in left)
    return found


def _lasts(cover: Cover, record: Consumption) -> int:
    """Milliseconds of the record that the cover pays for."""
    return min(cover.ms, record.end_ms - record.start_ms)


def _after(cover: Cover, record: Consumption) -> Cover:
    return replace(cover, ms=cover.ms - _lasts(cover, record))


def _charge(record: Consumption, tariffs: Sequence[Tariff], covers: tuple[Cover, ...], more: int) -> Covered:
    whole = by_tariff.charge(record, tariffs)
    lines = [line for line in whole.lines if line.unit in ("GiB", "kWh")]
    it = Footprint(
        record.nodes, record.cpus, record.memory_mib, record.accelerators, record.accelerator_share
    )
    taken = [Bought(one.units, _lasts(one, record), one.paid, one.cpus, one.memory_mib) for one in covers]
    bare = [replace(tariff, terms=None) for tariff in tariffs]
    uses = {cover.of: Use(cover.of) for cover in covers}
    parts = stretches(it, record.end_ms - record.start_ms, taken)
    for n, part in enumerate(parts):
        for line, use in _covered(record, part, covers, whole.total.currency):
            uses[use.of] += use
            lines.append(line)
        lines += _rest(record, part, bare, more if n == len(parts) - 1 else 0)
    total = sum((line.amount for line in lines), Money.zero(whole.total.currency))
    return Covered(Charge(tuple(lines), total), covers, tuple(uses.values()))


def _covered(
    record: Consumption, part: Stretch, covers: Sequence[Cover], currency: str
) -> Iterator[tuple[Line, Use]]:
    item = record.accelerator or "accelerator" if record.accelerators else "cpu"
    unit = "accelerator-hour" if record.accelerators else "cpu-hour"
    start, end = record.start_ms + part.start, record.start_ms + part.end
    for cover, units in zip(covers, part.units, strict=True):
        worth = units * (part.end - part.start)
        if worth:
            hours = Fraction(worth, UNIT_HOUR)
            down = cover.kind is Kind.COMMITTED
            amount = _floor(hours * cover.paid, currency) if down else Money.of(hours * cover.paid, currency)
            line = Line(item, hours, unit, cover.paid, amount, start, end, cover.of)
            yield line, Use(cover.of, worth, amount.minor if down else 0)


def _floor(amount: Fraction, currency: str) -> Money:
    return Money(int(amount * 10 ** DECIMALS[currency]), currency)


def _rest(record: Consumption, part: Stretch, tariffs: Sequence[Tariff], more: int) -> tuple[Line, ...]:
    """What no trade pays for, at the tariffs of its time."""
    rest = Consumption(
        record.start_ms + part.start,
        record.start_ms + part.end,
        part.rest.nodes,
        part.rest.cpus,
        part.rest.memory_mib,
        record.accelerator,
        part.rest.accelerators,
        part.rest.accelerator_share,
    )
    return by_tariff.charge(rest, tariffs, more).lines
