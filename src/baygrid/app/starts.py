"""When waiting jobs were foreseen to start, and what came of it: how good such a guess is.

The leader foresees some of the jobs that wait. What it told is written with the reasons of the attempt that
comes of it, so every server, and one that begins, learns the same from the attempts that it reads.
"""

from __future__ import annotations

from collections.abc import Mapping

from baygrid.core.placement.timeline.start_range import StartRange, StartRanges, Told
from baygrid.core.reasons import JSON
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord

FORESEEN = "foreseen"
"""Where it stands in the data of an attempt's outcome."""
EVERY_MS = 10_000
"""To foresee some costs a plan, so it is done no more often."""


class Starts:
    """`ranges`: by job; times in seconds there, milliseconds here."""

    def __init__(self) -> None:
        self.ranges = StartRanges()
        self._told_at: Instant | None = None

    def due(self, now: Instant) -> bool:
        """Whether it is time to foresee some again."""
        return self._told_at is None or now >= self._told_at + EVERY_MS

    def tell(self, guesses: Mapping[str, Instant], now: Instant) -> None:
        """When jobs that wait will probably start."""
        self._told_at = now
        for job, start in guesses.items():
            self.ranges.tell(now / 1000, job, max(0, start - now) / 1000)

    def learn(self, attempt: AttemptRecord) -> None:
        """Its job waits no more. To be called once for each attempt."""
        placed_s = attempt.placed_at / 1000
        if attempt.job in self.ranges:
            self.ranges.started(placed_s, attempt.job)
            return
        told = attempt.reasons.get("outcome", {}).get("data", {}).get(FORESEEN)
        if told is not None:
            self.ranges.learn(_read(told), placed_s)


def written(told: Told) -> dict[str, JSON]:
    """With the reasons of an attempt."""
    at, guess, range = told.at, told.guess_s, told.range
    return {
        "at_ms": round(at * 1000),
        "guess_ms": round((at + guess) * 1000),
        "start_p10_ms": round((at + range.p10) * 1000),
        "start_ms": round((at + range.p50) * 1000),
        "start_p90_ms": round((at + range.p90) * 1000),
        "start_learnt_from": range.seen,
    }


def _read(told: Mapping[str, int]) -> Told:
    def after_s(key: str) -> float:
        return (told[key] - told["at_ms"]) / 1000

    p10, p50, p90 = map(after_s, ("start_p10_ms", "start_ms", "start_p90_ms"))
    range = StartRange(p10, p50, p90, told["start_learnt_from"])
    return Told(told["at_ms"] / 1000, after_s("guess_ms"), range)
