"""When a waiting job is expected to start: a median and the range around it, from a guess and from how such
guesses have turned out.

The guess (seconds from now; of the calendar, the backlog, or a centre's own word) may be anything that grows
with the wait. What is kept of each job that has started is how its wait compares with its guess, as the
logarithm of their quotient, beside guesses of the same size. The range lies between the tenth and the
ninetieth percent of these (split conformal prediction, Vovk et al. 2005), moved outwards or inwards by what
the latest jobs said of the ranges told them (adaptive conformal inference, Gibbs and Candes, NeurIPS 2021).
That a job starts later than told is known as soon as that time passes, not only when it starts.

Nothing is used before it is known: a range rests on jobs that have started, and on bounds that have passed.

The replay of a log and the live planner (`explaining/estimate.py`) both ask it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from math import exp, log
from typing import Final, NamedTuple, TypeAlias

from baygrid.core.placement.timeline.predict import ENOUGH, quantile

SOFTENING_S: Final = 60.0
"""Added to waits and guesses before they are compared: below a minute all are alike."""

KEPT: Final = 60
"""Quotients kept for guesses of one size: the latest."""

TAIL: Final = 0.1
STEP: Final = 0.05
"""How far a bound moves that was crossed, as a factor's logarithm; a ninth of that back where not."""

WIDEST: Final = 4.0

Job: TypeAlias = "int | str"


class StartRange(NamedTuple):
    """Seconds from when it was told. `seen`: starts behind it; with fewer than `ENOUGH` it says little."""

    p10: float
    p50: float
    p90: float
    seen: int


@dataclass(frozen=True, slots=True)
class Told:
    """What was told at `at` (seconds) to a job that waited, and the guess behind it."""

    at: float
    guess_s: float
    range: StartRange


class StartRanges:
    """What has been told to whom, and what came of it. Deterministic. Times in seconds, never going back."""

    def __init__(self) -> None:
        self._told: dict[Job, Told] = {}
        self._late: set[Job] = set()  # they wait beyond their P90
        self._bounds: list[tuple[float, int, Job]] = []  # when P90 passes of a job that waits
        self._count = 0
        self._quotients: dict[int, deque[float]] = {}
        self._wider_low = self._wider_high = 0.0

    def __contains__(self, job: object) -> bool:
        return job in self._told

    def told(self, job: Job) -> Told | None:
        """What was told to a job that still waits."""
        return self._told.get(job)

    def tell(self, now: float, job: Job, guess_s: float) -> StartRange:
        """To a job that waits at `now`. Once for each job: what is told counts."""
        self._pass(now)
        told = self._told[job] = Told(now, guess_s, self.range(guess_s))
        self._count += 1
        heappush(self._bounds, (now + told.range.p90, self._count, job))
        return told.range

    def started(self, now: float, job: Job) -> None:
        """A job that was told a range starts. Unknown is fine: it did not wait."""
        self._pass(now)
        late = job in self._late
        told = self.drop(job)
        if told is not None:
            self._learn(told, now - told.at, late)

    def learn(self, told: Told, now: float) -> None:
        """A job started at `now` that was told its range elsewhere."""
        self._learn(told, now - told.at, late=False)

    def drop(self, job: Job) -> Told | None:
        """It waits no more, and will not start: nothing is learnt. Unknown is fine."""
        self._late.discard(job)
        return self._told.pop(job, None)

    def _learn(self, told: Told, wait: float, late: bool) -> None:
        self._wider_low = _moved(self._wider_low, wait < told.range.p10)
        if not late:
            self._wider_high = _moved(self._wider_high, wait > told.range.p90)
        latest = self._quotients.setdefault(_size(told.guess_s), deque(maxlen=KEPT))
        latest.append(log((wait + SOFTENING_S) / (told.guess_s + SOFTENING_S)))

    def range(self, guess_s: float) -> StartRange:
        """Of a job with this guess, as things stand; nothing is remembered."""
        size = _size(guess_s)
        pool: list[float] = []
        for step in range(max((abs(size - known) for known in self._quotients), default=-1) + 1):
            for near in {size - step, size + step}:
                pool.extend(self._quotients.get(near, ()))
            if len(pool) >= ENOUGH:
                break
        pool.sort()
        middle = quantile(pool, 0.5) if pool else 0.0
        low = min(middle, (quantile(pool, TAIL) if pool else -1.0) - self._wider_low)
        high = max(middle, (quantile(pool, 1 - TAIL) if pool else 1.0) + self._wider_high)
        scale = guess_s + SOFTENING_S
        p10, p50, p90 = (max(0.0, scale * exp(it) - SOFTENING_S) for it in (low, middle, high))
        return StartRange(p10, p50, p90, len(pool))

    def _pass(self, now: float) -> None:
        while self._bounds and self._bounds[0][0] < now:
            bound, _, job = heappop(self._bounds)
            told = self._told.get(job)
            if told is not None and told.at + told.range.p90 == bound:  # not one that it had before
                self._late.add(job)
                self._wider_high = _moved(self._wider_high, True)


def _size(guess_s: float) -> int:
    """Guesses within a factor of two are of one size."""
    return int(log(max(0.0, guess_s) + SOFTENING_S, 2.0))


def _moved(wider: float, crossed: bool) -> float:
    return min(max(wider + STEP * (crossed - TAIL), -WIDEST), WIDEST)
