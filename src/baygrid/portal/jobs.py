"""Jobs: the list; one with its stages, why it is there, its log, what it used and cost, and what it left."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.responses import HTMLResponse, Response

from baygrid.app import arrays, blobs, contents, events, explain, jobs, logs, used
from baygrid.app.access import Action, permit
from baygrid.app.arrays import ArrayView
from baygrid.app.explain import Table
from baygrid.app.jobs import JobView
from baygrid.app.logs import LogPart
from baygrid.app.once import Once
from baygrid.app.problems import NotFound, WrongState
from baygrid.app.submit import submit
from baygrid.core.jobs.lifecycle import JobState
from baygrid.portal import previews
from baygrid.portal.page import page, render
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit, go
from baygrid.ports.messages import Usage
from baygrid.ports.reader import Head
from baygrid.ports.records import Cursor, Event

PAGE: Final = 25
TAIL: Final = 64 * 1024
"""So much of a log's end is on the page; the rest is a download."""
EVENTS: Final = 500
SANDBOX: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing that happened. `until`: when the next did, None: it is the last."""

    at: int
    kind: str
    place: str
    until: int | None


def listed(visit: Visit) -> Response:
    platform, actor = visit.platform, visit.actor
    states = [
        JobState(it) for it in visit.request.query_params.getlist("state") if it in JobState.__members__
    ]
    array = visit.asked("array")
    views = jobs.page(
        platform, actor, project=None, states=states, before=visit.asked("before") or None, limit=PAGE + 1,
        array=array or "none",
    )  # fmt: skip
    sets: Sequence[ArrayView] = ()
    if array:
        sets = [arrays.array(platform, actor, array)]
    elif not states and not visit.asked("before"):
        sets = arrays.page(platform, actor, project=None, before=None, limit=PAGE)
    return page(
        visit, "jobs/list.html", views=views[:PAGE], arrays=sets, array=array, states=states,
        all_states=list(JobState), next=views[PAGE - 1].job.id if len(views) > PAGE else "",
    )  # fmt: skip


def show(visit: Visit) -> Response:
    platform, actor, id = visit.platform, visit.actor, visit.param("job")
    view = jobs.job(platform, actor, id)
    return page(
        visit, "jobs/job.html", **_live(visit, view), why=_why(visit, id), log=_log(visit, id),
        usage=_charts(used.of_job(platform, actor, id)), outputs=blobs.outputs(platform, actor, id),
    )  # fmt: skip


def live(visit: Visit) -> Response:
    """The part of a job's page that changes: its script asks for it when something has happened."""
    view = jobs.job(visit.platform, visit.actor, visit.param("job"))
    return HTMLResponse(
        render(visit, "jobs/live.html", **_live(visit, view)), headers={"Cache-Control": "no-store"}
    )


def _live(visit: Visit, view: JobView) -> dict[str, Any]:
    found = events.of_job(visit.platform, visit.actor, view.job.id, Cursor(), EVENTS).items
    cost = sum(view.cost.values())
    return {"view": view, "stages": _stages([event for _, event in found], view), "cost": cost}


def _stages(found: Sequence[Event], view: JobView) -> list[Stage]:
    shown = [it for it in found if it.kind not in ("job-judged", "attempt-fenced")]
    # What a job became is what its last attempt became: once is enough.
    shown = [
        it
        for it in shown
        if not (it.attempt and it.kind in ("attempt-succeeded", "attempt-failed", "attempt-cancelled"))
    ]
    places = {a.id: f"{a.centre}/{a.partition}" for a in view.attempts}
    ends = [it.at for it in shown[1:]] + [None if not view.job.state.final else 0]
    return [
        Stage(
            it.at, it.kind, places.get(it.attempt or "", "") if it.kind == "job-placed" else "", until or None
        )
        for it, until in zip(shown, ends, strict=True)
    ]


def _why(visit: Visit, id: str) -> Table | None:
    try:
        return explain.of_job(visit.platform, visit.actor, id)
    except WrongState:
        return None


