"""Bodies stay small: counted as they arrive, and a longer one is refused before it is read."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from baygrid.api.problems import ProblemResponse
from baygrid.app.problems import TooLarge

MAX_BODY = 1024 * 1024


class BodyLimit:
    """Refuses bodies over MAX_BODY. `other`: other limits, by how an address begins; None: no limit here."""

    def __init__(self, app: ASGIApp, other: Mapping[str, int | None]) -> None:
        self._app = app
        self._other = other

    def _most(self, path: str) -> int | None:
        for prefix, most in self._other.items():
            if path.startswith(prefix):
                return most
        return MAX_BODY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._most(scope["path"]) if scope["type"] == "http" else None
        if most is None:
            await self._app(scope, receive, send)
            return
        if _announced(scope) > most:
            await ProblemResponse(_too_large(most), close=True)(scope, receive, send)
            return
        seen, refused = 0, False

        async def counted() -> Message:
            nonlocal seen, refused
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most and not refused:
                refused = True  # once: the answer still throws away what arrives
                raise _too_large(most)
            return message

        await self._app(scope, counted, send)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"a body may have at most {most} bytes here: send less at once")


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
