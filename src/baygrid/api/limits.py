"""Bodies stay small: counted as they arrive, and a longer one is refused before it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from baygrid.api.problems import BODY_LEFT, ProblemResponse
from baygrid.app.problems import TooLarge

MAX_BODY = 1024 * 1024
SMALL = 64 * 1024
"""So much of an unread body is read and thrown away, and the connection can go on."""


class BodyLimit:
    """Refuses bodies over MAX_BODY. `other`: other limits, by how an address begins; None: no limit here.
    `refused` is told of those that no endpoint sees."""

    def __init__(
        self, app: ASGIApp, other: Mapping[str, int | None], refused: Callable[[Scope, TooLarge], None]
    ) -> None:
        self._app = app
        self._other = other
        self._refused = refused

    def _most(self, path: str) -> int | None:
        for prefix, most in self._other.items():
            if path.startswith(prefix):
                return most
        return MAX_BODY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most, announced = self._most(scope["path"]), _announced(scope)
        scope[BODY_LEFT] = announced is None or announced > SMALL
        if most is not None and (announced or 0) > most:
            problem = _too_large(most)
            self._refused(scope, problem)
            await ProblemResponse(problem)(scope, receive, send)
            return
        seen, refused = 0, False

        async def counted() -> Message:
            nonlocal seen, refused
            message = await receive()
            if not message.get("more_body"):
                scope[BODY_LEFT] = False
            seen += len(message.get("body", b""))
            if most is not None and seen > most and not refused:
                refused = True  # once: the answer still throws away what arrives
                raise _too_large(most)
            return message

        await self._app(scope, counted, send)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"a body may have at most {most} bytes here: send less at once")


def _announced(scope: Scope) -> int | None:
    """The length of the body; None when it comes in chunks."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
        if name == b"transfer-encoding":
            return None
    return 0
