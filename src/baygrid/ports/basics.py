"""The smallest ports: time, identifiers, bytes by key, failpoints.

Time is an `Instant` everywhere below the edges: whole milliseconds since 1970-01-01T00:00Z.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

Instant = int
Clock = Callable[[], Instant]

# Called with a stable name ("store.commit.before") at every place where a crash must be survivable.
# The default does nothing; tests kill the process, the simulation raises.
Failpoint = Callable[[str], None]


def no_failpoint(name: str) -> None:
    """The failpoint of production."""


class Ids(Protocol):
    """Identifiers that sort by time and cannot be guessed."""

    def new(self, kind: str, now: Instant) -> str:
        """`kind` is a short prefix: job -> 'job-...', attempt -> 'att-...'."""
        ...

    def earliest(self, kind: str, at: Instant) -> str:
        """No id of this kind that is made at `at` or later is smaller."""
        ...

    def secret(self) -> str:
        """At least 160 bits, URL-safe: API tokens, attempt tokens."""
        ...


class Vault(Protocol):
    """Makes texts unreadable to whoever has the store but not the key."""

    @property
    def key(self) -> str:
        """The name of the key that seals now; it says nothing of the key."""
        ...

    def seal(self, text: str, about: str) -> str:
        """`about`: what it belongs to; whoever opens it must say the same."""
        ...

    def open(self, sealed: str, about: str) -> str:
        """Raises ValueError for what was changed, is about something else, or was sealed by an unknown
        key."""
        ...


class Signer(Protocol):
    """The platform's own key: what it signs can be told from what somebody else wrote."""

    @property
    def public_key(self) -> str:
        """Ed25519, hex."""
        ...

    def sign(self, data: bytes) -> str:
        """Hex."""
        ...


class ObjectStore(Protocol):
    """Bytes by key: workdirs, outputs, log chunks. A put is atomic and may be repeated."""

    def put(self, key: str, chunks: Iterator[bytes]) -> int:
        """Stores the whole object, returns its size; a reader never sees a part of it."""
        ...

    def get(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Raises KeyError when there is no such object."""
        ...

    def size(self, key: str) -> int | None:
        """None when there is no such object."""
        ...

    def delete(self, key: str) -> None:
        """Absent is fine. Who is reading it reads on, or is cut off."""
        ...


class Uploads(Protocol):
    """Blobs on their way in, so that a broken upload goes on where it stopped. `key` names uploader and
    content."""

    def size(self, key: str) -> int:
        """How much is there already; 0 when nothing is."""
        ...

    def append(self, key: str, offset: int, chunks: Iterator[bytes], limit: int) -> int:
        """Writes from `offset` (at most the present size) on, returns the new size. Raises ValueError
        beyond `limit`."""
        ...

    def read(self, key: str) -> Iterator[bytes]: ...

    def drop(self, key: str) -> None:
        """Absent is fine."""
        ...
