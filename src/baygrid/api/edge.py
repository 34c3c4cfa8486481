"""What all endpoints share: the caller, strict parameters and bodies, JSON answers, problems."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from baygrid.api import problems
from baygrid.api.metrics import Metrics
from baygrid.api.pipes import Tunnels
from baygrid.api.problems import UnsupportedMediaType
from baygrid.api.refusals import Refusals
from baygrid.api.sessions import Sessions, Shown, shown
from baygrid.api.tails import Tails
from baygrid.api.waiters import Hub
from baygrid.app.access import Actor
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, Malformed, NotFound, Problem, Unauthorized, UnknownToken

M = TypeVar("M", bound=BaseModel)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SUSPECT = re.compile(rb"\\u0000|[0-9]{19}")
ACTOR = "baygrid.actor"
"""In the scope of a request: who sends it, once that is known."""
Responses = dict[int | str, dict[str, Any]]
"""What an endpoint also answers, in FastAPI's terms."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server process: the application, and what only its edge has. `role`: "leader" or "follower"."""

    platform: Platform
    hub: Hub
    sessions: Sessions
    metrics: Metrics
    role: Callable[[], str]
    refusals: Refusals
    tunnels: Tunnels
    tails: Tails


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated request. `shown`: by what."""

    server: Server
    actor: Actor
    shown: Shown

    @property
    def platform(self) -> Platform:
        return self.server.platform

    def still(self) -> Call:
        """For requests that live long, before each look: the same, as who the caller is by now. Blocks.
        Raises Unauthorized once the token is revoked."""
        sessions = self.server.sessions
        return replace(self, actor=sessions.known(self.shown) or sessions.authenticate(self.shown))


def server_of(request: Request) -> Server:
    server: Server = request.app.state.server
    return server


async def authenticated(request: Request) -> Call:
    """Raises Unauthorized. Only a token or session not seen for a second costs a thread and a read."""
    server = server_of(request)
    found = shown(request)
    actor = server.sessions.known(found)
    if actor is None:
        actor = await run_in_threadpool(server.sessions.authenticate, found)
    request.scope[ACTOR] = actor
    return Call(server, actor, found)


Caller = Annotated[Call, Depends(authenticated)]


async def invited(request: Request) -> Call:
    """Where an agent joins, its operator is told what to ask for. Raises Unauthorized."""
    try:
        return await authenticated(request)
    except UnknownToken:
        raise Unauthorized(
            "this join token is not known, was used, or has expired: ask for another with"
            " `baygrid centres invite NAME`"
        ) from None


Invitee = Annotated[Call, Depends(invited)]


class Json(Response):
    """An answer that is rendered already."""

    media_type = "application/json"

    def __init__(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(orjson.dumps(content), status, headers)


class RenderedJson(Response):
    """JSON as bytes or text."""

    media_type = "application/json"


async def read_json(request: Request) -> Any:
    """What the body says. Raises UnsupportedMediaType, Malformed, Invalid."""
    return parse_json(await read_body(request))


async def read_body(request: Request) -> bytes:
    """A body that says of itself that it is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaType("send the body as JSON, with `Content-Type: application/json`")
    return await request.body()


