"""The store's part of jobs: jobs, arrays, their attempts, and where the logs of attempts lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from baygrid.core.jobs.lifecycle import JobState
from baygrid.ports.basics import Instant
from baygrid.ports.records import ArrayRecord, AttemptRecord, Held, JobRecord


@dataclass(frozen=True, slots=True)
class Unended:
    """So many jobs that have not ended are in this state for this cause; `oldest`: when the first of them was
    submitted."""

    state: JobState
    cause: str | None
    number: int
    oldest: Instant


class Jobs(Protocol):
    def insert(self, rows: Sequence[JobRecord]) -> None: ...

    def get(self, ids: Sequence[str]) -> dict[str, JobRecord]: ...

    def update(self, rows: Sequence[JobRecord]) -> None:
        """Writes each row as version + 1 where it still has `version`; raises Conflict if one has not."""
        ...

    def lock(self, ids: Sequence[str]) -> dict[str, JobRecord]:
        """As `get`; nobody else can change these rows before this transaction has ended."""
        ...

    def waiters(self, ids: Sequence[str]) -> list[str]:
        """Jobs and arrays that wait, or waited, for any of these jobs or arrays, by id."""
        ...

    def short_of_money(self, project: str, at: Instant, limit: int) -> list[JobRecord]:
        """HELD for money, and each asks for no more than the project has free and a hard budget allows in the
        month of `at`; by id."""
        ...

    def open_in(self, array: str) -> list[JobRecord]:
        """The array's elements that have not ended, by id."""
        ...

    def held_in(self, array: str, because: Held, limit: int) -> list[JobRecord]:
        """The array's first elements, by id, that are HELD for this."""
        ...

    def rested(self, now: Instant, limit: int) -> list[JobRecord]:
        """HELD to back off until now or earlier, those whose time came first."""
        ...

    def busy_in(self, array: str) -> int:
        """How many of the array's elements are QUEUED, ACTIVE, or HELD for more than their turn."""
        ...

    def count_in(self, array: str) -> dict[tuple[JobState, str | None], int]:
        """The array's elements by state and cause."""
        ...

    def page(
        self,
        project: str | None,
        states: Sequence[JobState],
        before: str | None,
        limit: int,
        array: str | None = None,
    ) -> list[JobRecord]:
        """Newest first, ids smaller than `before`. `array`: its elements; "none": jobs that are none."""
        ...

    def queued(self, after: str | None, limit: int) -> list[JobRecord]:
        """State QUEUED, by id (oldest first), ids greater than `after`."""
        ...

    def with_datasets(self, after: str, limit: int) -> list[JobRecord]:
        """Those that wait and take in datasets, by id, ids greater than `after`."""
        ...

    def count_by_state(self) -> dict[JobState, int]: ...

    def unended(self) -> list[Unended]: ...


class Arrays(Protocol):
    def insert(self, rows: Sequence[ArrayRecord]) -> None: ...

    def get(self, ids: Sequence[str]) -> dict[str, ArrayRecord]: ...

    def lock(self, ids: Sequence[str]) -> dict[str, ArrayRecord]:
        """As Jobs.lock."""
        ...

    def page(self, project: str | None, before: str | None, limit: int) -> list[ArrayRecord]:
        """As Jobs.page."""
        ...

    def update(self, row: ArrayRecord) -> None:
        """Writes `waits_for`, as Jobs.update does."""
        ...

    def count_down(self, id: str, ended: int, failed: int) -> ArrayRecord:
        """So many elements have ended, so many of them without success. Returns the new row, which stays
        locked."""
        ...


class Attempts(Protocol):
    def insert(self, rows: Sequence[AttemptRecord]) -> None: ...

    def get(self, ids: Sequence[str]) -> dict[str, AttemptRecord]: ...

    def update(self, rows: Sequence[AttemptRecord]) -> None:
        """As Jobs.update; never touches `log_size`."""
        ...

    def of_jobs(self, jobs: Sequence[str]) -> list[AttemptRecord]:
        """By job and n."""
        ...

    def wanted(self, centre: str, after_gen: int) -> list[AttemptRecord]:
        """`want` is not NOTHING and `gen` > after_gen, by gen and id."""
        ...

    def live(self) -> list[AttemptRecord]:
        """Not final, or still to be stopped (`want` is not NOTHING): the leader's image and `lost_after`."""
        ...

    def at(self, centre: str, before: str | None, limit: int) -> list[AttemptRecord]:
        """Those of a centre, the newest first, ids smaller than `before`."""
        ...

    def broken(self, project: str, start: Instant, end: Instant) -> list[AttemptRecord]:
        """Those of a project that were LOST or interrupted, and ended in [start, end), by that and id."""
        ...

    def ended(self, since: Instant, most: int) -> list[AttemptRecord]:
        """Those that ran and ended at `since` or later, by id; of more than `most` the newest."""
        ...


class Logs(Protocol):
    """Which stretches of an attempt's log the object store holds (key: `log_key`)."""

    def extend(self, attempt: str, offset: int, size: int) -> int:
        """Adds the stretch if the log now ends at `offset`; returns where the log ends after this call."""
        ...

    def chunks(self, attempt: str, offset: int) -> list[tuple[int, int]]:
        """(offset, size) of the stretches that reach beyond `offset`, in order."""
        ...
