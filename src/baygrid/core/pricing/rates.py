"""Rates that an operator sets, each with its source: taxes, the platform's fee, exchange rates.

None is ever guessed: where none is set the papers say so. A tax and a fee begin with a month, so that no
paper has two of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from baygrid.core.pricing.months import Month
from baygrid.core.units import Money

ALSO_IN: Final = {"CNY": "HKD", "HKD": "CNY", "JPY": "CNY"}
"""In which other currency an invoice tells its total, where a rate is known."""


class RateKind(StrEnum):
    TAX = "tax"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Rate:
    """`rate` of an amount (0.06 is 6 %), from the month `since` on until the next one begins. `name`: as
    papers call it. `source`: the law, notice or contract that it is from."""

    kind: RateKind
    name: str
    rate: Fraction
    since: Month
    source: str

    def of(self, amount: Money) -> Money:
        """Rounded once, half up to the minor unit."""
        return Money.of(self.rate * amount.amount, amount.currency)


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """On the day `on` one unit of `base` was `rate` units of `quote`."""

    base: str
    quote: str
    rate: Fraction
    on: date
    source: str

    def convert(self, amount: Money) -> Money:
        """Rounded once, half up to the minor unit. Raises ValueError for another currency than `base`."""
        if amount.currency != self.base:
            raise ValueError(f"a rate from {self.base} does not convert {amount}")
        return Money.of(amount.amount * self.rate, self.quote)

    @property
    def turned(self) -> ExchangeRate:
        """The same rate from the other side, exactly."""
        return ExchangeRate(self.quote, self.base, 1 / self.rate, self.on, self.source)


def in_force(rates: Iterable[Rate], kind: RateKind, month: Month) -> Rate | None:
    """The one that began last; `rates` in the order in which they were set: of two that begin together the
    later one corrects the earlier."""
    begun = [rate for rate in rates if rate.kind is kind and rate.since <= month]
    return max(reversed(begun), key=lambda rate: rate.since, default=None)


def also_in(rates: Iterable[ExchangeRate], currency: str, month: Month) -> ExchangeRate | None:
    """From `currency` into that of `ALSO_IN`: the last day's within this month, since an older one is no
    longer true. A rate that was told the other way round is turned where there is none this way. `rates` in
    the order in which they were set: of one day the last one counts."""
    other = ALSO_IN.get(currency)
    lately = [rate for rate in rates if month.first_day <= rate.on <= month.last_day]
    straight = [rate for rate in lately if (rate.base, rate.quote) == (currency, other)]
    turned = [rate.turned for rate in lately if (rate.quote, rate.base) == (currency, other)]
    return max(reversed(straight or turned), key=lambda rate: rate.on, default=None)
