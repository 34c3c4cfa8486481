"""What waits: its place in the line, who holds what it needs, and when it will probably begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from baygrid.app import explain, jobs
from baygrid.app.explain import Table
from baygrid.app.jobs import JobView
from baygrid.core.jobs.lifecycle import JobState
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit

EXPLAINED: Final = 20
"""Of so many the place in the line is asked."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`why` None: it began just now."""

    view: JobView
    why: Table | None

    @property
    def facts(self) -> Mapping[str, Any]:
        return self.why.facts if self.why else {}


def queue(visit: Visit) -> Response:
    platform, actor = visit.platform, visit.actor
    limit = EXPLAINED + 1
    states = [JobState.QUEUED, JobState.HELD]
    views = jobs.page(
        platform, actor, project=None, states=states, before=visit.asked("before") or None, limit=limit
    )
    running = jobs.page(platform, actor, project=None, states=[JobState.ACTIVE], before=None, limit=limit)
    views, more = views[:EXPLAINED], len(views) > EXPLAINED
    why = explain.of_waiting(platform, actor, [view.job.id for view in views])
    rows = [Waiting(view, why.get(view.job.id)) for view in views]
    rows.sort(key=lambda it: it.facts.get("position") or 1 << 30)
    return page(
        visit, "queue/queue.html", rows=rows, running=running[:EXPLAINED],
        next=views[-1].job.id if more else "",
    )  # fmt: skip


PAGES = (Page("queue", queue, here="queue"),)
