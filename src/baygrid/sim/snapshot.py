"""What the store says, as values: what the checker looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from baygrid.core.pricing.postings import Transaction
from baygrid.core.pricing.vouchers import Terms
from baygrid.ports.records import (
    ArrayRecord,
    AttemptRecord,
    CentreRecord,
    Cursor,
    Event,
    JobRecord,
    Offer,
    Project,
)
from baygrid.ports.store import Store, Tx
from baygrid.ports.usage import ChargeRow, UsageRow

MANY = 100_000


@dataclass(slots=True)
class Snapshot:
    """Jobs and attempts by id, attempts also by job; kept and renewed where events say that rows changed."""

    cursor: Cursor = field(default_factory=Cursor)
    jobs: dict[str, JobRecord] = field(default_factory=dict)
    arrays: dict[str, ArrayRecord] = field(default_factory=dict)
    attempts: dict[str, AttemptRecord] = field(default_factory=dict)
    charges: dict[str, list[ChargeRow]] = field(default_factory=dict)
    projects: Mapping[str, Project] = field(default_factory=dict)
    news: Sequence[Event] = ()

    def renew(self, store: Store) -> bool:
        """Reads what the new events are about. False: there are none."""

        def load(tx: Tx) -> bool:
            found = tx.events.after(self.cursor, MANY)
            if not found:
                return False
            self.cursor = found[-1][0]
            self.news = [event for _, event in found]
            touched = sorted({event.job for event in self.news if event.job is not None})
            self._take(tx, touched)
            self.projects = tx.region.projects()
            return True

        return store.read(load)

    def renew_all(self, store: Store) -> None:
        """Every row, whatever the events said."""
        store.read(lambda tx: self._take(tx, sorted(self.jobs)))

    def _take(self, tx: Tx, jobs: Sequence[str]) -> None:
        self.jobs |= tx.jobs.get(jobs)
        self.arrays |= tx.arrays.get(sorted({a for id in jobs if (a := self.jobs[id].array) is not None}))
        for attempt in tx.attempts.of_jobs(jobs):
            self.attempts[attempt.id] = attempt
        for job in jobs:
            self.charges[job] = []
        for charge in tx.money.charges_of(jobs):
            self.charges[charge.job].append(charge)


@dataclass(frozen=True, slots=True)
class Books:
    """All that is about money, and the region: read once, at the end."""

    transactions: Sequence[Transaction]
    balances: Mapping[tuple[str, str], int]
    usage: Sequence[UsageRow]
    offers: Mapping[str, Offer]
    centres: Mapping[str, CentreRecord]
    terms: Mapping[str, Terms]

    @classmethod
    def read(cls, store: Store, attempts: Sequence[str]) -> Books:
        return store.read(
            lambda tx: cls(
                tx.money.transactions(None, MANY),
                tx.money.balances(),
                tx.money.usage_of(attempts),
                {offer.id: offer for offer in tx.region.offers()},
                tx.region.centres(),
                {row.voucher.id: row.voucher.terms for row in tx.support.vouchers()},
            )
        )
