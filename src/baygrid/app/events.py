"""The event stream of a job, a project or the whole region."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.jobs import find_job
from baygrid.app.platform import Platform
from baygrid.ports.records import Cursor, Event, JobRecord, Role
from baygrid.ports.store import Tx

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Events:
    """`ended`: the job is final and these are its last events, so a stream may close."""

    items: list[tuple[Cursor, Event]]
    ended: bool


def of_job(platform: Platform, actor: Actor, job: str, after: Cursor, limit: int) -> Events:
    """What happened to one job after `after`."""

    def load(tx: Tx) -> Events:
        record = find_job(tx, actor, Action.READ, job)
        items = tx.events.after(after, limit, job=job)
        return Events(items, record.state.final and len(items) < limit and _told(tx, record))

    return platform.store.read(load)


def _told(tx: Tx, record: JobRecord) -> bool:
    """Whether the job's final event can be read already: on PostgreSQL that may be a moment after its
    state."""
    final = f"job-{record.state.value.lower()}"
    found = tx.events.after(Cursor(), PAGE, job=record.id)
    while found:
        if any(event.kind == final for _, event in found):
            return True
        found = tx.events.after(found[-1][0], PAGE, job=record.id) if len(found) == PAGE else []
    return False


def of_project(platform: Platform, actor: Actor, project: str | None, after: Cursor, limit: int) -> Events:
    """What happened in a project; for an operator without a project, in the region."""
    project = project or (actor.project if actor.role is Role.TEAM else None)
    permit(actor, Action.READ, project=project)
    return Events(platform.store.read(lambda tx: tx.events.after(after, limit, project=project)), ended=False)
