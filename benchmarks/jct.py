"""Mean job completion time on Muri's traces, beside the published figures and what no schedule can beat.

    python -m benchmarks.jct

The bound is the greatest of three, each of which holds for every schedule that may interrupt gangs but
shares no GPU between them:

- all GPUs as one machine that any job can use whole, under shortest remaining processing time, which is
  optimal there (Schrage, 1968);
- mean busy times: a job ends at least half its duration after the mean of the times at which it runs, and
  the sum of these means is least on that one machine when the smallest job runs first (Goemans,
  "Improved approximation algorithms for scheduling with release dates", 1997);
- the mean duration.

The published figures carry charges (see `baygrid.replay.muri`), our own orders and the bound do not. So each
own order is shown a second time under the same charges: those ratios compare like with like.
"""

from __future__ import annotations

import os
import re
import statistics
from collections.abc import Sequence
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final

from baygrid.replay import muri
from baygrid.replay.gangs import POLICIES, Job, outcome, run, warm

TRACES: Final = Path(os.environ.get("BAYGRID_TRACES", "../shared/traces")) / "philly"
PUBLISHED: Final = "muri_published_raw_fig9-10.txt"
PEERS: Final = {"srsf": "SRSF", "tiresias": "Tiresias_L", "themis": "themis"}
OURS: Final = ("baygrid-informed", "baygrid")
REPEATS: Final = 5
NODES, WIDTH = 8, 8


def measure(traces: Path = TRACES) -> dict[str, Any]:
    """Per trace the bound and, per policy, `mean_jct_s`, its ratio to the bound and to the published peers,
    the same under the published charges (`_charged`), and jobs per CPU-second (median of five)."""
    if not (traces / PUBLISHED).is_file():
        return {"skipped": f"needs ../shared: there is no {traces / PUBLISHED}"}
    published = _published(traces / PUBLISHED)
    for policy in POLICIES:
        warm(policy)
    return {
        trace: _trace(traces / f"muri_{trace}.csv", {peer: its[trace] for peer, its in published.items()})
        for trace in next(iter(published.values()))
        if (traces / f"muri_{trace}.csv").is_file()
    }


def _trace(path: Path, peers: dict[str, float]) -> dict[str, Any]:
    plain, charged = muri.jobs(path, charged=False), muri.jobs(path, charged=True)
    least = bound(plain, NODES * WIDTH)
    table: dict[str, Any] = {"jobs": len(plain), "bound_s": round(least)}
    for policy in POLICIES:
        jct, rate = _mean(charged if policy in muri.PUBLISHED else plain, policy)
        row = {"mean_jct_s": round(jct, 1), "of_bound": round(jct / least, 4)}
        row |= {f"of_{peer}": round(jct / its, 4) for peer, its in peers.items()}
        if policy in OURS:
            same, _ = _mean(charged, policy)
            row |= {f"of_{peer}_charged": round(same / its, 4) for peer, its in peers.items()}
        table[policy] = row | {"jobs_per_cpu_s": rate}
    return table


def _mean(jobs: Sequence[Job], policy: str) -> tuple[float, int]:
    """Mean completion time, and the median rate."""
    all_figures = [outcome("", [run(jobs, policy, NODES, WIDTH)], {}).figures for _ in range(REPEATS)]
    rates = [int(str(figures["jobs_per_cpu_s"])) for figures in all_figures]
    return float(str(all_figures[0]["mean_jct_s"])), round(statistics.median(rates))


def bound(jobs: Sequence[Job], gpus: int) -> float:
    """Seconds that the mean completion time of these jobs on so many GPUs cannot go under."""
    duration = statistics.fmean(job.seconds for job in jobs)
    end, _ = _one_machine(jobs, gpus, shortest=True)
    _, busy = _one_machine(jobs, gpus, shortest=False)
    return max(end, busy + duration / 2, duration)


def _one_machine(jobs: Sequence[Job], gpus: int, *, shortest: bool) -> tuple[float, float]:
    """Mean time from submission to the end, and to the mean of the times at which a job runs, on one machine
    as fast as all GPUs. First is the least remaining work, or else the least work as submitted."""
    queue = sorted(jobs, key=lambda job: job.submit)
    whole = [job.seconds * job.gpus / gpus for job in queue]
    ready: list[tuple[float, int, float]] = []
    now, ends, busy, arrived = 0.0, 0.0, 0.0, 0
    while ready or arrived < len(queue):
        if not ready:
            now = max(now, queue[arrived].submit)
        while arrived < len(queue) and queue[arrived].submit <= now:
            heappush(ready, (whole[arrived], arrived, whole[arrived]))
            arrived += 1
        _, job, left = heappop(ready)
        until = queue[arrived].submit if arrived < len(queue) else float("inf")
        spent = min(left, until - now)
        busy += (now + spent / 2 - queue[job].submit) * (spent / whole[job] if whole[job] else 1.0)
        now += spent
        if spent < left:
            heappush(ready, (left - spent if shortest else whole[job], job, left - spent))
        else:
            ends += now - queue[job].submit
    return ends / len(queue), busy / len(queue)


def _published(path: Path) -> dict[str, dict[str, float]]:
    """Mean JCT (s) by peer and trace, from the lists behind Muri's figures."""
    text = path.read_text()
    traces = _list(text, r"# \[(trace.*?)\]")
    found = {peer: _list(text, rf"^{name}_JCT_raw = \[(.*?)\]") for peer, name in PEERS.items()}
    return {peer: dict(zip(traces, map(float, its), strict=True)) for peer, its in found.items()}


def _list(text: str, pattern: str) -> list[str]:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise ValueError(f"the published figures have no line {pattern}")
    return found[1].split(", ")


if __name__ == "__main__":
    print(f"load average {os.getloadavg()[0]:.1f}")
    for name, table in measure().items():
        if isinstance(table, str):
            print(name, table)
            continue
        print(name, f"jobs {table.pop('jobs'):,}", f"bound {table.pop('bound_s'):,} s")
        for policy, row in table.items():
            print(f"  {policy:17}", "  ".join(f"{key} {value:,}" for key, value in row.items()))
