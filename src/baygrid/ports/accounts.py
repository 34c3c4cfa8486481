"""Accounts as rows: what projects may spend, and how they asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from baygrid.core.pricing.allocations import Allocation
from baygrid.core.pricing.applications import ApplicationState, Step
from baygrid.ports.basics import Instant


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """`made_by`: a token's id. `begun`: its amount is in what the project was granted. `warned`: for how many
    days before the end it was warned of last. `returns`: how many times some of it went back. `due`: when the
    leader is to look at it next. `application`: the one that it follows from."""

    allocation: Allocation
    made_at: Instant
    made_by: str
    begun: bool
    due: Instant | None
    warned: int | None = None
    returns: int = 0
    application: str | None = None


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """A team asks for `amount` minor units of `currency`, to be spent in [start, end). `renews`: an earlier
    allocation. `recommended` by who reviewed it, `approved` by who decided. `allocation`: what became of it.
    `version` counts its steps."""

    id: str
    project: str
    currency: str
    state: ApplicationState
    amount: int
    start: Instant
    end: Instant
    purpose: str
    renews: str | None = None
    recommended: int | None = None
    approved: int | None = None
    allocation: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class StepRow:
    """What was done with an application; never changed. `by`: a token's id. `amount`: what was asked for,
    recommended or approved. `words`: the purpose, the note, the reason."""

    application: str
    n: int
    step: Step
    at: Instant
    by: str
    amount: int | None
    words: str


class Accounts(Protocol):
    """Allocations, and applications for them."""

    def insert_allocation(self, row: AllocationRow) -> None:
        """Raises Exists."""
        ...

    def allocations(self, project: str | None = None) -> list[AllocationRow]:
        """By project and id."""
        ...

    def due_allocations(self, now: Instant, limit: int) -> list[AllocationRow]:
        """Longest due first."""
        ...

    def change_allocation(self, before: AllocationRow, after: AllocationRow) -> bool:
        """What the leader does to one. False, and no change, where it is not as `before` any more."""
        ...

    def spending(self, project: str, bounds: Sequence[Instant]) -> list[tuple[Instant, int]]:
        """What was charged to the project, minor units: from each of these moments (oldest first) to before
        the next, of the last to the end of time. What was paid back counts negative."""
        ...

    def insert_application(self, row: ApplicationRow) -> None:
        """Raises Exists."""
        ...

    def update_application(self, row: ApplicationRow) -> None:
        """Raises Conflict when its version is not the one that was read any more."""
        ...

    def application(self, id: str) -> ApplicationRow | None: ...

    def applications(self, project: str | None, before: str | None, limit: int) -> list[ApplicationRow]:
        """Newest first, beyond `before`."""
        ...

    def insert_step(self, row: StepRow) -> None:
        """Raises Exists."""
        ...

    def steps(self, application: str) -> list[StepRow]:
        """Oldest first."""
        ...
