"""Usage and dated tariffs to charge lines that anybody can recompute.

A line is exact: hours x rate, GiB x rate, kWh x price. It is rounded once, half up to the minor unit, and the
total is the sum of the rounded lines. So cutting a usage record in two changes no total by more than half a
minor unit for each line on either side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final

from baygrid.core.pricing.tariff import Tariff, in_force
from baygrid.core.reasons import JSON
from baygrid.core.terms import KWH
from baygrid.core.units import BYTES_PER_GIB, MIB_PER_GIB, Money, exact

HOUR_MS: Final = 3_600_000
EGRESS: Final = "egress"
ENERGY: Final = "energy"


class ChargeError(ValueError):
    """This usage cannot be charged by these tariffs; the message says why."""


@dataclass(frozen=True, slots=True)
class Consumption:
    """What one stretch of an attempt had for itself, used or not, from `start_ms` to before `end_ms`
    (milliseconds since 1970, UTC): `nodes` nodes, each with `cpus`, MiB of memory and `accelerators` of one
    model; of each of these `accelerator_share` thousandths. `egress_bytes` of its inputs had come over a
    link."""

    start_ms: int
    end_ms: int
    nodes: int
    cpus: int
    memory_mib: int
    accelerator: str | None = None
    accelerators: int = 0
    accelerator_share: int = 1000
    egress_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity` of `unit` (of all nodes together) at `rate` major units each. `item` is "cpu", "memory",
    the accelerator's model, "energy" or "egress". `start_ms` and `end_ms` bound the part of the usage under
    one tariff, of energy that at one price; what a minimum or the rounding up adds lies after its end.
    `trade`: under which it was paid at another rate than the tariff's ("": none)."""

    item: str
    quantity: Fraction
    unit: str
    rate: Fraction
    amount: Money
    start_ms: int
    end_ms: int
    trade: str = ""

    def to_json(self) -> dict[str, JSON]:
        """`quantity` and `rate` as exact texts: "0.25", or "1/3" where no decimal number is exact."""
        document: dict[str, JSON] = {
            "item": self.item,
            "quantity": exact(self.quantity),
            "unit": self.unit,
            "rate": exact(self.rate),
            "amount": str(self.amount),
            "from": self.start_ms,
            "to": self.end_ms,
        }
        return document | {"trade": self.trade} if self.trade else document


@dataclass(frozen=True, slots=True)
class Charge:
    """What one usage costs."""

    lines: tuple[Line, ...]
    total: Money

    def to_json(self) -> dict[str, JSON]:
        return {"lines": [line.to_json() for line in self.lines], "total": str(self.total)}


def charges(records: Sequence[Consumption], tariffs: Sequence[Tariff]) -> list[Charge]:
    """What each usage record of one attempt costs; `records` in the order of time, `tariffs` oldest first.

    The minimum and the rounding up are those of the tariff in force when the attempt began, and count once
    for all of it: they lengthen its last record, at the rates in force when that ends. Raises ChargeError as
    `charge`.
    """
    more, last = more_ms(records, tariffs), len(records) - 1
    return [charge(record, tariffs, more if n == last else 0) for n, record in enumerate(records)]


def backdated(tariffs: Sequence[Tariff], records: Sequence[Consumption]) -> tuple[Tariff, ...]:
    """The tariffs by which these records are charged: the first one also covers what began before it. A
    centre's clock may be slow, and nothing is placed at an offer before its first tariff is in force."""
    first, *later = tariffs
    start = min([first.valid_from, *(record.start_ms for record in records)])
    return replace(first, valid_from=start), *later


def more_ms(records: Sequence[Consumption], tariffs: Sequence[Tariff]) -> int:
    """What the minimum and the rounding up add to the time of an attempt. Raises ChargeError."""
    if not records:
        return 0
    _check_tariffs(tariffs)
    tariff = in_force(tariffs, records[0].start_ms)
    used = sum(record.end_ms - record.start_ms for record in records)
    return tariff.terms.billed_ms(used) - used if tariff is not None and tariff.terms is not None else 0


