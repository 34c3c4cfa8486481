"""One URI into the cache: resumed where it broke off, begun anew where it has changed, checked at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from baygrid.core.jobs.addresses import Address
from baygrid.staging.cache import Cache, Known, Partial
from baygrid.staging.errors import Broken, Failed, Stopped
from baygrid.staging.pace import Pace
from baygrid.staging.rules import Rules
from baygrid.staging.streams import Stream, Way

TRIES: Final = 5
"""In a row that brought nothing."""


class Download:
    """`told(done, total, note)` hears how far it is and what was remarkable; `wanted` is asked between
    pieces. `pause`: waits so many seconds. `came`: bytes came, what is there was not all there before."""

    def __init__(
        self,
        rules: Rules,
        cache: Cache,
        way: Way,
        pace: Pace,
        pause: Callable[[float], None],
        told: Callable[[int, int | None, str], None],
        wanted: Callable[[], bool],
    ) -> None:
        self._rules, self._cache, self._way, self._pace, self._pause = rules, cache, way, pace, pause
        self._told, self._wanted = told, wanted
        self._total: int | None = None
        self.came = False

    def fetch(self, at: Address, project: str, expected: str | None) -> Known:
        """What it has now. Raises Failed, NotAllowed, Stopped, OSError."""
        at = replace(at, sha256=None)
        known = self._cache.known(at)
        if known is not None and expected is not None and known.sha256 == expected:
            return known
        tries = 0
        resumed = False
        while True:
            partial = self._cache.partial(at)
            came, resumed = partial.size, resumed or partial.size > 0
            try:
                if not self._one(at, project, partial, known if expected is None else None):
                    assert known is not None
                    return known
            except Broken as broken:
                self._pace.go_on()
                tries = 1 if partial.size > came else tries + 1
                if tries >= TRIES:
                    raise Failed(f"{broken}, {TRIES} times in a row") from None
                self._told(partial.size, self._total, f"{broken}; goes on at {partial.size} bytes")
                self._wait(2.0 ** (tries - 1))
                continue
            if expected is None or partial.sha256 == expected:
                return self._cache.keep(at, partial)
            differs = f"{at.shown} has the SHA-256 {partial.sha256}, not {expected} as was asked for"
            partial.clear()
            if not resumed:
                raise Failed(differs)
            self._told(0, self._total, f"{differs}; it comes once more, from its beginning")
            resumed = False

    def _one(self, at: Address, project: str, partial: Partial, known: Known | None) -> bool:
        """One connection's worth. False: what is known is what is there still."""
        had = partial.validator if partial.size else ""
        offset, validator = partial.size if had else 0, had
        if known is not None and known.validator and not offset:
            offset, validator = -1, known.validator
        with self._way.open(at, project, offset, validator, self._pace) as stream:
            if stream is None:
                return False
            if stream.start != partial.size or not had:
                if partial.size:
                    self._told(0, stream.total, "it changed meanwhile: begun anew")
                partial.begin(stream.validator)
            self._total = stream.total
            self._check(stream.total)
            self._cache.make_room((stream.total or 0) - stream.start)
            partial.write(self._pieces(stream), self._came)
        return True

    def _pieces(self, stream: Stream) -> Iterator[bytes]:
        size = stream.start
        for piece in stream.chunks:
            if not self._wanted():
                raise Stopped
            size += len(piece)
            self.came = True
            self._check(size)
            yield piece
        if stream.total is not None and size != stream.total:
            raise Broken(f"{size} bytes came of {stream.total}")

    def _came(self, size: int) -> None:
        self._told(size, self._total, "")

    def _check(self, size: int | None) -> None:
        if size is not None and size > self._rules.max_bytes:
            raise Failed(f"it is larger than the {self._rules.max_bytes} bytes that this centre takes")

    def _wait(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            if not self._wanted():
                raise Stopped
            self._pause(0.25)
