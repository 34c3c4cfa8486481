"""What every answer says to browsers, and how often one may ask."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from baygrid.api.problems import ProblemResponse
from baygrid.app.problems import Problem

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS: Final = "max-age=31536000"
BURST_S: Final = 10
"""So many seconds' worth may be asked at once."""
TOKENS: Final = 10
"""From one address so many times as much comes with tokens, whatever they are, as with one."""
MOST: Final = 100_000
"""Askers that are kept in mind: of more, those who asked longest ago are forgotten."""
_NEVER: Final = ("/v1/agent/", "/healthz", "/metrics")
"""What agents report is never put off, nor what watches the server."""


class TooMany(Problem):
    status, code, title = 429, "too-many-requests", "Too many requests"


class SecurityHeaders:
    """On every answer that does not say otherwise itself; over TLS browsers are told to stay with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", HSTS)
            await send(message)

        await self._app(scope, receive, marked if scope["type"] == "http" else send)


@dataclass(slots=True)
class _Bucket:
    """How many requests are left, as it was at `at` (seconds)."""

    left: float
    at: float


class RateLimit:
    """So many requests a second for each token, and for each address that sends none (429 beyond). `clock`:
    seconds that only grow."""

    def __init__(self, app: ASGIApp, rate: float, clock: Callable[[], float]) -> None:
        self._app, self._rate, self._clock = app, rate, clock
        self._known: OrderedDict[bytes, _Bucket] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(_NEVER):
            wait = max(self._wait(asker, rate) for asker, rate in self._askers(scope))
            if wait > 0:
                seconds = math.ceil(wait)
                problem = TooMany(f"more than {self._rate:g} requests a second: ask again in {seconds} s")
                await ProblemResponse(problem, {"retry-after": str(seconds)})(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _askers(self, scope: Scope) -> Iterator[tuple[bytes, float]]:
        """A token by its digest, that none is kept, and the address that asks, each with its rate."""
        token = Headers(scope=scope).get("authorization")
        address = scope["client"][0].encode() if scope.get("client") else b""
        if token:
            yield hashlib.sha256(token.encode()).digest(), self._rate
            yield b"tokens of " + address, self._rate * TOKENS
        else:
            yield address, self._rate

    def _wait(self, asker: bytes, rate: float) -> float:
        """Takes one request of this asker's; else the seconds until there is one."""
        now, burst = self._clock(), rate * BURST_S
        bucket = self._known.setdefault(asker, _Bucket(burst, now))
        self._known.move_to_end(asker)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        bucket.left = min(burst, bucket.left + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / rate
        bucket.left -= 1
        return 0.0
