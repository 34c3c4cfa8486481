"""How fast the centre's link to the exchange is: measured rarely, within bounds, never beside other bytes.

First small questions, for the latency; then data in growing pieces, until one takes long enough to be
measured by a clock. All of it comes from the server that the agent speaks to anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from typing import Protocol, TypeAlias

from baygrid.core.placement.links import Sample
from baygrid.ports.basics import Clock, Instant
from baygrid.ports.messages import Refused, Unreachable

EVERY_MS = 3_600_000
FIRST_MS = 60_000
"""The first one is made within so long after the agent began."""
AGAIN_MS = 60_000
"""After one that gave way to other bytes."""
QUESTIONS = 5
ANSWER_S = 2.0
"""A question without an answer by then is lost."""
PIECES = (1 << 18, 1 << 20, 1 << 22, 1 << 24)
ENOUGH_S = 0.5
LONGEST_S = 5.0
"""All pieces together; what has come by then is what counts."""

Cease: TypeAlias = Callable[[], bool]
Seconds: TypeAlias = Callable[[], float]


class Line(Protocol):
    """The way to the exchange."""

    def piece(self, size: int, timeout_s: float) -> Iterator[bytes]:
        """So many bytes. Raises Unreachable, Refused."""
        ...


class Ceased(Exception):
    """Something else needs the link: nothing was measured."""


def measure(line: Line, clock: Clock, seconds: Seconds, cease: Cease) -> Sample:
    """`seconds`: a clock that only goes forward. Raises Ceased, and Refused where the server knows of no
    exchange."""
    at = clock()
    times = list(_times(line, seconds, cease))
    known = [time for time in times if time is not None]
    bit_s = _bandwidth(line, seconds, min(known), cease) if known else None
    least, middle = (_us(min(known)), _us(median(known))) if known else (None, None)
    return Sample(at, bit_s, least, middle, QUESTIONS, len(times) - len(known))


def _times(line: Line, seconds: Seconds, cease: Cease) -> Iterator[float | None]:
    """How long each question took, None for the lost ones. One more before opens the connection."""
    for number in range(QUESTIONS + 1):
        if cease():
            raise Ceased
        start = seconds()
        try:
            for _ in line.piece(0, ANSWER_S):
                pass
            time: float | None = seconds() - start
        except Unreachable:
            time = None
        if number:
            yield time


def _bandwidth(line: Line, seconds: Seconds, latency: float, cease: Cease) -> int | None:
    """bit/s of the last piece, the largest; None where the link broke."""
    began, found = seconds(), None
    for size in PIECES:
        start, came = seconds(), 0
        try:
            for data in line.piece(size, LONGEST_S):
                if cease():
                    raise Ceased
                came += len(data)
                if seconds() - began > LONGEST_S:
                    break
        except Unreachable:
            return found
        took = max(1e-6, seconds() - start - latency)
        found = max(1, round(came * 8 / took)) if came else found
        if took >= ENOUGH_S or seconds() - began > LONGEST_S:
            break
    return found


def _us(seconds: float) -> int:
    return max(1, round(seconds * 1e6))


class Measuring:
    """When it is done. `jitter` gives a number from 0 to 1, so that a region does not do it at once."""

    def __init__(
        self,
        make: Callable[[Cease], Sample],
        now: Instant,
        jitter: Callable[[], float],
        every_ms: int = EVERY_MS,
    ) -> None:
        self.make = make
        self.due_at: Instant | None = now + int(min(FIRST_MS, every_ms) * jitter())  # None: it is under way
        self._jitter, self._every_ms = jitter, every_ms

    def begin(self) -> None:
        self.due_at = None

    def ended(self, result: Sample | Exception, now: Instant) -> Sample | None:
        """What is to be reported of it."""
        pause = min(AGAIN_MS, self._every_ms) if isinstance(result, Ceased) else self._every_ms
        self.due_at = now + int(pause * (0.5 + self._jitter()))
        if isinstance(result, Sample):
            return result
        if not isinstance(result, Ceased | Unreachable | Refused):
            raise result
        return None
