"""Replay of logs in the Standard Workload Format on one pool of processors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.timeline.backfill import Easy, InOrder, Line, Waiting
from baygrid.core.reasons import JSON
from baygrid.replay.outcome import BadTrace, Outcome, Plot, Progress, no_progress
from baygrid.replay.outcome import Line as Curve
from baygrid.replay.swf_file import Field, Log, read

BOUND_S: Final = 10
"""Jobs shorter than this count as this long in slowdowns (Feitelson's usual bound)."""

TELL_EVERY: Final = 1_000


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

    def __len__(self) -> int:
        return len(self.submit)

    @property
    def estimate(self) -> NDArray[np.int64]:
        """What a job says of its length: its request, else (no request in the log) its true runtime."""
        return np.where(self.requested > 0, self.requested, self.runtime)


def replayable(log: Log, processors: int) -> Jobs:
    """Drops what never ran or cannot: runtime unknown (negative), neither a request nor a use of processors,
    or more of them than there are. A job takes what it requested (field 8), else what it used (field 5).

    Raises `BadTrace` where nothing is left."""
    requested = log[Field.REQUESTED_PROCESSORS]
    count = np.where(requested > 0, requested, log[Field.PROCESSORS])
    kept = np.flatnonzero((log[Field.RUNTIME] >= 0) & (count > 0) & (count <= processors))
    if not len(kept):
        raise BadTrace(f"{log.path}: none of its jobs fits {processors} processors: give --processors N")
    kept = kept[np.argsort(log[Field.SUBMIT][kept], kind="stable")]
    submit = log[Field.SUBMIT][kept]
    return Jobs(
        submit - submit[0],
        log[Field.RUNTIME][kept],
        count[kept],
        log[Field.REQUESTED_TIME][kept],
        log[Field.USER][kept],
        log[Field.EXECUTABLE][kept],
    )


def run(jobs: Jobs, line: Line, progress: Progress = no_progress) -> NDArray[np.int64]:
    """When each job starts, in seconds since the first submission, shape (jobs,)."""
    total = len(jobs)
    submit, runtime = jobs.submit.tolist(), jobs.runtime.tolist()
    waiting = list(map(Waiting, range(total), jobs.count.tolist(), jobs.estimate.tolist()))
    start = [-1] * total
    ends: list[tuple[int, int]] = []
    arrived = ended = 0
    while ended < total:
        now = submit[arrived] if arrived < total else ends[0][0]
        if ends and ends[0][0] < now:
            now = ends[0][0]
        while ends and ends[0][0] <= now:
            line.end(now, heappop(ends)[1])
            ended += 1
            if ended % TELL_EVERY == 0:
                progress(ended, total)
        while arrived < total and submit[arrived] <= now:
            line.submit(now, waiting[arrived])
            arrived += 1
        for job in line.starts(now):
            start[job] = now
            heappush(ends, (now + runtime[job], job))
    progress(total, total)
    return np.array(start, dtype=np.int64)


_LINES: Final[Mapping[str, Callable[[int], Line]]] = {
    "fifo": InOrder,
    "sjf": lambda slots: InOrder(slots, shortest=True),
    "easy": Easy,
}
POLICIES: Final = tuple(_LINES)


def replay(
    trace: Path, policy: str, processors: int | None = None, seed: int = 42, progress: Progress = no_progress
) -> Outcome:
    """The log in `trace` under one of `POLICIES`, on `processors` (None: those of the log, see
    `Log.processors`), all of them alike. Which jobs are dropped: `replayable`.

    `easy` and `sjf` go by the requested time (field 9); in a log without requests they are told the true
    runtime, which nobody could know. Nothing here is drawn by chance: `seed` is taken for the sake of the
    other formats. Raises `BadTrace`; `ValueError` for an unknown policy.
    """
    if policy not in _LINES:
        raise ValueError(f"unknown policy {policy}: one of {', '.join(POLICIES)}")
    log = read(trace)
    slots = log.processors() if processors is None else processors
    jobs = replayable(log, slots)
    begun = time.process_time()
    start = run(jobs, _LINES[policy](slots), progress)
    taken = time.process_time() - begun
    return Outcome(figures(jobs, start, slots, taken), plot(jobs, start, policy))


def figures(jobs: Jobs, start: NDArray[np.int64], slots: int, cpu_s: float) -> dict[str, JSON]:
    """Of one schedule. Times in seconds; `utilisation`: used slot-seconds over those from the first
    submission to the last end."""
    wait = start - jobs.submit
    stay = wait + jobs.runtime
    slowdown = np.maximum(1.0, stay / np.maximum(jobs.runtime, BOUND_S))
    makespan = int((start + jobs.runtime).max())
    return {
        "mean_jct_s": round(float(stay.mean()), 3),
        "p99_jct_s": round(float(np.percentile(stay, 99)), 3),
        "makespan_s": makespan,
        "mean_wait_s": round(float(wait.mean()), 3),
        "jobs": len(jobs),
        "jobs_per_cpu_s": round(len(jobs) / max(cpu_s, 1e-9)),
        "mean_bounded_slowdown": round(float(slowdown.mean()), 4),
        "p999_wait_s": round(float(np.percentile(wait, 99.9)), 3),
        "utilisation": round(float((jobs.runtime * jobs.count).sum()) / max(1, makespan * slots), 4),
    }


def plot(jobs: Jobs, start: NDArray[np.int64], policy: str) -> Plot:
    """The share of jobs over their wait."""
    shares = np.linspace(0.0, 1.0, 1001)
    hours = np.quantile((start - jobs.submit) / 3600, shares)
    curve = Curve(policy, hours.tolist(), (shares * 100).tolist())
    return Plot("Waits", "wait (h)", "jobs that waited at most so long (%)", (curve,))
