"""What the replays of gang jobs share: jobs and a policy in, figures out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.rotation.first_come import first_come
from baygrid.core.placement.rotation.rotate import ORDERS, Course, Gangs, rotate
from baygrid.core.reasons import JSON
from baygrid.replay.outcome import Line, Outcome, Plot

FIFO: Final = "fifo"
POLICIES: Final = (FIFO, *ORDERS)
MOST_GPUS: Final = 100_000
"""Of one pool: every event looks at all its nodes."""


@dataclass(frozen=True, slots=True)
class Job:
    """Seconds, and GPUs that it needs all at once. `toll`: see `core.placement.rotation.course`."""

    submit: float
    gpus: int
    seconds: float
    toll: float = 0.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of the jobs of one pool, seconds, one entry a job: from its submission to its end, of that
    not running, and its end. `cpu_s`: processor time of the decisions."""

    jct: NDArray[np.float64]
    wait: NDArray[np.float64]
    end: NDArray[np.float64]
    cpu_s: float


def run(jobs: Sequence[Job], policy: str, nodes: int, width: int) -> Ran:
    """These jobs on one pool of equal nodes. KeyError for another policy than `POLICIES`; ValueError for
    a job that is wider than the pool."""
    queue = sorted(jobs, key=lambda job: job.submit)
    gangs = Gangs(
        np.array([job.submit for job in queue], np.float64),
        np.array([job.seconds for job in queue], np.float64),
        np.array([job.gpus for job in queue], np.int64),
        np.array([job.toll for job in queue], np.float64),
    )
    began = time.process_time()
    course = _course(gangs, policy, nodes, width)
    cpu_s = time.process_time() - began
    jct = course.end - gangs.submit
    return Ran(jct, np.maximum(jct - course.served(), 0.0), course.end, cpu_s)


def warm(policy: str) -> None:
    """Load or compile what the policy needs, so that it is not timed."""
    run([Job(0.0, 1, 1.0), Job(0.0, 3, 1.0)], policy, 1, 4)


def _course(gangs: Gangs, policy: str, nodes: int, width: int) -> Course:
    if policy == FIFO:
        return first_come(gangs, nodes, width)
    return rotate(gangs, ORDERS[policy], nodes, width)


def outcome(title: str, pools: Sequence[Ran], more: Mapping[str, JSON]) -> Outcome:
    """The figures over all pools. The 99th percentile is that of Muri's figures: the value at rank
    `int(0.99 n)` of the ascending list. Times of `end` count from 0."""
    jct = np.sort(np.concatenate([pool.jct for pool in pools]))
    wait = np.concatenate([pool.wait for pool in pools])
    cpu_s = sum(pool.cpu_s for pool in pools)
    figures: dict[str, JSON] = {
        "mean_jct_s": float(jct.mean()),
        "p99_jct_s": float(jct[int(len(jct) * 0.99)]),
        "makespan_s": float(max(pool.end.max() for pool in pools if len(pool.end))),
        "mean_wait_s": float(wait.mean()),
        "jobs": len(jct),
        "jobs_per_cpu_s": round(len(jct) / max(cpu_s, 1e-9)),
    }
    return Outcome(figures | dict(more), _plot(title, jct))


def _plot(title: str, jct: NDArray[np.float64]) -> Plot:
    shares = np.linspace(0.0, 1.0, min(len(jct), 400))
    hours = np.quantile(jct, shares) / 3600
    return Plot(
        title,
        "hours from submission to end",
        "share of the jobs",
        (Line("jobs", hours.tolist(), shares.tolist()),),
    )
