"""From a request to a page: the session, the guard of forms, a thread, and problems as pages."""

from __future__ import annotations

import asyncio
import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, Problem, Unauthorized
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.visit import PREFIX, Visit, check_csrf, check_origin
from baygrid.ports.store import Away

log = structlog.get_logger("baygrid.portal")
Handler = Callable[[Visit], Response]
SIGN_IN = "sign-in"
AT_ONCE: Final = 4
"""So many pages are made at a time, the others wait for their turn: more would share one interpreter, and all
be late."""
TITLES = {
    400: N_("This request cannot be read"),
    401: N_("Please sign in"),
    402: N_("The project cannot cover this"),
    403: N_("You may not do this"),
    404: N_("There is no such page"),
    405: N_("This page does not do that"),
    409: N_("Not possible now"),
    413: N_("That is too large"),
    422: N_("Something in it is not right"),
    429: N_("Too many tries"),
    500: N_("Something went wrong here"),
    503: N_("Try again in a moment"),
}


class Wrong(Problem):
    """What the framework refuses, or what went wrong here."""

    status, code, title = 500, "internal", "The server made a mistake"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Page:
    """One address and method. `here`: the entry of the navigation that it belongs to. `public`: also for who
    has not signed in; its forms carry no session's mark then, only their origin is checked."""

    path: str
    handle: Handler
    here: str = ""
    method: str = "GET"
    public: bool = False

    def route(self, platform: Platform, turns: asyncio.Semaphore) -> Route:
        """`turns`: of all pages of a server, `AT_ONCE`."""

        async def endpoint(request: Request) -> Response:
            try:
                body = await request.body() if self.method == "POST" else b""
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            except Problem as problem:  # longer than a body may be
                return await run_in_threadpool(refusal, Visit(request, platform), problem)
            visit = Visit(request, platform, body, self.here)
            async with turns:
                return await run_in_threadpool(self._answer, visit)

        return Route(f"/{self.path}", endpoint, methods=[self.method])

    def _answer(self, visit: Visit) -> Response:
        try:
            if not all(map(str.isprintable, visit.request.path_params.values())):
                raise NotFound("there is nothing with this name")
            if self.method == "POST":
                check_origin(visit.request)
            if not self.public:
                _ = visit.session
                if self.method == "POST":
                    check_csrf(visit)
            return self.handle(visit)
        except Exception as error:  # noqa: BLE001 - shown as a page, and logged where it is our own fault
            return refusal(visit, _problem(error, visit.request))


def refusal(visit: Visit, problem: Problem) -> Response:
    """A problem as a page; who has not signed in is asked to."""
    if isinstance(problem, Unauthorized) and visit.request.method in ("GET", "HEAD"):
        asked = visit.request.url.path + (f"?{visit.request.url.query}" if visit.request.url.query else "")
        return RedirectResponse(f"{PREFIX}/{SIGN_IN}?next={quote(asked, safe='/')}", 303)
    title = TITLES.get(problem.status, TITLES[500])
    return page(visit, "frame/problem.html", status=problem.status, refused=problem, title=title)


def _problem(error: Exception, request: Request) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, Away):
        log.error("the store is away", method=request.method, path=request.url.path, error=str(error))
        unsure = "" if request.method == "GET" else ", and what you asked may be done or not: look first"
        return Wrong(503, f"the database does not answer{unsure}")
    id = secrets.token_hex(6)
    trace = "".join(traceback.format_exception(error))
    log.error("page failed", id=id, method=request.method, path=request.url.path, trace=trace)
    return Wrong(500, f"something went wrong here; tell the operator the number {id}")


def no_page(platform: Platform) -> Callable[[Request, Exception], object]:
    """For addresses that no page has."""

    async def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = (
            f"there is nothing at {request.url.path!r}" if status == 404 else "use another way to send it"
        )
        return await run_in_threadpool(refusal, Visit(request, platform), Wrong(status, detail))

    return answer
