"""Replay of logs in the Standard Workload Format on one pool of processors."""

from __future__ import annotations

import time
from heapq import heappop, heappush
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.timeline.backfill import Easy, InOrder, Line, Waiting
from baygrid.core.placement.timeline.fair import Fair
from baygrid.core.reasons import JSON
from baygrid.replay.outcome import BadTrace, Outcome, Plot, Progress, no_progress
from baygrid.replay.outcome import Line as Curve
from baygrid.replay.swf_file import Log, read
from baygrid.replay.swf_learned import Jobs, Learned

BOUND_S: Final = 10
"""Jobs shorter than this count as this long in slowdowns (Feitelson's usual bound)."""

TELL_EVERY: Final = 1_000
POLICIES: Final = ("fifo", "sjf", "easy", "fairshare", "baygrid")

FEW: Final = Jobs(
    *(np.array(it) for it in ([0, 0, 1], [3, 3, 3], [1, 1, 1], [3, 3, 3], [0, 0, 0], [0, 0, 0]))
)
"""Run once before the clock is read, so that compiling is not in the rate."""


def replayable(log: Log, processors: int) -> Jobs:
    """Drops what never ran or cannot: runtime unknown, no use of processors, or more than there are.

    Raises `BadTrace` where nothing is left."""
    rows = log.by_submission(log.width <= processors)
    if not len(rows):
        raise BadTrace(f"{log.path}: none of its jobs fits {processors} processors: give --processors N")
    return Jobs.of(log, rows)


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


def replay(
    trace: Path, policy: str, processors: int | None = None, seed: int = 42, progress: Progress = no_progress
) -> Outcome:
    """The log in `trace` under one of `POLICIES`, on `processors` (None: those of the log, see
    `Log.processors`), all of them alike. Which jobs are dropped, and counted as `skipped`: `replayable`.

    What a job asks for is its field 9. Where a log has no requests, all policies are told the true runtime
    instead, as if users knew it. fairshare: users (field 12) with equal shares. baygrid: due dates
    (`timeline.due`), with lengths expected from jobs that have ended. Nothing is drawn by chance: `seed` is
    there as for other formats.

    baygrid also tells each job that does not start when it comes a range for its start, and adds to the
    figures: `starts_told`, to how many; `starts_in_range`, the part of them that started within P10-P90;
    `starts_in_range_of_all`, the same of all jobs, where one that started at once counts as foreseen.
    Raises `BadTrace`; `ValueError` for an unknown policy.
    """
    if policy not in POLICIES:
        raise ValueError(f"unknown policy {policy}: one of {', '.join(POLICIES)}")
    log = read(trace)
    slots = log.processors() if processors is None else processors
    jobs = replayable(log, slots)
    line = line_of(policy, jobs, slots)
    run(FEW, line_of(policy, FEW, 1))
    begun = time.process_time()
    start = run(jobs, line, progress)
    taken = time.process_time() - begun
    found = figures(jobs, start, slots, taken)
    if skipped := len(log.table) - len(jobs):
        found["skipped"] = skipped
    if isinstance(line, Learned):
        found |= line.foreseen(start)
    return Outcome(found, plot(jobs, start, policy))


def line_of(policy: str, jobs: Jobs, slots: int) -> Line:
    match policy:
        case "fifo" | "sjf":
            return InOrder(slots, shortest=policy == "sjf")
        case "easy":
            return Easy(slots)
        case "fairshare":
            owners = [(str(user),) for user in jobs.user.tolist()]
            return Fair(slots, owners.__getitem__)
    return Learned(jobs, slots)


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
