"""What an order's inputs are brought by: blobs from the server, sources by the centre's stager. Tells how far
it is, now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from baygrid.ports.basics import Clock, Instant
from baygrid.ports.centre import Fetch, StagingFailed
from baygrid.ports.messages import Order, Source

TELL_EVERY_MS = 1_000

Told = Callable[[int, int | None, str], None]
"""Bytes that have come, of how many (None: not known), and what was remarkable."""


class Listener(Protocol):
    """Who waits for a source. `wanted` is asked often. `came`: a file of so many bytes came over a link, not
    from what is here already."""

    def told(self, done: int, total: int | None, note: str) -> None: ...

    def came(self, what: str, size: int) -> None: ...

    def wanted(self) -> bool: ...


class Stager(Protocol):
    """Fetches what a source names. Safe for several threads."""

    def place(self, source: Source, into: Path, listener: Listener) -> None:
        """Makes and fills the folder `into`. Raises StagingFailed, Stopped, OSError."""
        ...


def _nobody_listens(done: int, total: int | None, note: str) -> None:
    pass


class Bringing:
    """Implements `ports.centre.Fetch` and `Places` for one order; in one thread. `tell` hears of all its
    sources together. `came`: which of its inputs came over a link, and the bytes of each; not what its job
    goes on from, since it was not the job that ended its last attempt."""

    def __init__(
        self,
        order: Order,
        fetch: Fetch,
        stager: Stager | None,
        clock: Clock,
        tell: Told = _nobody_listens,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.came: dict[str, int] = {}
        self._fetch, self._stager, self._clock, self._tell, self._wanted = fetch, stager, clock, tell, wanted
        self._restore = order.restore
        self._totals = {source.uri: source.bytes for source in order.sources.values()}
        self._done = dict.fromkeys(self._totals, 0)
        self._at: Instant = 0

    def __call__(self, sha256: str, /) -> Iterator[bytes]:
        pieces = self._fetch(sha256)
        return pieces if sha256 == self._restore else self._counted(sha256, pieces)

    def _counted(self, what: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for piece in pieces:
            size += len(piece)
            yield piece
        self.came[what] = size

    def place(self, source: Source, into: Path) -> None:
        if self._stager is None:
            raise StagingFailed("this centre fetches nothing from datasets and URIs")
        self._stager.place(source, into, _Ear(self, source.uri))
        self._say("")

    def wanted(self) -> bool:
        return self._wanted()

    def told(self, uri: str, done: int, total: int | None, note: str) -> None:
        self._done[uri] = done
        self._totals[uri] = total if total is not None else self._totals[uri]
        if note or self._clock() - self._at >= TELL_EVERY_MS:
            self._say(note)

    def _say(self, note: str) -> None:
        self._at = self._clock()
        known = [total for total in self._totals.values() if total is not None]
        total = sum(known) if len(known) == len(self._totals) else None
        self._tell(sum(self._done.values()), total, note)


class _Ear:
    """Hears of one source."""

    def __init__(self, bringing: Bringing, uri: str) -> None:
        self._bringing, self._uri = bringing, uri

    def told(self, done: int, total: int | None, note: str) -> None:
        self._bringing.told(self._uri, done, total, note)

    def came(self, what: str, size: int) -> None:
        self._bringing.came[what] = size

    def wanted(self) -> bool:
        return self._bringing.wanted()
