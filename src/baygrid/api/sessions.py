"""Who calls: bearer tokens and browsers' sessions, remembered for a moment so that a busy client does not
cost a read each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from starlette.requests import Request

from baygrid.app.access import Actor, authenticate, secret_digest
from baygrid.app.platform import Platform
from baygrid.app.problems import Unauthorized
from baygrid.app.signing_in import COOKIE, SECURE_COOKIE, session_of
from baygrid.ports.basics import Instant

TTL_MS = 1_000
MOST = 10_000
TOPICS = frozenset({"tokens", "*"})


@dataclass(frozen=True, slots=True)
class Cookie:
    """Of a browser in which a user is signed in."""

    secret: str


Shown: TypeAlias = str | Cookie | None
READS: Final = frozenset({"GET", "HEAD"})


def shown(request: Request) -> Shown:
    """The Authorization header, else the cookie of a session; that only where nothing is changed, so that a
    page elsewhere cannot act by it."""
    header = request.headers.get("authorization")
    if header is not None or request.method not in READS:
        return header
    secret = request.cookies.get(SECURE_COOKIE if request.url.scheme == "https" else COOKIE)
    return Cookie(secret) if secret else None


def _key(shown: Shown) -> str | None:
    if isinstance(shown, Cookie):
        return f"cookie {secret_digest(shown.secret)}"
    secret = bearer(shown)
    return secret_digest(secret) if secret else None


class Sessions:
    """A token that was valid less than a second ago is not asked for again, unless one was revoked meanwhile
    on this server. (On another server of the region a revoked token may so work for up to a second more.)
    A `Shown` is what `shown` finds in a request; a header alone is one, too."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: dict[str, tuple[Actor, Instant]] = {}
        self.generation = 0
        """Grows whenever a token, a session or a membership may have ended."""

    def known(self, shown: Shown) -> Actor | None:
        """The remembered actor of this header or cookie; costs no read."""
        key = _key(shown)
        entry = self._known.get(key) if key else None
        if entry is None or not 0 <= self._platform.clock() - entry[1] < TTL_MS:
            return None
        return entry[0]

    def authenticate(self, shown: Shown) -> Actor:
        """Asks the store. Blocks. Raises Unauthorized."""
        key = _key(shown)
        generation, now = self.generation, self._platform.clock()
        if isinstance(shown, Cookie):
            actor = session_of(self._platform, shown.secret).actor
        else:
            actor = authenticate(self._platform, bearer(shown))
        if key and generation == self.generation:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = (actor, now)
        return actor

    def forget(self) -> None:
        """A token was revoked: what was read before does not count any more."""
        self.generation += 1
        self._known.clear()

    def hear(self, topics: frozenset[str]) -> None:
        """The store's listener."""
        if not TOPICS.isdisjoint(topics):
            self.forget()


def bearer(authorization: str | None) -> str | None:
    """The secret in `Authorization: Bearer ...`. Raises Unauthorized when the header says something else."""
    if not authorization:
        return None
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthorized("the Authorization header must be `Bearer TOKEN`")
    return secret.strip()
