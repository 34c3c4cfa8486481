"""Replay of a log of many sites (SWF, field 16), whose jobs a broker may send to any of them.

Of each site the broker knows what it was sent, and what had ended there some seconds ago. Beside it stand two
ways without a broker: every job at the site of its record (`isolated`), and all processors as one pool
that knows itself at every moment, first come first served (`pooled`).
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.federation.broker import Broker, Job, Order, by_arrival, short_first
from baygrid.core.placement.federation.view import View
from baygrid.core.reasons import JSON
from baygrid.replay import carbon as grid
from baygrid.replay.carbon import Grids
from baygrid.replay.federation_log import Federation, federation
from baygrid.replay.outcome import Line, Outcome, Plot, Progress, no_progress
from baygrid.replay.sites import Site, in_order
from baygrid.replay.swf import figures

ORDERS: Final[dict[str, Order]] = {"fifo": by_arrival, "baygrid": short_first}
RANDOM: Final = "random"
POLICIES: Final = (RANDOM, *ORDERS)
TELL_EVERY: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """When and where each job started: seconds since the first submission, index of the site."""

    start: NDArray[np.int64]
    site: NDArray[np.int64]


def run(
    fed: Federation, order: Order, stale: int, grids: Grids | None = None, progress: Progress = no_progress
) -> Course:
    """All jobs through a broker that hears of an end `stale` seconds after it. With `grids` it prefers, among
    the sites with room, those of the least intensity now."""
    jobs, total = fed.jobs, len(fed.jobs)
    submit, runtime = jobs.submit.tolist(), jobs.runtime.tolist()
    told_of = list(
        map(Job, range(total), jobs.user.tolist(), jobs.count.tolist(), jobs.estimate.tolist(), submit)
    )
    widths, starts, where = jobs.count.tolist(), [-1] * total, [-1] * total
    sites = [Site(capacity, widths, runtime, starts) for capacity in fed.capacity.tolist()]
    broker = Broker(fed.capacity.tolist(), stale, order)
    ends: list[tuple[int, int]] = []
    reports: deque[tuple[int, int]] = deque()
    arrived = over = 0
    while over < total:
        arrival = submit[arrived] if arrived < total else math.inf
        report = reports[0][0] if reports else math.inf
        if ends and ends[0][0] <= min(arrival, report):
            now, job = heappop(ends)
            reports.append((now + stale, job))
            for started in sites[where[job]].ends(job, now):
                heappush(ends, started)
            continue
        now = int(min(arrival, report))
        while reports and reports[0][0] == now:
            _, job = reports.popleft()
            broker.ended(told_of[job], where[job], runtime[job])
            over += 1
            if over % TELL_EVERY == 0:
                progress(over, total)
        while arrived < total and submit[arrived] == now:
            broker.submit(told_of[arrived])
            arrived += 1
        for sent, site in broker.send(grids.intensity(now) if grids else None):
            where[sent.id] = site
            for started in sites[site].arrives(sent.id, now):
                heappush(ends, started)
    progress(total, total)
    return Course(np.array(starts, dtype=np.int64), np.array(where, dtype=np.int64))


def at_sites(fed: Federation, site: NDArray[np.int64]) -> Course:
    """Every job at once to a site that was chosen without looking; one that is wider than its site never
    starts (-1)."""
    columns = (fed.jobs.submit.tolist(), fed.jobs.count.tolist(), fed.jobs.runtime.tolist())
    starts = [-1] * len(fed.jobs)
    for number, capacity in enumerate(fed.capacity.tolist()):
        here = np.flatnonzero((site == number) & (fed.jobs.count <= capacity))
        in_order(here.tolist(), capacity, *columns, starts)
    return Course(np.array(starts, dtype=np.int64), site)


def pooled(fed: Federation) -> NDArray[np.int64]:
    """The waits of one pool, first come first served."""
    columns = (fed.jobs.submit.tolist(), fed.jobs.count.tolist(), fed.jobs.runtime.tolist())
    starts = [-1] * len(fed.jobs)
    in_order(range(len(fed.jobs)), int(fed.capacity.sum()), *columns, starts)
    return np.array(starts, dtype=np.int64) - fed.jobs.submit


def isolated(fed: Federation) -> NDArray[np.int64]:
    """The waits at home, of the jobs that are not wider than their site."""
    start = at_sites(fed, fed.home).start
    return (start - fed.jobs.submit)[start >= 0]


def by_chance(fed: Federation, seed: int) -> Course:
    """Each job to a site drawn by capacity, among those as wide as the job."""
    generator = np.random.default_rng(seed)
    site = np.empty(len(fed.jobs), dtype=np.int64)
    for width in np.unique(fed.jobs.count):
        wide = np.where(fed.capacity >= width, fed.capacity, 0)
        here = fed.jobs.count == width
        site[here] = generator.choice(len(wide), size=int(here.sum()), p=wide / wide.sum())
    return at_sites(fed, site)


def replay(
    trace: Path,
    policy: str,
    capacity: float,
    stale: int = 300,
    seed: int = 42,
    carbon: Sequence[Path] = (),
    progress: Progress = no_progress,
) -> Outcome:
    """The log in `trace` under one of `POLICIES`; sites with `capacity` of their recorded peak, news of them
    `stale` seconds old. `seed`: of the policy `random`.

    `carbon`: files of grids, see `carbon.read` and `Grids`; the log's days are moved to the same days of the
    series' years. Then the broker prefers clean sites, and the same one, blind, is run beside it.
    Raises `BadTrace`; ValueError for a policy or a capacity that cannot be.
    """
    if policy not in POLICIES:
        raise ValueError(f"unknown policy {policy}: one of {', '.join(POLICIES)}")
    if not 0 < capacity <= 100:
        raise ValueError(f"a capacity is above 0 and at most 100 times the peak, not {capacity:g}")
    fed = federation(trace, capacity)
    grids = _grids(fed, carbon) if carbon else None

    def course(grids: Grids | None) -> Course:
        return by_chance(fed, seed) if policy == RANDOM else run(fed, ORDERS[policy], stale, grids, progress)

    View((1,), stale).choose(1)  # compiled before the clock starts
    began = time.process_time()
    chosen = course(grids)
    taken = time.process_time() - began
    waits = {policy: chosen.start - fed.jobs.submit, "pooled-fifo": pooled(fed), "isolated": isolated(fed)}
    told = dict(figures(fed.jobs, chosen.start, int(fed.capacity.sum()), taken))
    told |= _compared(waits, policy)
    if grids is not None:
        told |= _carbon(fed, grids, chosen, course(None))
    return Outcome(told, _plot(waits))


def _grids(fed: Federation, carbon: Sequence[Path]) -> Grids:
    series = grid.read(carbon)
    span = int(fed.jobs.submit[-1])
    return Grids(
        [it.starting(int(it.at[0]) if fed.begin is None else fed.begin, span) for it in series], fed.capacity
    )


def _compared(waits: dict[str, NDArray[np.int64]], policy: str) -> dict[str, JSON]:
    """The tails are told beside the means: an order that favours short jobs pays with long ones."""
    p99, p999 = np.percentile(waits[policy], (99, 99.9))
    pooled_p99, pooled_p999 = np.percentile(waits["pooled-fifo"], (99, 99.9))
    return {
        "p99_wait_s": round(float(p99), 3),
        "p999_wait_s": round(float(p999), 3),
        "pooled_fifo_wait_s": round(float(waits["pooled-fifo"].mean()), 3),
        "pooled_fifo_p99_wait_s": round(float(pooled_p99), 3),
        "pooled_fifo_p999_wait_s": round(float(pooled_p999), 3),
        "isolated_wait_s": round(float(waits["isolated"].mean()), 3),
        "isolated_too_wide": len(waits[policy]) - len(waits["isolated"]),
    }


def _carbon(fed: Federation, grids: Grids, chosen: Course, blind: Course) -> dict[str, JSON]:
    ours, theirs = _kilograms(fed, grids, chosen), _kilograms(fed, grids, blind)
    return {
        "gco2_kg": round(ours, 3),
        "gco2_blind_kg": round(theirs, 3),
        "mean_wait_blind_s": round(float((blind.start - fed.jobs.submit).mean()), 3),
        "gco2_saved_percent": round(100 * (1 - ours / theirs), 3) if theirs else 0.0,
    }


def _kilograms(fed: Federation, grids: Grids, course: Course) -> float:
    return grids.kilograms(course.site, course.start, course.start + fed.jobs.runtime, fed.jobs.count)


def _plot(waits: dict[str, NDArray[np.int64]]) -> Plot:
    """The share of jobs over their wait."""
    shares = np.linspace(0.0, 1.0, 1001)
    lines = tuple(
        Line(name, (np.quantile(wait, shares) / 60).tolist(), (shares * 100).tolist())
        for name, wait in waits.items()
    )
    return Plot(
        "Waits in a federation", "wait (min)", "jobs that waited at most so long (%)", lines, log_x=True
    )
