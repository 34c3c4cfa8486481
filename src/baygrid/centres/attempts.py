"""The attempts that an agent was asked for, each in its phase; what of them must be durable, and what is due.

What a step finds out is written with one fsync, before any report can carry it. Whoever moves has news for
the server: the reporter is told.
"""

from __future__ import annotations

from collections.abc import Iterable

from baygrid.centres.journal import Entry, Journal
from baygrid.centres.remembered import Memory, Phase, Remembered, final_entry
from baygrid.centres.reports import TOGETHER_MS, Reporter, clean, final_report
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation

COMPACT_AFTER = 20_000


class Attempts:
    """`memory` as the journal has it. `stops`: those whose stop the centre has yet to be told."""

    def __init__(self, memory: Memory, journal: Journal, reporter: Reporter, now: Instant) -> None:
        self.memory = memory
        self.phases: dict[Phase, dict[str, Remembered]] = {phase: {} for phase in Phase}
        self.stops: dict[str, Remembered] = {}
        self.again_at: Instant | None = now
        self._soon: Instant = now  # when what is not an end is told, at the latest
        self._journal, self._reporter = journal, reporter
        self._batch: list[Entry] = []  # must be durable before the next report
        self._lazy: list[Entry] = []  # harmless to lose: goes with the next batch
        for kept in memory.attempts.values():
            self._index(kept)

    def get(self, attempt: str) -> Remembered | None:
        return self.memory.attempts.get(attempt)

    def begin(self, now: Instant) -> None:
        """A step: nothing is due after it but what it finds."""
        self.again_at = None
        self._soon = now + TOGETHER_MS

    # Who is where

    def add(self, kept: Remembered) -> None:
        self.memory.attempts[kept.order.attempt] = kept
        self._index(kept)

    def _index(self, kept: Remembered) -> None:
        self.phases[kept.phase][kept.order.attempt] = kept
        if kept.stop is not None and kept.final is None:
            self.stops[kept.order.attempt] = kept

    def enter(self, kept: Remembered, phase: Phase) -> None:
        if phase is not kept.phase:
            del self.phases[kept.phase][kept.order.attempt]
            kept.phase, kept.busy, kept.retry_at, kept.tries = phase, False, 0, 0
            self.phases[phase][kept.order.attempt] = kept
        self._reporter.note(kept.order.attempt, 0 if phase is Phase.FINAL else self._soon)

    def finish(self, kept: Remembered, seen: Observation, now: Instant) -> None:
        """Final. It is journaled with this step's batch, before any report can carry it."""
        kept.final = final_report(kept, seen, now)
        kept.log_at = now
        self._batch.append(final_entry(kept.final))
        self.enter(kept, Phase.FINAL)
        self.wake(now)

    def close(self, kept: Remembered, now: Instant) -> None:
        """Both sides are done. Its id stays known, so that a late order does not start it again."""
        self.remove(kept)
        self.memory.closed[kept.order.attempt] = now
        self.lazily([{"t": "closed", "at": [(kept.order.attempt, now)]}])

    def remove(self, kept: Remembered) -> None:
        attempt = kept.order.attempt
        del self.memory.attempts[attempt]
        del self.phases[kept.phase][attempt]
        self.stops.pop(attempt, None)
        self._reporter.drop(attempt)

    def with_log(self) -> Iterable[Remembered]:
        for phase in (Phase.FINAL, Phase.PUBLISH, Phase.ORDERED):
            yield from self.phases[phase].values()

    # Whose turn it is

    def due(self, phase: Phase, now: Instant) -> list[Remembered]:
        """Attempts in `phase` whose turn it is, marked busy, since they are handed out."""
        found = [
            kept
            for kept in self.phases[phase].values()
            if not kept.busy and kept.retry_at <= now and (kept.stop is None or phase is Phase.PUBLISH)
        ]
        for kept in found:
            kept.busy = True
        return found

    def later(self, kept: Remembered, trouble: str, now: Instant) -> None:
        kept.try_later(clean(trouble), now)
        self.wake(kept.retry_at)

    def wake(self, at: Instant) -> None:
        self.again_at = at if self.again_at is None else min(self.again_at, at)

    # What is written

    def write(self, entries: list[Entry]) -> None:
        """Durable when it returns."""
        if entries:
            lazy, self._lazy = self._lazy, []
            self._journal.append([*lazy, *entries])

    def lazily(self, entries: list[Entry]) -> None:
        """With whatever is written next."""
        self._lazy += entries

    def before_report(self, entry: Entry) -> None:
        """With this step's batch."""
        self._batch.append(entry)

    def flush(self) -> None:
        batch, self._batch = self._batch, []
        self.write(batch)

    def compact(self, now: Instant) -> None:
        """Where the journal has become much longer than what it says."""
        if self._journal.appended > COMPACT_AFTER + 4 * len(self.memory.attempts):
            self.rewrite(now)

    def rewrite(self, now: Instant) -> None:
        self._lazy = []
        self._journal.rewrite(list(self.memory.dump(now)))
