"""Vouchers: public support that pays a share of what computing costs, never above any of its limits.

Each minor unit of cost is supported by one voucher at most, as one cost is paid under one clause: the first
voucher takes what its limits allow, the next what is left. A share is a floor over all that its voucher has
supported so far, and what of a minor unit is earned and not yet paid is carried on. So splitting a cost in
two changes nothing at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from baygrid.core.reasons import JSON
from baygrid.core.units import Money


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a voucher has supported so far, in minor units: of costs of `base` it has `paid`, and `carry` /
    (the rate's denominator) of a minor unit is earned besides."""

    base: int = 0
    paid: int = 0
    carry: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """`rate` of each cost (above 0, at most 1), up to `cap` in all, of costs of at most `contract` (None: of
    whatever comes), for usage that lies in [valid_from, valid_until): milliseconds since 1970, UTC."""

    rate: Fraction
    cap: Money
    contract: Money | None
    valid_from: int
    valid_until: int

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ValueError(f"a voucher pays a share of a cost, not {self.rate} times it")

    def cover(self, start: int, end: int) -> bool:
        """Whether usage from `start` to before `end` lies within the validity, all of it."""
        return self.valid_from <= start and end <= self.valid_until


@dataclass(frozen=True, slots=True)
class Voucher:
    """One voucher as a charge finds it. `pool`: shared with other vouchers."""

    id: str
    pool: str
    terms: Terms
    drawn: Drawn

    @property
    def used_up(self) -> bool:
        """Whatever its pool still has."""
        worth = self.terms.contract
        return self.drawn.paid >= self.terms.cap.minor or (
            worth is not None and self.drawn.base >= worth.minor
        )


@dataclass(frozen=True, slots=True)
class Share:
    """That a voucher pays `paid` minor units of a cost of `base`: with everything that this follows from."""

    voucher: str
    pool: str
    before: Drawn
    after: Drawn
    pool_left: int

    @property
    def base(self) -> int:
        return self.after.base - self.before.base

    @property
    def paid(self) -> int:
        return self.after.paid - self.before.paid

    def to_json(self) -> dict[str, JSON]:
        """`had` and `pool_left` are what it was drawn from."""
        had = {"base": self.before.base, "paid": self.before.paid, "carry": self.before.carry}
        return {
            "voucher": self.voucher,
            "pool": self.pool,
            "base": self.base,
            "paid": self.paid,
            "had": had,
            "pool_left": self.pool_left,
        }


def draw(terms: Terms, drawn: Drawn, amount: int, pool_left: int) -> Drawn:
    """What is drawn after it supported as much of a cost of `amount` minor units as its limits allow.

    Raises ValueError for a negative amount.
    """
    if amount < 0:
        raise ValueError(f"a voucher cannot support a cost of {amount}")
    limit = min(terms.cap.minor - drawn.paid, pool_left)
    if limit <= 0:
        return drawn
    part, whole = terms.rate.numerator, terms.rate.denominator
    base = amount if terms.contract is None else min(amount, terms.contract.minor - drawn.base)
    # The least cost whose share is the limit: as the rate is at most 1, the share grows by at most 1 with it.
    enough = -(-(limit * whole - drawn.carry) // part)
    if base >= enough:
        return Drawn(drawn.base + enough, drawn.paid + limit, 0)
    earned, carry = divmod(part * base + drawn.carry, whole)
    return Drawn(drawn.base + base, drawn.paid + earned, carry)


@dataclass(frozen=True, slots=True)
class Purse:
    """Vouchers that costs may draw on, and what is `left` of their pools."""

    vouchers: tuple[Voucher, ...] = ()
    left: Mapping[str, int] = field(default_factory=dict)

    def pay(
        self, amount: int, start: int, end: int, among: Collection[str] | None = None
    ) -> tuple[tuple[Share, ...], Purse]:
        """The shares of a cost of `amount` minor units for usage in [start, end), of the vouchers `among`
        these (None: of all); and the purse after it. What lapses first is used first, then what pays most."""
        shares: dict[str, Share] = {}
        left = dict(self.left)
        for it in sorted(self.vouchers, key=lambda it: (it.terms.valid_until, -it.terms.rate, it.id)):
            if (among is not None and it.id not in among) or not it.terms.cover(start, end):
                continue
            after = draw(it.terms, it.drawn, amount, left[it.pool])
            share = Share(it.id, it.pool, it.drawn, after, left[it.pool])
            if share.base:
                shares[it.id] = share
                amount -= share.base
                left[it.pool] -= share.paid
        spent = tuple(
            replace(it, drawn=shares[it.id].after) if it.id in shares else it for it in self.vouchers
        )
        return tuple(shares.values()), Purse(spent, left)
