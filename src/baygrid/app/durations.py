"""How long jobs of the region run, learnt from the attempts that have ended."""

from __future__ import annotations

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.demand import Demand, Expected
from baygrid.core.placement.timeline.predict import ENOUGH, History, Like
from baygrid.ports.records import AttemptRecord

TELLING = frozenset({"exit-code", "time-limit"})
"""Causes of a failure that say how long the job itself would run; others came from outside."""
REMEMBERED = 100_000


def alike(demand: Demand, name: str) -> Like:
    """What makes jobs run equally long."""
    return Like(
        demand.user, name, (demand.nodes, demand.cpus, demand.accelerators, demand.shares), demand.time_s
    )


class Durations:
    """What is expected of jobs that wait. Never used to stop one."""

    def __init__(self) -> None:
        self._history = History()
        self._expected: dict[Like, Expected | None] = {}

    def learn(self, like: Like, attempt: AttemptRecord) -> None:
        """Of an attempt that has ended."""
        if attempt.started_at is None or attempt.ended_at is None:
            return
        if attempt.state is AttemptState.SUCCEEDED or attempt.cause in TELLING:
            self._history.learn(like, (attempt.ended_at - attempt.started_at) / 1000)
            self._expected.clear()

    def expected(self, like: Like) -> Expected | None:
        """None while too few have ended to say a range."""
        if like not in self._expected:
            if len(self._expected) >= REMEMBERED:
                self._expected.clear()
            told = self._history.forecast(like)
            known = told.seen >= ENOUGH
            self._expected[like] = (
                Expected(round(told.p10), round(told.p50), round(told.p90)) if known else None
            )
        return self._expected[like]