def _log(visit: Visit, id: str) -> tuple[LogPart, str] | None:
    """The end of it, in whole characters."""
    try:
        first = logs.read(visit.platform, visit.actor, id, None, 0, 1)
        start = max(0, first.size - TAIL)
        part = logs.read(visit.platform, visit.actor, id, first.attempt or None, start, TAIL)
    except WrongState:
        return None
    return part, part.data.decode("utf-8", "replace")


def _charts(found: Sequence[Usage]) -> list[dict[str, Any]]:
    """By stretch of time: how much of what it had it used, in thousandths."""
    rows = []
    for it in found:
        had = (it.end - it.start) / 1000 * it.cpus * it.nodes
        rows.append(
            {
                "usage": it,
                "cpu": min(1000, round(1000 * it.cpu_seconds / had)) if had > 0 else 0,
                "memory": min(1000, round(1000 * it.peak_memory_mib / it.memory_mib)) if it.memory_mib else 0,
            }
        )
    return rows


def cancel(visit: Visit) -> Response:
    id = visit.param("job")
    try:
        jobs.cancel(visit.platform, visit.actor, id)
    except WrongState as problem:
        return go(visit, f"jobs/{id}", problem.detail)
    return go(visit, f"jobs/{id}", visit.say("It is being cancelled."))


def cancel_array(visit: Visit) -> Response:
    id = visit.param("array")
    try:
        arrays.cancel(visit.platform, visit.actor, id)
    except WrongState as problem:
        return go(visit, "jobs", problem.detail, array=id)
    return go(visit, "jobs", visit.say("It is being cancelled."), array=id)


def again(visit: Visit) -> Response:
    """The same job once more; twice the same button is one job."""
    old = jobs.job(visit.platform, visit.actor, visit.param("job")).job
    permit(visit.actor, Action.USE, project=old.project)
    key = visit.form.get("key")[:200] or visit.platform.ids.new("form", visit.now)
    done = submit(
        visit.platform, visit.actor, [old.spec], project=None,
        once=Once(key, hashlib.sha256(old.id.encode()).hexdigest()),
        render=lambda accepted: orjson.dumps({"id": accepted[0].id}).decode(),
    )  # fmt: skip
    id = orjson.loads(done.answer.body)["id"]
    return go(visit, f"jobs/{id}", visit.say("Submitted once more."))


def output(visit: Visit) -> Response:
    platform, actor, id, name = visit.platform, visit.actor, visit.param("job"), visit.param("name")
    view = jobs.job(platform, actor, id)
    found = contents.contents(platform, actor, id, name)

    def read(path: str) -> bytes:
        return contents.file(platform, actor, id, name, path)

    def begins(data: bytes, also: Sequence[str]) -> Head | None:
        return contents.rows(platform, data, also)

    shown = previews.of(found.entries, read, begins)
    return page(visit, "jobs/output.html", view=view, found=found, shown=shown)


def output_file(visit: Visit) -> Response:
    """One file of an output: pictures and sound to look at and hear, all else to keep. Whatever is in it, a
    browser is told to run nothing of it."""
    path = visit.asked("path")
    data = contents.file(visit.platform, visit.actor, visit.param("job"), visit.param("name"), path)
    kind = previews.media(path)
    headers = {"Content-Security-Policy": SANDBOX, "Cache-Control": "private, max-age=300"}
    if kind is None:
        headers["Content-Disposition"] = "attachment"
    return Response(data, media_type=kind or "application/octet-stream", headers=headers)


def log_whole(visit: Visit) -> Response:
    """For who has no scripts: the log alone, as text."""
    found = _log(visit, visit.param("job"))
    if found is None:
        raise NotFound("this job has no log")
    return Response(found[1], media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


PAGES = (
    Page("jobs", listed, here="jobs"),
    Page("jobs/{job}", show, here="jobs"),
    Page("jobs/{job}/live", live, here="jobs"),
    Page("jobs/{job}/log", log_whole, here="jobs"),
    Page("jobs/{job}/cancel", cancel, here="jobs", method="POST"),
    Page("jobs/{job}/again", again, here="jobs", method="POST"),
    Page("arrays/{array}/cancel", cancel_array, here="jobs", method="POST"),
    Page("jobs/{job}/outputs/{name}", output, here="jobs"),
    Page("jobs/{job}/outputs/{name}/file", output_file, here="jobs"),
)
