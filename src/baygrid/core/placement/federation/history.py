"""How long a job will run, from the jobs that have ended before it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

FADING: Final = 0.97
"""What a past job weighs after each newer one of the same kind: the last 33 make up two thirds."""
SHARE_OF_LIMIT: Final = 0.15
"""Of the time asked for, what is expected of a job when nothing of its kind has ended: users ask for a
multiple of what they need (Mu'alem and Feitelson, IEEE TPDS 2001, section 4)."""


class History:
    """Fading means by kind of job, from coarse to fine: jobs of the same limit, of the same user, of the same
    user and limit. Each finer mean leans on the coarser one as if that were one job more (shrinkage), so
    that a kind with few jobs is not taken at its word. All times are seconds."""

    __slots__ = ("_sums",)

    def __init__(self) -> None:
        self._sums: dict[Hashable, tuple[float, float]] = {}

    def expected(self, user: Hashable, limit: float) -> float:
        """The run time expected of a job of `user` that asked for at most `limit`."""
        mean = limit * SHARE_OF_LIMIT
        for kind in _kinds(user, limit):
            total, weight = self._sums.get(kind, (0.0, 0.0))
            mean = (total + mean) / (weight + 1.0)
        return mean

    def ended(self, user: Hashable, limit: float, run: float) -> None:
        """A job ended after it ran for `run`."""
        for kind in _kinds(user, limit):
            total, weight = self._sums.get(kind, (0.0, 0.0))
            self._sums[kind] = (total * FADING + run, weight * FADING + 1.0)


def _kinds(user: Hashable, limit: float) -> tuple[Hashable, ...]:
    return ("limit", limit), ("user", user), ("both", user, limit)
