"""Who calls: bearer tokens, remembered for a moment so that a busy client does not cost a read each time."""

from __future__ import annotations

from baygrid.app.access import Actor, authenticate, secret_digest
from baygrid.app.platform import Platform
from baygrid.app.problems import Unauthorized
from baygrid.ports.basics import Instant

TTL_MS = 1_000
MOST = 10_000
TOPICS = frozenset({"tokens", "*"})


class Sessions:
    """A token that was valid less than a second ago is not asked for again, unless one was revoked meanwhile
    on this server. (On another server of the region a revoked token may so work for up to a second more.)"""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: dict[str, tuple[Actor, Instant]] = {}
        self._generation = 0

    def known(self, authorization: str | None) -> Actor | None:
        """The remembered actor of this header; costs no read."""
        secret = bearer(authorization)
        entry = self._known.get(secret_digest(secret)) if secret else None
        if entry is None or not 0 <= self._platform.clock() - entry[1] < TTL_MS:
            return None
        return entry[0]

    def authenticate(self, authorization: str | None) -> Actor:
        """Asks the store. Blocks. Raises Unauthorized."""
        secret = bearer(authorization)
        generation, now = self._generation, self._platform.clock()
        actor = authenticate(self._platform, secret)
        if secret and generation == self._generation:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[secret_digest(secret)] = (actor, now)
        return actor

    def forget(self) -> None:
        """A token was revoked: what was read before does not count any more."""
        self._generation += 1
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
