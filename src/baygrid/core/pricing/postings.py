"""Values of the double-entry ledger. Debits are positive, credits negative; a transaction sums to zero per
currency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from baygrid.core.pricing.accounts import (
    BANK,
    GRANTS,
    OVERRUN,
    income_account,
    project_account,
    support_account,
    trading_account,
)
from baygrid.core.pricing.allocations import Source
from baygrid.core.units import Money

NOTHING: Final[Mapping[str, Money]] = MappingProxyType({})


class Unbalanced(ValueError):
    """Debits and credits differ."""


@dataclass(frozen=True, slots=True)
class Posting:
    account: str
    money: Money


@dataclass(frozen=True, slots=True)
class Transaction:
    """`at`: milliseconds since 1970, UTC. `key`: what is posted once ("charge:att-1:0"). `sources`: the usage
    records (or the decision) that it comes from. Raises Unbalanced."""

    id: str
    key: str
    at: int
    narration: str
    postings: tuple[Posting, ...]
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        over = {currency: minor for currency, minor in balance(self.postings).items() if minor}
        if over:
            raise Unbalanced(f"transaction {self.id} does not balance: {over} minor units are left")


def balance(postings: Iterable[Posting]) -> dict[str, int]:
    """The sum of the postings in minor units, by currency."""
    sums: Counter[str] = Counter()
    for posting in postings:
        sums[posting.money.currency] += posting.money.minor
    return dict(sums)


def grant_postings(project: str, money: Money) -> tuple[Posting, ...]:
    """The project may use so much more (less, where negative)."""
    return nonzero(Posting(GRANTS, money), Posting(project_account(project), -money))


def allocation_postings(project: str, source: Source, money: Money) -> tuple[Posting, ...]:
    """The project may use so much more (less, where negative) of an allocation. None for credit: nobody has
    given anything until it is used."""
    if source is Source.CREDIT:
        return ()
    if source is Source.PAYMENT:
        return nonzero(Posting(BANK, money), Posting(project_account(project), -money))
    return grant_postings(project, money)


def charge_postings(
    project: str, centre: str, amount: Money, overrun: Money, shares: Mapping[str, Money] = NOTHING
) -> tuple[Posting, ...]:
    """The centre earns all of it; the project pays `amount`, the platform `overrun`, what lay above the hold,
    and the pools of vouchers their `shares`.

    Raises ValueError for a negative one, CurrencyMismatch for two currencies.
    """
    supported = sum(shares.values(), Money.zero(amount.currency))
    if min(amount.minor, overrun.minor, *(share.minor for share in shares.values())) < 0:
        raise ValueError(f"a charge cannot be negative: {amount}, overrun {overrun}, vouchers {supported}")
    return nonzero(
        Posting(project_account(project), amount),
        *(Posting(support_account(pool), share) for pool, share in sorted(shares.items())),
        Posting(OVERRUN, overrun),
        Posting(income_account(centre), -(amount + overrun + supported)),
    )


def trade_postings(project: str, centre: str, amount: Money) -> tuple[Posting, ...]:
    """The project pays the centre for what it bought ahead. Raises ValueError for a negative amount."""
    if amount.minor < 0:
        raise ValueError(f"a trade cannot cost {amount}")
    return nonzero(Posting(project_account(project), amount), Posting(trading_account(centre), -amount))


def nonzero(*postings: Posting) -> tuple[Posting, ...]:
    """Those that move anything."""
    return tuple(posting for posting in postings if posting.money.minor)
