"""The store's part of money: balances, the ledger, and what it follows from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from baygrid.core.pricing.postings import Transaction
from baygrid.ports.basics import Instant
from baygrid.ports.usage import ChargeRow, UsageRow


class Money(Protocol):
    """Balances and the double-entry ledger, in minor units."""

    def move(
        self, project: str, *, at: Instant = 0, granted: int = 0, held: int = 0, charged: int = 0
    ) -> bool:
        """One conditional update; False and no change when free money would become negative, or when more
        would be held or charged than a hard budget allows in the month of `at` (0: in the last that is
        known). Raises KeyError when there is no such project."""
        ...

    def lock(self, project: str) -> None:
        """Nobody else changes its balances before this transaction has ended. Raises KeyError when there is
        no such project."""
        ...

    def post(self, transactions: Sequence[Transaction]) -> None:
        """Raises Exists when a key is already there. What comes for a month that is closed is posted at the
        beginning of the open one, and no month is closed while this transaction posts into it; the same for
        charges."""
        ...

    def insert_usage(self, rows: Sequence[UsageRow]) -> None:
        """A record that is already there stays as it is."""
        ...

    def insert_charges(self, rows: Sequence[ChargeRow]) -> None:
        """Raises Exists when (attempt, n) is already charged."""
        ...

    def usage_of(self, attempts: Sequence[str]) -> list[UsageRow]:
        """By job, attempt, n."""
        ...

    def usage_at(self, centre: str, start: Instant, end: Instant) -> list[UsageRow]:
        """Of one centre, of stretches that ended in [start, end), as they came in."""
        ...

    def charges(self, project: str, start: Instant, end: Instant) -> list[ChargeRow]:
        """Posted in [start, end), in the order of posting."""
        ...

    def all_charges(self, start: Instant, end: Instant) -> list[ChargeRow]:
        """Of every project, as `charges`."""
        ...

    def charges_of(self, jobs: Sequence[str]) -> list[ChargeRow]: ...

    def transactions(self, after: str | None, limit: int) -> list[Transaction]:
        """By id."""
        ...

    def opened(self, times: Iterable[Instant]) -> Mapping[Instant, Instant]:
        """Each of these, or the beginning of the open month where its own is closed: as `post` would date it.
        No month of them is closed before this transaction ends."""
        ...

    def transaction(self, key: str) -> Transaction | None: ...

    def movements(self, accounts: Sequence[str], start: Instant, end: Instant) -> list[Transaction]:
        """Those of [start, end) that post to any of these accounts; by time and id."""
        ...

    def other_income(self, start: Instant, end: Instant) -> list[Transaction]:
        """Those of [start, end) that earn by something else than computing; by time and id."""
        ...

    def oldest(self) -> Instant | None:
        """When the first transaction or charge was posted; None: none was."""
        ...

    def standing(self, accounts: Sequence[str], before: Instant) -> dict[tuple[str, str], int]:
        """As `balances`, of these accounts, of what was posted before this moment."""
        ...

    def balances(self) -> dict[tuple[str, str], int]:
        """(account, currency) -> sum of its postings."""
        ...
