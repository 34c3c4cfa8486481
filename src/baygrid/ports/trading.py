"""What centres sell ahead and what projects bought of it, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from baygrid.core.pricing.contracts import UNIT_HOUR, Kind, Terms
from baygrid.core.units import Money, exact
from baygrid.ports.basics import Instant


@dataclass(frozen=True, slots=True)
class ListingRow:
    """`quantity` units of an offer, of which so many are `sold`; spot jobs have `taken` thousandths of a unit
    now. `closed_at`: when what was not sold returned to the centre."""

    terms: Terms
    centre: str
    quantity: int
    published_at: Instant
    published_by: str
    sold: int = 0
    taken: int = 0
    closed_at: Instant | None = None

    @property
    def id(self) -> str:
        return self.terms.listing

    @property
    def left(self) -> int:
        """Units that are not sold."""
        return self.quantity - self.sold


@dataclass(frozen=True, slots=True)
class Return:
    """What an attempt that is over gives back of a cover: `units` and `booked` as it took them, of which its
    usage `drew` so much and was charged `charged` minor units, held for the commitment."""

    of: str
    kind: Kind
    units: int
    booked: int
    drew: int = 0
    charged: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """A trade, or a spot listing (`project` None), whose account is open, and what of it is free: `units`
    thousandths of a unit and (None: no limit) `worth` of them times milliseconds. `size`: thousandths of a
    unit that it has, free or not."""

    of: str
    terms: Terms
    project: str | None
    units: int
    worth: int | None
    size: int


@dataclass(frozen=True, slots=True)
class TradeAmount:
    """What a project paid for a trade: when bought ("trade:ID"), or for what of a commitment was not used
    ("commitment:ID"). `key`: of the ledger's transaction; `what`: in words."""

    key: str
    what: str
    trade: str
    project: str
    centre: str
    at: Instant
    amount: Money


@dataclass(frozen=True, slots=True)
class TradeRow:
    """What `project` bought of a listing: `units`, and `worth` thousandths of a unit times milliseconds of
    them. `amount`: minor units that it cost (reserved) or costs in the end (committed), of which usage has
    `charged` so much. `nodes`: kept for the project in the period; none: only the price is.

    Attempts have `taken` thousandths of a unit now; `booked` is what of `worth` is kept for them, `drawn`
    what usage has used. `settled_at`: when its account was closed after its period."""

    id: str
    terms: Terms
    centre: str
    project: str
    units: int
    worth: int
    amount: int
    nodes: tuple[str, ...]
    bought_at: Instant
    bought_by: str
    taken: int = 0
    booked: int = 0
    drawn: int = 0
    charged: int = 0
    settled_at: Instant | None = None

    @property
    def held(self) -> int:
        """What of the project's money is held for it."""
        if self.terms.kind is not Kind.COMMITTED or self.settled_at is not None:
            return 0
        return self.amount - self.charged

    @property
    def hours(self) -> str:
        """Of a unit, exactly: "720", or "1/3"."""
        return exact(Fraction(self.worth, UNIT_HOUR))

    @property
    def purchase(self) -> TradeAmount | None:
        """What was paid when it was bought."""
        if self.terms.kind is not Kind.RESERVED or not self.amount:
            return None
        what = f"reserved {self.units} units of {self.terms.offer} for {self.hours} unit-hours"
        return self._paid("trade", what, self.bought_at, self.amount)

    @property
    def unused(self) -> TradeAmount | None:
        """What was paid at the end for what usage did not charge."""
        left = self.amount - self.charged
        if self.terms.kind is not Kind.COMMITTED or self.settled_at is None or not left:
            return None
        used = exact(Fraction(self.drawn, UNIT_HOUR))
        what = f"committed to {self.hours} unit-hours of {self.terms.offer}, used {used}"
        return self._paid("commitment", what, self.settled_at, left)

    def _paid(self, key: str, what: str, at: Instant, minor: int) -> TradeAmount:
        money = Money(minor, self.terms.currency)
        return TradeAmount(f"{key}:{self.id}", what, self.id, self.project, self.centre, at, money)


class Trading(Protocol):
    """Listings and trades. What is sold and taken is a conditional update: never above what there is."""

    def insert_listing(self, row: ListingRow) -> None: ...

    def listings(self) -> list[ListingRow]:
        """Newest first."""
        ...

    def listing(self, id: str) -> ListingRow | None: ...

    def sell(self, listing: str, units: int) -> bool:
        """False, and no change, where fewer are left or the listing is closed. Purchases come one after the
        other, and are part of what the region is: servers that know its version learn of them."""
        ...

    def close(self, listing: str, at: Instant) -> bool:
        """What is not sold returns. False where that was done before, or spot jobs have some of it."""
        ...

    def insert_trade(self, row: TradeRow) -> None: ...

    def trades(self, project: str | None = None) -> list[TradeRow]:
        """Newest first, of one project or of all."""
        ...

    def settle(self, trade: str, at: Instant) -> TradeRow | None:
        """The row as it now is; None where it was settled before, or attempts still have some of it."""
        ...

    def open(self) -> list[Open]:
        """By id."""
        ...

    def take(self, of: str, kind: Kind, units: int, worth: int) -> bool:
        """False, and no change, where so much is not free."""
        ...

    def give_back(self, returns: Sequence[Return]) -> None:
        """What was taken before. Rows in the order of their ids, so that nobody waits in a circle."""
        ...

    def due(self, now: Instant) -> tuple[list[ListingRow], list[TradeRow]]:
        """Listings and trades whose time is over and that nobody uses any more."""
        ...
