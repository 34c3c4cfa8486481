"""What a use case decided, gathered first and written together: a few statements instead of a few a job."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from baygrid.core.pricing.postings import Transaction
from baygrid.ports.records import AttemptRecord, ChargeRow, Event, JobRecord, UsageRow
from baygrid.ports.store import Tx


@dataclass(slots=True)
class Changes:
    """New rows of jobs and attempts that were read in this transaction, and what is added with them.
    `held` and `charged`: by project, minor units, may be negative."""

    jobs: list[JobRecord] = field(default_factory=list)
    attempts: list[AttemptRecord] = field(default_factory=list)
    usage: list[UsageRow] = field(default_factory=list)
    charges: list[ChargeRow] = field(default_factory=list)
    ledger: list[Transaction] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    charged: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def apply(self, tx: Tx) -> None:
        """Writes everything. Projects in the order of their names, so that two servers never wait for each
        other in a circle."""
        if self.attempts:
            tx.attempts.update(self.attempts)
        if self.jobs:
            tx.jobs.update(self.jobs)
        if self.usage:
            tx.money.insert_usage(self.usage)
        if self.charges:
            tx.money.insert_charges(self.charges)
        if self.ledger:
            tx.money.post(self.ledger)
        for project in sorted({*self.held, *self.charged}):
            held, charged = self.held[project], self.charged[project]
            if (held or charged) and not tx.money.move(project, held=held, charged=charged):
                raise AssertionError(f"a charge of {project!r} does not fit its holds ({held}, {charged})")
        if self.events:
            tx.events.append(self.events)
