"""Jobs: submit, list, look, cancel, explain, and what they left behind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from baygrid.api import job_schemas, paging, render, render_jobs, schemas
from baygrid.api.edge import (
    Caller,
    Json,
    RenderedJson,
    Route,
    Server,
    parse_json,
    read_body,
    read_json,
    server_of,
)
from baygrid.app import blobs, explain, jobs
from baygrid.app.access import Actor
from baygrid.app.admission import Accepted
from baygrid.app.arrays import ArrayView
from baygrid.app.jobs import JobView
from baygrid.app.once import Once
from baygrid.app.problems import Invalid
from baygrid.app.submit import submit
from baygrid.core.jobs.lifecycle import JobState
from baygrid.ports.records import ArrayRecord

router = APIRouter(route_class=Route, tags=["jobs"])
MAX_KEY = 200
NOTICE = "Baygrid-Notice"
"""The header of an answer in which people are told of their project's budget."""

IdempotencyKey = Annotated[
    str | None,
    Header(description="a repeated request with the same key and body gets the first answer again"),
]


_Submitted = job_schemas.Job | job_schemas.Array | schemas.Listing[job_schemas.SubmittedJob]


@router.post("/v1/jobs", status_code=201, response_model=_Submitted)
async def submit_jobs(request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """One job file, or `{"jobs": [...]}` with up to a thousand: all of them or none. A job file with `array`
    is answered with its array."""
    server, authorization = server_of(request), request.headers.get("authorization")
    actor = server.sessions.known(authorization)
    body = await read_body(request)
    # The event loop has done its part: all else is one visit to a thread.
    return await run_in_threadpool(_submit, server, actor, authorization, idempotency_key, body)


def _submit(
    server: Server, actor: Actor | None, authorization: str | None, key: str | None, body: bytes
) -> Response:
    actor = actor or server.sessions.authenticate(authorization)
    documents, project, batch = _documents(parse_json(body))
    done = submit(
        server.platform,
        actor,
        documents,
        project=project,
        once=once(key, body),
        render=_render_batch if batch else _render_one,
    )
    headers = {"Idempotency-Replayed": "true"} if done.replayed else {}
    if done.notice:
        headers[NOTICE] = done.notice
    return RenderedJson(done.answer.body, done.answer.status, headers)


def once(key: str | None, *said: object) -> Once | None:
    """Of a request that says this, in its address and its body; None: it has no key. Raises Invalid."""
    if key is None:
        return None
    if not (0 < len(key) <= MAX_KEY and key.isprintable()):
        raise Invalid.at("Idempotency-Key", f"must have 1 to {MAX_KEY} printable characters")
    return Once(key, hashlib.sha256(repr(said).encode()).hexdigest())


def _documents(document: Any) -> tuple[Sequence[Mapping[str, Any]], str | None, bool]:
    """The job files in a body, the project named beside them, and whether it is a batch."""
    if not isinstance(document, dict):
        raise Invalid.at("", 'must be a job file as a JSON object, or {"jobs": [...]}')
    if "jobs" not in document:
        return [document], None, False
    documents, project = document["jobs"], document.get("project")
    strange = [name for name in document if name not in ("jobs", "project")]
    if strange:
        raise Invalid.at(strange[0], "a batch has only the fields jobs and project")
    if not isinstance(documents, list):
        raise Invalid.at("jobs", "must be a list of job files")
    if project is not None and not isinstance(project, str):
        raise Invalid.at("project", "must be the name of a project")
    return documents, project, True


def _render_one(accepted: Sequence[Accepted]) -> str:
    (row,) = accepted
    if isinstance(row, ArrayRecord):
        return orjson.dumps(render_jobs.array(ArrayView.new(row))).decode()
    return orjson.dumps(render_jobs.job(JobView(row, (), 0, 0, {}, 0))).decode()


def _render_batch(accepted: Sequence[Accepted]) -> str:
    return orjson.dumps(render.items(map(render_jobs.submitted, accepted))).decode()


@router.get("/v1/jobs", response_model=schemas.Listing[job_schemas.JobLine])
def list_jobs(
    call: Caller,
    project: Annotated[str | None, Query(max_length=200)] = None,
    state: Annotated[list[JobState] | None, Query()] = None,
    array: Annotated[
        str | None, Query(max_length=200, description="its elements; none: jobs that are no elements")
    ] = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """Newest first."""
    views = jobs.page(
        call.platform,
        call.actor,
        project=project,
        states=state or [],
        before=cursor,
        limit=limit + 1,
        array=array,
    )
    next = views[limit - 1].job.id if len(views) > limit else None
    return Json(render.items(map(render_jobs.job_line, views[:limit]), next))


@router.get("/v1/jobs/{job}", response_model=job_schemas.Job)
def get_job(job: str, call: Caller) -> Json:
    view = jobs.job(call.platform, call.actor, job)
    placed = view.attempts and view.job.state not in (JobState.QUEUED, JobState.HELD)
    return Json(render_jobs.job(view, explain.of_job(call.platform, call.actor, job) if placed else None))


@router.post("/v1/jobs/{job}/cancel", response_model=job_schemas.Job)
def cancel_job(job: str, call: Caller) -> Json:
    """409 when it has already ended. A running job ends when its centre has stopped it."""
    return Json(render_jobs.job(jobs.cancel(call.platform, call.actor, job)))


@router.post("/v1/attempts/{attempt}/lost", response_model=job_schemas.Job, tags=["operator"])
def declare_attempt_lost(attempt: str, call: Caller) -> Json:
    """Decides that a silent attempt is LOST. It is not charged."""
    return Json(render_jobs.job(jobs.declare_lost(call.platform, call.actor, attempt)))


@router.get("/v1/jobs/{job}/explain", response_model=job_schemas.Explanation)
def explain_job(job: str, call: Caller) -> Json:
    """Why there; or why not yet, for each centre and partition."""
    return Json(render_jobs.explanation(explain.of_job(call.platform, call.actor, job)))


@router.post("/v1/placements/explain", response_model=job_schemas.Explanation)
async def explain_placement(request: Request, call: Caller) -> Json:
    """Where this job file would go now and at what cost. Nothing is committed."""
    document = await read_json(request)
    if not isinstance(document, dict):
        raise Invalid.at("", "must be a job file as a JSON object")
    explained = await run_in_threadpool(explain.of_document, call.platform, call.actor, document)
    return Json(render_jobs.explanation(explained))


@router.get("/v1/jobs/{job}/outputs", response_model=schemas.Listing[schemas.Output])
def list_outputs(job: str, call: Caller) -> Json:
    return Json(render.items(map(render_jobs.output, blobs.outputs(call.platform, call.actor, job))))


@router.get("/v1/jobs/{job}/outputs/{name}", response_class=StreamingResponse)
def get_output(job: str, name: str, call: Caller) -> Response:
    """A tar."""
    size, chunks = blobs.output(call.platform, call.actor, job, name)
    return StreamingResponse(chunks, media_type="application/x-tar", headers={"Content-Length": str(size)})
