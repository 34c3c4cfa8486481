"""What a replay of an SWF log learns as it goes: how long jobs run, and when those that wait will start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.timeline.backfill import Waiting
from baygrid.core.placement.timeline.due import Due
from baygrid.core.placement.timeline.predict import Forecast, History, Like
from baygrid.core.placement.timeline.start_range import StartRange, StartRanges
from baygrid.core.reasons import JSON
from baygrid.replay.swf_file import Field, Log


@dataclass(frozen=True, slots=True, eq=False)
class Jobs:
    """The jobs of a log that can be replayed, by submission (ties: as in the file). Arrays of one length:
    seconds since the first submission, seconds, slots, seconds (-1: none asked for), and who (-1: unknown).
    """

    submit: NDArray[np.int64]
    runtime: NDArray[np.int64]
    count: NDArray[np.int64]
    requested: NDArray[np.int64]
    user: NDArray[np.int64]
    application: NDArray[np.int64]

    @classmethod
    def of(cls, log: Log, rows: NDArray[np.int64]) -> Jobs:
        """Those of `log.by_submission`, or some of them; at least one."""
        submit = log[Field.SUBMIT][rows]
        return cls(
            submit - submit[0],
            log[Field.RUNTIME][rows],
            log.width[rows],
            log[Field.REQUESTED_TIME][rows],
            log[Field.USER][rows],
            log[Field.EXECUTABLE][rows],
        )

    def __len__(self) -> int:
        return len(self.submit)

    @property
    def estimate(self) -> NDArray[np.int64]:
        """What a job says of its length: its request, else (no request in the log) its true runtime."""
        return np.where(self.requested > 0, self.requested, self.runtime)


class Learned:
    """The `baygrid` policy: jobs before `Due`, each with what history expects of it when it comes. History is
    of jobs that have ended, and of ranges that were told before. `told`: job, when, and the range."""

    def __init__(self, jobs: Jobs, slots: int) -> None:
        self.told: list[tuple[int, int, StartRange]] = []
        self._line = Due(slots)
        self._history = History()
        self._ranges = StartRanges()
        self._likes = [
            Like(user, application, count, estimate)
            for user, application, count, estimate in zip(
                jobs.user.tolist(),
                jobs.application.tolist(),
                jobs.count.tolist(),
                jobs.estimate.tolist(),
                strict=True,
            )
        ]
        self._forecasts: dict[int, Forecast] = {}
        self._began: dict[int, int] = {}
        self._came: list[int] = []

    def submit(self, now: int, job: Waiting) -> None:
        forecast = self._forecasts[job.job] = self._history.forecast(self._likes[job.job])
        self._line.submit(now, job._replace(expected=round(forecast.p50)))
        self._came.append(job.job)

    def end(self, now: int, job: int) -> None:
        self._line.end(now, job)
        self._history.learn(self._likes[job], now - self._began.pop(job), self._forecasts.pop(job))

    def starts(self, now: int) -> list[int]:
        started = self._line.starts(now)
        for job in started:
            self._began[job] = now
            self._ranges.started(now, job)
        for job in self._came:
            if job not in self._began:
                guess = self._line.places.expected_wait_s(now, job)
                self.told.append((job, now, self._ranges.tell(now, job, guess)))
        self._came.clear()
        return started

    def foreseen(self, start: NDArray[np.int64]) -> dict[str, JSON]:
        """How many ranges were told and what part of them held, given when each job started."""
        held = sum(told.p10 <= start[job] - at <= told.p90 for job, at, told in self.told)
        at_once = len(start) - len(self.told)
        return {
            "starts_told": len(self.told),
            "starts_in_range": round(float(held) / max(1, len(self.told)), 4),
            "starts_in_range_of_all": round(float(held + at_once) / len(start), 4),
        }