def parse_json(body: bytes) -> Any:
    """JSON as it is defined: no NaN, UTF-8 only. At most a thousand levels, only what databases hold."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Malformed(f"the body is not valid JSON: {error.msg} ({where})") from None
    if _SUSPECT.search(body):
        _refuse_unstorable(value)
    if not _is_as_written(value, body) and _STRING.sub(b"", body).count(b":") > _entries(value):
        # It would mean one thing to us and another to the next reader.
        raise Invalid.at("", "has an object with the same field twice: keep one")
    return value


def _is_as_written(value: Any, body: bytes) -> bool:
    """What orjson itself wrote, as our agents and clients do, names no field twice."""
    try:
        return orjson.dumps(value) == body
    except orjson.JSONEncodeError:  # it reads more levels than it writes
        return False


def _entries(value: Any) -> int:
    """How many fields all objects have together. Not recursive: the value may be deep."""
    found, left = 0, [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            found += len(part)
            left += part.values()
        elif isinstance(part, list):
            left += part
    return found


def _refuse_unstorable(value: Any) -> None:
    """What databases cannot keep. Not recursive: the value may be deep."""
    left = [("", value)]
    while left:
        path, part = left.pop()
        if isinstance(part, str) and "\0" in part:
            raise Invalid.at(path, "has a NUL character: take it out")
        if isinstance(part, int) and not -(2**63) <= part < 2**63:
            raise Invalid.at(path, "is a whole number of more than 64 bits")
        if isinstance(part, dict):
            left += [(path, key) for key in part]
            left += [(f"{path}.{key}" if path else key, inner) for key, inner in part.items()]
        elif isinstance(part, list):
            left += [(f"{path}[{index}]", inner) for index, inner in enumerate(part)]


def reads(model: type[M]) -> Any:
    """The dependency that reads a body of this model; the OpenAPI document finds the model on it."""

    async def read(request: Request, _: Caller) -> M:
        return await _read(request, model)

    read.body_model = model  # type: ignore[attr-defined]
    return Depends(read)


def reads_openly(model: type[M]) -> Any:
    """The same where nobody has a token yet."""

    async def read(request: Request) -> M:
        return await _read(request, model)

    read.body_model = model  # type: ignore[attr-defined]
    return Depends(read)


async def _read(request: Request, model: type[M]) -> M:
    value = await read_json(request)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        names = [field.alias or name for name, field in model.model_fields.items()]
        raise problems.invalid(error.errors(), names) from None


def body_model(route: APIRoute) -> type[BaseModel] | None:
    """The model that `reads` was given on this route."""
    for dependency in route.dependant.dependencies:
        model: type[BaseModel] | None = getattr(dependency.call, "body_model", None)
        if model is not None:
            return model
    return None


class Route(APIRoute):
    """Refuses query parameters that do not exist, turns every error into a problem, and counts."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = frozenset(_query_names(self.dependant))
        path = self.path_format

        async def handler(request: Request) -> Response:
            metrics = server_of(request).metrics
            began = time.perf_counter()
            try:
                _check_address(request, known)
                _check_coding(request)
                response = await handle(request)
            except Exception as error:  # noqa: BLE001 - rendered, and logged where it is our own fault
                if isinstance(error, RequestValidationError):
                    error = problems.invalid(error.errors())
                response = problems.response_of(error, request)
                if isinstance(error, Problem):
                    tell_refusal(request.scope, error)
            metrics.saw(request.method, path, response.status_code, time.perf_counter() - began)
            return response

        return handler


def _check_coding(request: Request) -> None:
    """A few bytes may unpack to any number of them: nothing is unpacked here."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType("send the body as it is, without Content-Encoding")


def tell_refusal(scope: Scope, problem: Problem) -> None:
    """Logs and counts what was refused of a centre: of a request with a centre's token, or to an address that
    is only there for agents."""
    server: Server = scope["app"].state.server
    actor, path = scope.get(ACTOR) or _remembered(server, scope), str(scope["path"])
    centre = actor.centre if actor is not None and actor.user is None else None
    if centre is not None or path.startswith("/v1/agent/"):
        server.refusals.note(centre or "", problem.code, path, problem.detail)


def _remembered(server: Server, scope: Scope) -> Actor | None:
    """Whose request it is that was refused before anybody asked, as far as that costs no read."""
    header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    try:
        return server.sessions.known(header.decode("latin-1"))
    except Unauthorized:
        return None


def _query_names(dependant: Any) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    for inner in dependant.dependencies:
        names |= _query_names(inner)
    return names


def _check_address(request: Request, known: frozenset[str]) -> None:
    """No control characters in names (the store would choke on NUL), no unknown or repeated parameters."""
    if not all(map(str.isprintable, request.scope["path_params"].values())):
        raise NotFound("there is nothing with this name")
    if not request.scope["query_string"]:
        return
    items = request.query_params.multi_items()
    names = [name for name, _ in items]
    if strange := [name for name in names if name not in known]:
        raise problems.unknown(strange, known, "parameter")
    for name, value in items:
        if names.count(name) > 1 and name != "state":
            raise Invalid.at(name, "is given more than once: keep one")
        if not value.isprintable():
            raise Invalid.at(name, "has a control character: take it out")
