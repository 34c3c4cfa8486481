"""Placement on the openb traces: the published figures again, how much better policy baygrid does, and how
fast.

python -m benchmarks.openb

Each of the traces there is replayed in the ten published orders of arrival (seeds 42 to 51) by bestfit,
fgd and baygrid. A run is exact where the allocation at 100 % and at 130 % of arrived load is the published
one to 0.01. `of_bound` is baygrid's allocation over the linear programme's bound of `openb_bound`, both
for seed 42. Rates are per CPU-second of the process; latencies are wall time, so they carry the machine's
load.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from baygrid.replay.openb import run
from baygrid.replay.openb_trace import Trace, ordered, read
from benchmarks.openb_bound import LOADS, NODES, ORDER, SEED, TRACES, at_load

PUBLISHED: Final = "fgd_published_analysis_allo_discrete.csv"
PEERS: Final = {"bestfit": "05-BestFit", "fgd": "06-FGD"}
SEEDS: Final = range(42, 52)
EXACT: Final = 0.0101
_COMPILE: Final = """
import time
from baygrid.core.placement.packing.cluster import Cluster, Host, Request
from baygrid.core.placement.packing.packer import Packer
begun = time.process_time()
one = Request(1, 1, 1, 500)
packer = Packer(Cluster([Host(2, 2, ("A",))]), "baygrid", {one: 1})
packer.release(packer.place(packer.shape(one)))
print(time.process_time() - begun)
"""


class Pair(NamedTuple):
    """Percent allocated at 100 % and at 130 % of arrived load."""

    at_100: float
    at_130: float


def measure(traces: Path = TRACES) -> dict[str, Any]:
    """`fidelity` and `rates` by policy, `quality` by trace and in all, `compile_cpu_s` with and without a
    cache."""
    if not traces.is_dir():
        return {"skipped": f"needs ../shared: there is no {traces}"}
    begun = time.process_time()
    published = _published(traces / PUBLISHED)
    fidelity: dict[str, list[tuple[bool, Pair]]] = {peer: [] for peer in PEERS}
    rates: dict[str, list[tuple[float, float, float]]] = {policy: [] for policy in (*PEERS, "baygrid")}
    quality: dict[str, dict[str, float]] = {}
    for pods in sorted(traces.glob("openb_pod_list_*.csv")):
        trace = read(traces / NODES, pods)
        ours: dict[int, Pair] = {}
        for seed in SEEDS:
            for policy in rates:
                got, rate = _run(traces, trace, pods, policy, seed)
                rates[policy].append(rate)
                if policy == "baygrid":
                    ours[seed] = got
                else:
                    said = published[pods.stem, PEERS[policy], seed]
                    named = any(pod.models for pod in trace.pods)
                    fidelity[policy].append((named, Pair(got.at_100 - said.at_100, got.at_130 - said.at_130)))
        fgd = [published[pods.stem, PEERS["fgd"], seed] for seed in SEEDS]
        quality[pods.stem.removeprefix("openb_pod_list_")] = _quality(traces, trace, pods, ours, fgd)
    keys = list(next(iter(quality.values())))
    quality["mean"] = {key: round(statistics.mean(row[key] for row in quality.values()), 3) for key in keys}
    return {
        "fidelity": {policy: _fidelity(errors) for policy, errors in fidelity.items()},
        "quality": quality,
        "rates": {policy: _rates(several) for policy, several in rates.items()},
        "compile_cpu_s": _compile(),
        "cpu_s": round(time.process_time() - begun, 1),
    }


def _run(
    traces: Path, trace: Trace, pods: Path, policy: str, seed: int
) -> tuple[Pair, tuple[float, float, float]]:
    arrivals, ranks = ordered(trace, traces / ORDER, pods, seed)
    figures: dict[str, Any] = dict(run(trace, arrivals, ranks, policy, seed).figures)
    rate = figures["decisions_per_cpu_s"], figures["decision_p50_us"], figures["decision_p99_us"]
    return Pair(figures["allocation_at_100"], figures["allocation_at_130"]), rate


def _quality(
    traces: Path, trace: Trace, pods: Path, ours: dict[int, Pair], fgd: list[Pair]
) -> dict[str, float]:
    """Means over the seeds of baygrid, and of its difference to published fgd; shares of the bound."""
    arrivals, _ = ordered(trace, traces / ORDER, pods, SEED)
    row: dict[str, float] = {}
    for number, load in enumerate(LOADS):
        mean = statistics.mean(pair[number] for pair in ours.values())
        row[f"at_{load}"] = round(mean, 2)
        row[f"over_fgd_{load}"] = round(mean - statistics.mean(pair[number] for pair in fgd), 2)
        row[f"of_bound_{load}"] = round(ours[SEED][number] / at_load(trace, arrivals, load), 4)
    return row


def _fidelity(errors: list[tuple[bool, Pair]]) -> dict[str, float]:
    """`named`: on traces whose pods name models."""
    row: dict[str, float] = {}
    for name, named in (("", False), ("_named", True)):
        some = [pair for models, pair in errors if models == named]
        row[f"runs{name}"] = len(some)
        row[f"exact{name}"] = sum(max(map(abs, pair)) < EXACT for pair in some)
        row[f"mean_error{name}"] = round(statistics.mean(abs(error) for pair in some for error in pair), 4)
    return row


def _rates(several: list[tuple[float, float, float]]) -> dict[str, float]:
    """Of all runs: the median and the least rate, median and greatest latencies in microseconds."""
    rate, p50, p99 = zip(*several, strict=True)
    return {
        "decisions_per_cpu_s": statistics.median(rate),
        "least_per_cpu_s": min(rate),
        "p50_us": round(statistics.median(p50), 2),
        "p99_us": round(statistics.median(p99), 2),
        "greatest_p99_us": round(max(p99), 2),
    }


def _published(path: Path) -> dict[tuple[str, str, int], Pair]:
    with path.open(newline="") as file:
        return {
            (row["workload"], row["sc_policy"], int(row["seed"])): Pair(float(row["100"]), float(row["130"]))
            for row in csv.DictReader(file)
        }


def _compile() -> dict[str, float]:
    """CPU-seconds of the first decision of a process: compiled, and loaded from the compiler's cache."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", _COMPILE],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(2)
        ]
    return {"cold": round(seconds[0], 2), "cached": round(seconds[1], 2)}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
