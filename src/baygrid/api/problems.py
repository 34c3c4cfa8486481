"""Whatever is wrong with a request, as `application/problem+json` (RFC 9457). Never a trace."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import secrets
import traceback
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from baygrid.app.problems import Invalid, NotFound, Problem, Unauthorized
from baygrid.ports.store import Away

log = structlog.get_logger("baygrid.api")


class MethodNotAllowed(Problem):
    status, code, title = 405, "method-not-allowed", "This address does not do that"


class UnsupportedMediaType(Problem):
    status, code, title = 415, "unsupported-media-type", "The body is of another kind than expected"


class Unavailable(Problem):
    status, code, title = 503, "unavailable", "Try again in a moment"


class Internal(Problem):
    status, code, title = 500, "internal", "The server made a mistake"


LINGER_S = 1.0
LINGER_BYTES = 64 * 1024 * 1024
BODY_LEFT = "baygrid.body_left"
"""In the scope of a request: whether much of its body may still be on its way."""


class ProblemResponse(Response):
    """Where much of the body was not read, the connection ends with this answer, and what still arrives is
    thrown away for a moment: closing at once could reset the connection before the client has read it."""

    media_type = "application/problem+json"

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(encode(problem), problem.status, headers=dict(headers or {}))
        if isinstance(problem, Unauthorized):
            self.headers["www-authenticate"] = 'Bearer realm="baygrid"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope.get(BODY_LEFT):
            await super().__call__(scope, receive, send)
            return
        self.headers["connection"] = "close"
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await _discard(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive) -> None:
    left = LINGER_BYTES
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return


def encode(problem: Problem) -> bytes:
    body = {
        "type": f"urn:baygrid:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    extra = {key: value for key, value in problem.extra.items() if key not in body}
    return orjson.dumps(body | extra, default=str)


def response_of(error: Exception, request: Request) -> Response:
    """The answer to a request that ended with `error`."""
    if isinstance(error, Problem):
        return ProblemResponse(error)
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)  # nobody reads it
    if isinstance(error, HTTPException):
        return of_http(error, request)
    if isinstance(error, Away):
        return _away(error, request)
    return unexpected(error, request)


def of_http(error: HTTPException, request: Request) -> Response:
    """What the framework itself refuses: no such address, or not with this method."""
    if error.status_code == 405:
        allowed = ", ".join(sorted(_methods(request)))
        detail = f"{request.method} is not possible here: use {allowed}"
        return ProblemResponse(MethodNotAllowed(detail), {"allow": allowed})
    if error.status_code == 404:
        return ProblemResponse(NotFound(f"there is nothing at {request.url.path!r}"))
    return unexpected(error, request)


def _away(error: Away, request: Request) -> Response:
    log.error("the store is away", method=request.method, path=_declared(request), error=str(error))
    unsure = "" if request.method in ("GET", "HEAD") else ", and what you asked may be done or not"
    key = "; with the same Idempotency-Key it is done once" if request.method == "POST" else ""
    return ProblemResponse(
        Unavailable(f"the database does not answer{unsure}: ask again{key}"), {"retry-after": "2"}
    )


def unexpected(error: Exception, request: Request) -> Response:
    """A fault of ours: the client gets a number, the log gets the rest."""
    id = secrets.token_hex(6)
    # As text: a renderer that also shows local variables would write tokens into the log.
    trace = "".join(traceback.format_exception(error))
    log.error("request failed", id=id, method=request.method, path=_declared(request), trace=trace)
    return ProblemResponse(Internal(f"something went wrong here; tell the operator the number {id}", id=id))


def _declared(request: Request) -> str:
    """The path as it is declared, where that is known: a secret may stand in it (`/v1/profiles/...`)."""
    return str(getattr(request.scope.get("route"), "path", request.url.path))


def _methods(request: Request) -> set[str]:
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= set(route.methods or ())
    return found


def invalid(errors: Sequence[Any], known: Collection[str] = ()) -> Invalid:
    """What pydantic found, in our words. `known`: the names that a guess at an unknown one may offer. A
    misspelt field comes before the one that is missing because of it."""
    errors = sorted(errors, key=lambda error: error["type"] != "extra_forbidden")
    return Invalid.many([(_path(error["loc"]), _message(error, known)) for error in errors])


def unknown(names: Sequence[str], known: Collection[str], what: str) -> Invalid:
    """A query parameter that does not exist is a mistake, not something to pass over."""
    return Invalid.many([(name, f"unknown {what}{guess(name, known)}") for name in names])


def guess(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name[:40], known, 1)
    if near:
        return f": did you mean {near[0]!r}?"
    return f": the possible ones are {', '.join(sorted(known))}" if known else ": there are none here"


def _path(loc: Sequence[str | int]) -> str:
    path = list(map(str, loc))
    return ".".join(path[1:] if path[:1] in (["query"], ["path"], ["header"]) else path)


def _message(error: Mapping[str, Any], known: Collection[str]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return f"unknown field{guess(str(error['loc'][-1]), known)}"
        case "value_error":
            return str(context["error"])
        case "model_type" | "dict_type":
            return "must be a JSON object"
    text = str(error["msg"])
    return text.removeprefix("Input ").replace("should be", "must be").replace("should have", "must have")
