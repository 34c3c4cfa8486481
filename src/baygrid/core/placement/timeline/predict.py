"""How long a job will run, from jobs like it that have ended: a median and the range around it.

What is kept of an ended job is the part that it used of the time it asked for, or its runtime where it asked
for none, under keys from the narrow (same user, name, shape and request) to the wide (all jobs). The range
rests on the narrowest key with enough values to say a P10 and a P90, the median on a narrower one where that
has a few. The quantiles are those of the order statistics: of n exchangeable values the next one is at most
the k-th smallest with probability k / (n + 1), whatever the distribution (Vovk et al., "Algorithmic
Learning in a Random World", 2005). Jobs are not exchangeable (a user changes what he runs), so the range is
widened or narrowed by what the latest ends said of the ranges told for them: each bound moves a little
outwards when it was crossed and a ninth of that inwards when not, which holds the crossings at a tenth in the
long run (Gibbs and Candes, "Adaptive conformal inference under distribution shift", NeurIPS 2021).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from math import exp
from typing import Final, NamedTuple

KEPT: Final = 19
"""Values under one key: P10 is the second smallest of them, P90 the second largest."""

ENOUGH: Final = 9
"""Of so many, P10 is the smallest and P90 the largest: with fewer neither can be said."""

TAIL: Final = 0.1
"""The part of the jobs below P10, and that above P90."""

MEDIAN_OF: Final = 3
"""So many of a narrow key say the median better than more of a wide one."""

STEP: Final = 0.1
"""How far a crossed bound moves, as a factor's logarithm."""

WIDEST: Final = 5.0
"""No bound moves by more than this logarithm, a factor of about 150."""

MOST_KEYS: Final = 100_000
"""The keys not seen for longest are forgotten beyond this: about 40 MB."""

Key = tuple[Hashable, ...]


class Like(NamedTuple):
    """What makes jobs alike. `requested`: seconds, the job's own limit; None: it said nothing."""

    user: Hashable
    name: Hashable
    shape: Hashable
    requested: int | None

    def widening(self) -> Iterator[Key]:
        """From the narrowest to the widest."""
        asked = self.requested is not None
        yield (asked, 0, self.user, self.name, self.shape, self.requested)
        yield (asked, 1, self.user, self.name, self.requested)
        yield (asked, 2, self.user, self.name)
        yield (asked, 3, self.user)
        yield (asked, 4, self.requested)
        yield (asked, 5)


class Forecast(NamedTuple):
    """Seconds. `seen`: ended jobs behind it; with fewer than `ENOUGH` the range is only a guess."""

    p10: float
    p50: float
    p90: float
    seen: int


class History:
    """What ended jobs teach. Deterministic: the same jobs in the same order, the same forecasts."""

    def __init__(self, first_guess_s: float = 3600.0) -> None:
        self._first_guess_s = first_guess_s
        self._values: dict[Key, deque[float]] = {}
        self._wider_low = self._wider_high = 0.0  # logarithms of factors

    def learn(self, like: Like, runtime_s: float, told: Forecast | None = None) -> None:
        """A job ended after `runtime_s`; `told`: what was forecast of it. To be called only when it ended."""
        if told is not None and told.seen >= ENOUGH:
            most = runtime_s if like.requested is None else min(runtime_s, like.requested)
            self._wider_low = _moved(self._wider_low, runtime_s < told.p10)
            self._wider_high = _moved(self._wider_high, most > told.p90)
        value = runtime_s if like.requested is None else runtime_s / max(1, like.requested)
        for key in like.widening():
            values = self._values.pop(key, None)
            if values is None:
                values = deque(maxlen=KEPT)
            values.append(value)
            self._values[key] = values
        while len(self._values) > MOST_KEYS:
            del self._values[next(iter(self._values))]

    def forecast(self, like: Like) -> Forecast:
        """Of a job that has not begun. Never beyond its own limit where it has one."""
        pool: list[float] = []
        middle: float | None = None
        for key in like.widening():
            values = self._values.get(key, ())
            if len(values) > len(pool):
                pool = sorted(values)
            if middle is None and len(pool) >= MEDIAN_OF:
                middle = quantile(pool, 0.5)
            if len(pool) >= ENOUGH:
                break
        scale = 1.0 if like.requested is None else float(like.requested)
        if not pool:
            guess = self._first_guess_s if like.requested is None else scale
            return Forecast(0.0, guess, guess, 0)
        if middle is None:
            middle = quantile(pool, 0.5)
        low = min(middle, quantile(pool, TAIL) * exp(-self._wider_low))
        high = max(middle, quantile(pool, 1 - TAIL) * exp(self._wider_high))
        most = scale if like.requested is not None else float("inf")
        return Forecast(min(most, low * scale), min(most, middle * scale), min(most, high * scale), len(pool))


def _moved(wider: float, crossed: bool) -> float:
    return min(max(wider + STEP * (crossed - TAIL), -WIDEST), WIDEST)


def quantile(values: list[float], share: float) -> float:
    """Of sorted `values`: the value that a further one is at most with probability `share`."""
    place = share * (len(values) + 1) - 1
    below = min(max(int(place), 0), len(values) - 1)
    above = min(below + 1, len(values) - 1)
    part = min(max(place - below, 0.0), 1.0)
    return values[below] + (values[above] - values[below]) * part
