"""Arrays of jobs, as their owner sees them and may cancel them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit, visible
from baygrid.app.changes import Changes
from baygrid.app.jobs import cancel_in
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, WrongState
from baygrid.app.releases import settle
from baygrid.core.jobs.lifecycle import JobState
from baygrid.ports.records import ArrayRecord
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class ArrayView:
    """An array and how many of its elements are in which state."""

    array: ArrayRecord
    states: Mapping[JobState, int]

    @classmethod
    def new(cls, row: ArrayRecord) -> ArrayView:
        """As it is when it was just accepted."""
        queued = 0 if row.waits_for else row.parallel
        states = {JobState.QUEUED: queued, JobState.HELD: row.size - queued}
        return cls(row, {state: count for state, count in states.items() if count})

    @property
    def state(self) -> JobState:
        """Of all of them together: final when the last one is."""
        if self.array.left == 0:
            worst = (JobState.FAILED, JobState.CANCELLED, JobState.SUCCEEDED)
            return next(state for state in worst if self.states.get(state))
        best = (JobState.ACTIVE, JobState.QUEUED)
        return next((state for state in best if self.states.get(state)), JobState.HELD)


def array(platform: Platform, actor: Actor, id: str) -> ArrayView:
    return platform.store.read(lambda tx: _view(tx, find_array(tx, actor, Action.READ, id)))


def page(
    platform: Platform, actor: Actor, *, project: str | None, before: str | None, limit: int
) -> list[ArrayView]:
    """Newest first. A team sees its own project, an operator any or all."""
    project = project or actor.project
    permit(actor, Action.READ, project=project)
    return platform.store.read(lambda tx: [_view(tx, row) for row in tx.arrays.page(project, before, limit)])


def cancel(platform: Platform, actor: Actor, id: str) -> ArrayView:
    """Every element that has not ended. Raises WrongState when all have."""
    now = platform.clock()

    def apply(tx: Tx) -> ArrayView:
        record = find_array(tx, actor, Action.USE, id)
        elements = tx.jobs.open_in(id)
        if not elements:
            raise WrongState(f"array {id!r} has already ended")
        changes = Changes()
        cancel_in(tx, changes, elements, now)
        changes.apply(tx)
        settle(tx, changes.jobs, changes.freed, now)
        return _view(tx, tx.arrays.get([id])[record.id])

    return platform.store.write(apply)


def find_array(tx: Tx, actor: Actor, action: Action, id: str) -> ArrayRecord:
    """Raises NotFound, also for another project's."""
    record = tx.arrays.get([id]).get(id)
    if record is None:
        permit(actor, action, project=actor.project)
        raise NotFound(f"there is no array {id!r}")
    visible(actor, action, record.project, "array", id)
    return record


def _view(tx: Tx, row: ArrayRecord) -> ArrayView:
    states: dict[JobState, int] = {}
    for (state, _), count in tx.jobs.count_in(row.id).items():
        states[state] = states.get(state, 0) + count
    return ArrayView(row, states)
