"""The first page, by role: what one does next, and how one's things stand."""

from __future__ import annotations

from starlette.responses import Response

from baygrid.app import arrays, jobs, projects
from baygrid.app.arrays import ArrayView
from baygrid.app.capacity import rooms
from baygrid.app.health import standing
from baygrid.app.jobs import JobView
from baygrid.core.jobs.lifecycle import JobState
from baygrid.portal.centre import looking, settled
from baygrid.portal.navigation import operators
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit
from baygrid.ports.records import Role

RECENT = 6
OPEN = (JobState.HELD, JobState.QUEUED, JobState.ACTIVE)
MOST = 200


def home(visit: Visit) -> Response:
    if visit.actor.role is Role.TEAM:
        return _team(visit)
    if visit.actor.role is Role.CENTRE and visit.actor.centre:
        return _centre(visit, visit.actor.centre)
    it = standing(visit.platform, visit.actor) if operators(visit.actor) else None
    return page(visit, "home/region.html", rooms=rooms(visit.platform, visit.actor), it=it)


def _team(visit: Visit) -> Response:
    platform, actor = visit.platform, visit.actor
    (project,) = projects.projects(platform, actor)
    alone = jobs.page(platform, actor, project=None, states=[], before=None, limit=RECENT, array="none")
    sets = arrays.page(platform, actor, project=None, before=None, limit=RECENT)
    both: list[JobView | ArrayView] = [*alone, *sets]
    recent = sorted(both, key=_submitted, reverse=True)[:RECENT]
    current = jobs.page(platform, actor, project=None, states=OPEN, before=None, limit=MOST)
    return page(
        visit, "home/team.html", project=project, recent=recent, rooms=rooms(platform, actor),
        going={state: sum(view.job.state is state for view in current) for state in OPEN}, most=MOST,
    )  # fmt: skip


def _centre(visit: Visit, name: str) -> Response:
    paid = settled.newest(visit, name)
    return page(
        visit, "home/centre.html", **looking.standing(visit, name), settlement=paid[0] if paid else None,
        recent=RECENT,
    )  # fmt: skip


def _submitted(view: JobView | ArrayView) -> int:
    return view.job.submitted_at if isinstance(view, JobView) else view.array.submitted_at


PAGES = (Page("", home, here="home"),)
