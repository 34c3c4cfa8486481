"""What the endpoints of Delta Sharing share: the recipient, errors as the protocol has them, and that what a
newer client says is passed over."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from baygrid.api import problems
from baygrid.api.edge import Json, Server, server_of
from baygrid.api.sessions import bearer
from baygrid.app import recipients
from baygrid.app.grants import Bearer
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound

PREFIX: Final = "/delta-sharing"
RETRY_S: Final = 5
_CODES: Final = {
    400: "MALFORMED_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    413: "MALFORMED_REQUEST",
    422: "INVALID_PARAMETER_VALUE",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A request of a recipient. `base`: the address of this server as the client knows it."""

    server: Server
    bearer: Bearer
    base: str

    @property
    def platform(self) -> Platform:
        return self.server.platform


async def reading(request: Request) -> Reading:
    """Raises Unauthorized. A project's token is none of a recipient's."""
    server = server_of(request)
    secret = bearer(request.headers.get("authorization"))
    known = await run_in_threadpool(recipients.bearer, server.platform, secret)
    return Reading(server, known, str(request.base_url).rstrip("/"))


Recipient = Annotated[Reading, Depends(reading)]


class DeltaRoute(APIRoute):
    """Every error is `{errorCode, message}`; unknown parameters are passed over."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        path = self.path_format

        async def handler(request: Request) -> Response:
            began = time.perf_counter()
            try:
                if not all(map(str.isprintable, request.scope["path_params"].values())):
                    raise NotFound("there is nothing with this name")
                response = await handle(request)
            except Exception as error:  # noqa: BLE001 - rendered, and logged where it is our own fault
                response = failure(error, request)
            took = time.perf_counter() - began
            server_of(request).metrics.saw(request.method, path, response.status_code, took)
            return response

        return handler


def failure(error: Exception, request: Request) -> Response:
    """The answer to a request that ended with `error`, in the protocol's form."""
    if isinstance(error, RequestValidationError):
        error = problems.invalid(error.errors())
    told = problems.response_of(error, request)
    status = 400 if isinstance(error, Invalid) else told.status_code
    kept = ("allow", "retry-after", "www-authenticate")
    headers = {name: value for name, value in told.headers.items() if name in kept}
    if status == 503:
        headers.setdefault("retry-after", str(RETRY_S))
    detail = orjson.loads(told.body)["detail"] if told.body else ""
    return Json({"errorCode": _code(told.status_code), "message": detail}, status, headers)


def _code(status: int) -> str:
    return _CODES.get(status, "INVALID_PARAMETER_VALUE" if status < 500 else "INTERNAL_ERROR")
