"""Usage and dated tariffs to charge lines that anybody can recompute.

A line is exact: hours x rate. It is rounded once, half up to the minor unit, and the total is the sum of the
rounded lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from baygrid.core.pricing.tariff import Tariff
from baygrid.core.reasons import JSON
from baygrid.core.units import MIB_PER_GIB, Money

HOUR_MS: Final = 3_600_000


class ChargeError(ValueError):
    """This usage cannot be charged by these tariffs; the message says why."""


@dataclass(frozen=True, slots=True)
class Consumption:
    """What one stretch of an attempt had for itself, used or not, from `start_ms` to before `end_ms`
    (milliseconds since 1970, UTC): `nodes` nodes, each with `cpus`, MiB of memory and `accelerators` of one
    model; of each of these `accelerator_share` thousandths."""

    start_ms: int
    end_ms: int
    nodes: int
    cpus: int
    memory_mib: int
    accelerator: str | None = None
    accelerators: int = 0
    accelerator_share: int = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity` of `unit` (of all nodes together) at `rate` major units each. `item` is "cpu", "memory" or
    the accelerator's model. `start_ms` and `end_ms` bound the part of the usage under one tariff."""

    item: str
    quantity: Fraction
    unit: str
    rate: Fraction
    amount: Money
    start_ms: int
    end_ms: int

    def to_json(self) -> dict[str, JSON]:
        """`quantity` and `rate` as exact texts: "0.25", or "1/3" where no decimal number is exact."""
        return {
            "item": self.item,
            "quantity": exact(self.quantity),
            "unit": self.unit,
            "rate": exact(self.rate),
            "amount": str(self.amount),
            "from": self.start_ms,
            "to": self.end_ms,
        }


@dataclass(frozen=True, slots=True)
class Charge:
    """What one usage costs."""

    lines: tuple[Line, ...]
    total: Money

    def to_json(self) -> dict[str, JSON]:
        return {"lines": [line.to_json() for line in self.lines], "total": str(self.total)}


def charge(usage: Consumption, tariffs: Sequence[Tariff]) -> Charge:
    """Charge `usage` by the tariffs in force in each part of it; `tariffs` oldest first.

    A stretch of no length costs nothing. Raises ChargeError for a stretch that ends before it starts or
    starts before the first tariff, for negative amounts, and for tariffs out of order or of several
    currencies.
    """
    if usage.end_ms < usage.start_ms:
        raise ChargeError(f"the usage ends {usage.start_ms - usage.end_ms} ms before it starts")
    if min(usage.nodes, usage.cpus, usage.memory_mib, usage.accelerators, usage.accelerator_share) < 0:
        raise ChargeError("amounts used cannot be negative")
    if not tariffs:
        raise ChargeError("there is no tariff to charge by")
    if len({tariff.currency for tariff in tariffs}) > 1:
        raise ChargeError("the tariffs of one offer must have one currency")
    if any(a.valid_from >= b.valid_from for a, b in pairwise(tariffs)):
        raise ChargeError("tariffs must be in the order in which they begin, no two at the same time")
    if usage.start_ms < tariffs[0].valid_from:
        early = tariffs[0].valid_from - usage.start_ms
        raise ChargeError(f"the usage starts {early} ms before the first tariff is in force")
    lines = tuple(line for part in _parts(usage, tariffs) for line in _lines(usage, *part))
    return Charge(lines, sum((line.amount for line in lines), Money.zero(tariffs[0].currency)))


def _parts(usage: Consumption, tariffs: Sequence[Tariff]) -> Iterator[tuple[Tariff, int, int]]:
    """Each tariff with the stretch of the usage that it is in force for."""
    ends = [tariff.valid_from for tariff in tariffs[1:]] + [usage.end_ms]
    for tariff, until in zip(tariffs, ends, strict=True):
        start, end = max(usage.start_ms, tariff.valid_from), min(usage.end_ms, until)
        if start < end:
            yield tariff, start, end


def _lines(usage: Consumption, tariff: Tariff, start: int, end: int) -> Iterator[Line]:
    hours = Fraction((end - start) * usage.nodes, HOUR_MS)
    model = usage.accelerator or "accelerator"
    devices = Fraction(usage.accelerators * usage.accelerator_share, 1000)
    for item, unit, rate, each in (
        (model, "accelerator-hour", tariff.accelerator_hour, devices),
        ("cpu", "cpu-hour", tariff.cpu_hour, Fraction(usage.cpus)),
        ("memory", "GiB-hour", tariff.gib_hour, Fraction(usage.memory_mib, MIB_PER_GIB)),
    ):
        quantity = hours * each
        if quantity:
            yield Line(item, quantity, unit, rate, Money.of(quantity * rate, tariff.currency), start, end)


def exact(number: Fraction) -> str:
    """ "0.25", or "1/3" where no decimal number is exact. Not negative."""
    left, places = number.denominator, 0
    while left % 10 == 0:
        left, places = left // 10, places + 1
    for factor in (2, 5):
        while left % factor == 0:
            left, places = left // factor, places + 1
    if left != 1:
        return f"{number.numerator}/{number.denominator}"
    whole, part = divmod(number.numerator * 10**places // number.denominator, 10**places)
    return f"{whole}.{part:0{places}}".rstrip("0").rstrip(".") if places else str(whole)
