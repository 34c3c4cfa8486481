"""What a month will have cost when it ends: a bound by what runs now, and what to expect by the last days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from baygrid.core.pricing.months import Month
from baygrid.core.units import Money

DAYS: Final = 7
SPAN_MS: Final = DAYS * 86_400_000
"""The stretch before now whose mean goes on, in what is expected."""


@dataclass(frozen=True, slots=True)
class Live:
    """An attempt that runs: what it has `cost` so far and what is held for it, minor units. Above its hold it
    costs its project nothing."""

    cost: int
    hold: int


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is still `held` for one, minor units: paid when its period ends, used or not. `end`: milliseconds
    since 1970, UTC."""

    held: int
    end: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """For the end of `month`, seen at `now`, with the figures that it rests on: what was `charged` in the
    month; what `running` attempts have cost and may `still` cost (the rest of their holds); what is held for
    commitments that end by the end of the month (`committed`) or later (in no sum); what was charged in the
    last `DAYS` days. `at_most` is the sum of the first four: more only by what starts later. In `expected`
    the mean of these days goes on to the end of the month; it is never less than what is charged and what
    runs has cost, or is committed."""

    month: Month
    now: int
    attempts: int
    charged: Money
    running: Money
    still: Money
    committed: Money
    committed_later: Money
    last_days: Money
    at_most: Money
    expected: Money


def forecast(
    now: int,
    charged: Money,
    live: Sequence[Live],
    last_days: Money,
    commitments: Sequence[Commitment] = (),
) -> Forecast:
    """`now` in milliseconds since 1970, UTC. Raises ValueError for a negative cost or hold."""
    if any(min(it.cost, it.hold) < 0 for it in live):
        raise ValueError("neither a cost nor a hold is negative")
    month, currency = Month.of(now), charged.currency
    running = Money(sum(min(it.cost, it.hold) for it in live), currency)
    still = Money(sum(it.hold - min(it.cost, it.hold) for it in live), currency)
    committed = Money(sum(it.held for it in commitments if it.end <= month.end), currency)
    later = Money(sum(it.held for it in commitments if it.end > month.end), currency)
    goes_on = Money.of(last_days.amount * Fraction(month.end - now, SPAN_MS), currency)
    return Forecast(
        month,
        now,
        len(live),
        charged,
        running,
        still,
        committed,
        later,
        last_days,
        charged + running + still + committed,
        charged + max(goes_on, running, committed),
    )
