"""What papers are made of: posted charges, and what else a project paid for.

A paper is a document of texts and whole numbers, so that it stays the same wherever it is read: money is text
such as "12.34 CNY", instants are milliseconds since 1970, UTC, fractions are exact texts ("1/3"). Shares of
vouchers stay as `vouchers.Share.to_json` has them, in minor units: what they follow from is computed with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from baygrid.core.pricing.months import Month
from baygrid.core.reasons import JSON
from baygrid.core.units import Money

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Posted:
    """A charge as it was posted, in minor units of `currency`: `amount` the project pays, `overrun` the
    platform, `supported` vouchers by their `shares`. `lines`: as by `charge.Line.to_json`."""

    project: str
    job: str
    job_name: str
    attempt: str
    n: int
    centre: str
    offer: str
    at: int
    currency: str
    lines: Sequence[Mapping[str, JSON]]
    amount: int
    overrun: int
    supported: int
    shares: Sequence[Mapping[str, JSON]]

    @property
    def total(self) -> int:
        """What the centre earns."""
        return self.amount + self.overrun + self.supported

    @property
    def order(self) -> tuple[int, str, int]:
        return (self.at, self.attempt, self.n)

    def money(self, minor: int) -> str:
        return str(Money(minor, self.currency))


@dataclass(frozen=True, slots=True)
class Other:
    """What a project pays a centre for that no usage record tells of: a trade, storage. Less than nothing
    where it gets money back. `key`: of its transaction in the ledger."""

    what: str
    at: int
    amount: Money
    key: str
    project: str
    centre: str

    def to_json(self) -> dict[str, JSON]:
        """As the project that paid is shown it."""
        return {"what": self.what, "at": self.at, "amount": str(self.amount), "key": self.key}


def number(month: Month, place: int) -> str:
    """Of the paper of one kind at this place (from 1) in its month: "2026-11-0001"."""
    return f"{month}-{place:04d}"


def one_currency(charges: Sequence[Posted], currency: str) -> None:
    """Raises ValueError unless all are in this currency."""
    for it in charges:
        if it.currency != currency:
            raise ValueError(f"a paper in {currency} has a charge in {it.currency}: {it.attempt} {it.n}")