def charge(usage: Consumption, tariffs: Sequence[Tariff], more_ms: int = 0) -> Charge:
    """Charge `usage` by the tariffs in force in each part of it, and `more_ms` of time after its end by the
    last of these; `tariffs` oldest first.

    Time of no length costs nothing. Raises ChargeError for a stretch that ends before it starts or
    starts before the first tariff, for negative amounts, and for tariffs out of order or of several
    currencies.
    """
    if usage.end_ms < usage.start_ms:
        raise ChargeError(f"the usage ends {usage.start_ms - usage.end_ms} ms before it starts")
    amounts = (usage.nodes, usage.cpus, usage.memory_mib, usage.accelerators, usage.accelerator_share)
    if min(*amounts, usage.egress_bytes) < 0:
        raise ChargeError("amounts used cannot be negative")
    _check_tariffs(tariffs)
    if usage.start_ms < tariffs[0].valid_from:
        early = tariffs[0].valid_from - usage.start_ms
        raise ChargeError(f"the usage starts {early} ms before the first tariff is in force")
    parts = _parts(usage, tariffs)
    lines = list(_egress(usage, parts[0][0]))
    for n, (tariff, start, end) in enumerate(parts):
        until = end + more_ms if n == len(parts) - 1 else end
        lines += _time(usage, tariff, start, until)
        lines += _energy(usage, tariff, start, end)
    return Charge(tuple(lines), sum((line.amount for line in lines), Money.zero(tariffs[0].currency)))


def _check_tariffs(tariffs: Sequence[Tariff]) -> None:
    if not tariffs:
        raise ChargeError("there is no tariff to charge by")
    if len({tariff.currency for tariff in tariffs}) > 1:
        raise ChargeError("the tariffs of one offer must have one currency")
    if any(a.valid_from >= b.valid_from for a, b in pairwise(tariffs)):
        raise ChargeError("tariffs must be in the order in which they begin, no two at the same time")


def _parts(usage: Consumption, tariffs: Sequence[Tariff]) -> list[tuple[Tariff, int, int]]:
    """Each tariff with the stretch of the usage that it is in force for; at least one."""
    ends = [tariff.valid_from for tariff in tariffs[1:]] + [usage.end_ms]
    parts = [
        (tariff, max(usage.start_ms, tariff.valid_from), min(usage.end_ms, until))
        for tariff, until in zip(tariffs, ends, strict=True)
    ]
    found = [part for part in parts if part[1] < part[2]]
    tariff = in_force(tariffs, usage.start_ms)
    return found if found or tariff is None else [(tariff, usage.start_ms, usage.start_ms)]


def _time(usage: Consumption, tariff: Tariff, start: int, end: int) -> Iterator[Line]:
    hours = Fraction((end - start) * usage.nodes, HOUR_MS)
    model = usage.accelerator or "accelerator"
    devices = Fraction(usage.accelerators * usage.accelerator_share, 1000)
    for item, unit, rate, each in (
        (model, "accelerator-hour", tariff.accelerator_hour, devices),
        ("cpu", "cpu-hour", tariff.cpu_hour, Fraction(usage.cpus)),
        ("memory", "GiB-hour", tariff.gib_hour, Fraction(usage.memory_mib, MIB_PER_GIB)),
    ):
        yield from _line(tariff, item, hours * each, unit, rate, start, end)


def _egress(usage: Consumption, tariff: Tariff) -> Iterator[Line]:
    """What had come by then was brought at the price of the moment when this usage began."""
    price = tariff.terms.egress_gib if tariff.terms is not None else Fraction(0)
    if price:
        gib = Fraction(usage.egress_bytes, BYTES_PER_GIB)
        yield from _line(tariff, EGRESS, gib, "GiB", price, usage.start_ms, usage.start_ms)


def _energy(usage: Consumption, tariff: Tariff, start: int, end: int) -> Iterator[Line]:
    energy = tariff.terms.energy if tariff.terms is not None else None
    if energy is None:
        return
    used = energy.milliwatts(usage.nodes, usage.cpus, usage.accelerators, usage.accelerator_share)
    for price, since, until in energy.stretches(start, end):
        kwh = Fraction(used * (until - since), KWH)
        yield from _line(tariff, ENERGY, kwh, "kWh", price, since, until)


def _line(
    tariff: Tariff, item: str, quantity: Fraction, unit: str, rate: Fraction, start: int, end: int
) -> Iterator[Line]:
    if quantity:
        yield Line(item, quantity, unit, rate, Money.of(quantity * rate, tariff.currency), start, end)
