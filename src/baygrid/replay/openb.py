"""Replay of the openb traces (Alibaba, cluster-trace-gpu-v2023): pods arrive one by one, none leaves.

Each pod is tried once, in order; one that fits nowhere is dropped. The measure is the part of the
accelerators that is allocated when pods for 100 % and 130 % of them have arrived (Weng et al., ATC'23,
section 6.2).
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.packing.cluster import Cluster
from baygrid.core.placement.packing.kernel import POLICIES
from baygrid.core.placement.packing.packer import Packer
from baygrid.replay.openb_trace import Trace, inflated, ordered, read
from baygrid.replay.outcome import Line, Outcome, Plot, Progress, no_progress

PLACEMENTS: Final = POLICIES
_STEP: Final = 500


def replay(
    nodes: Path,
    pods: Path,
    placement: str,
    seed: int,
    order: Path | None = None,
    progress: Progress = no_progress,
) -> Outcome:
    """Place the pods of a trace on its nodes by one placement policy.

    `order`: an .npz file with arrays `T_S` (pods in the order of arrival, as rows of the pods file) and
    `perm_T_S` (each node's rank when scores are equal), for T of `openb_pod_list_T.csv` and S the seed.
    Without it the pods are shuffled by the seed, and pods drawn from the file are added up to 130 % of the
    accelerators. Raises `BadTrace`.
    """
    trace = read(nodes, pods)
    arrivals, ranks = ordered(trace, order, pods, seed) if order else inflated(trace, seed)
    return run(trace, arrivals, ranks, placement, seed, progress)


def run(
    trace: Trace,
    arrivals: NDArray[np.int64],
    ranks: NDArray[np.int64],
    placement: str,
    seed: int,
    progress: Progress = no_progress,
) -> Outcome:
    """`arrivals`: rows of the trace's pods, in order. `ranks`: of its nodes, for ties."""
    packer = Packer(trace.cluster(ranks), placement, Counter(trace.pods))
    _warm(trace, placement)
    shapes = [packer.shape(trace.pods[row]) for row in arrivals.tolist()]
    draws = np.random.default_rng(seed).random(len(shapes)).tolist()
    taken = np.zeros(len(shapes), bool)
    spent = np.zeros(len(shapes), np.int64)
    begun = time.process_time()
    for number, shape in enumerate(shapes):
        before = time.perf_counter_ns()
        placed = packer.place(shape, draws[number])
        spent[number] = time.perf_counter_ns() - before
        taken[number] = placed is not None
        if number % _STEP == 0:
            progress(number, len(shapes))
    cpu_s = time.process_time() - begun
    progress(len(shapes), len(shapes))
    arrived, allocated = _ratios(trace, arrivals, taken)
    p50, p99 = np.percentile(spent, [50, 99]) / 1000
    figures = {
        "allocation_at_100": allocation_at(arrived, allocated, 100),
        "allocation_at_130": allocation_at(arrived, allocated, 130),
        "placed": int(taken.sum()),
        "failed": int((~taken).sum()),
        "decisions_per_cpu_s": round(len(shapes) / max(cpu_s, 1e-9)),
        "decision_p50_us": round(float(p50), 2),
        "decision_p99_us": round(float(p99), 2),
    }
    line = Line(placement, arrived.tolist(), allocated.tolist())
    return Outcome(
        figures, Plot("Accelerators allocated", "arrived, % of all", "allocated, % of all", (line,))
    )


def _warm(trace: Trace, placement: str) -> None:
    """Have the kernels compiled, or loaded, before the clock runs."""
    packer = Packer(Cluster(trace.hosts[:1]), placement, Counter(trace.pods[:1]))
    placed = packer.place(packer.shape(trace.pods[0]))
    if placed:
        packer.release(placed)


def _ratios(
    trace: Trace, arrivals: NDArray[np.int64], taken: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Arrived and allocated, percent of all accelerators, after each pod."""
    asked = np.array([pod.count * pod.share for pod in trace.pods], np.int64)[arrivals]
    whole = sum(len(host.models) for host in trace.hosts)
    return np.cumsum(asked) / whole / 10, np.cumsum(asked * taken) / whole / 10


def allocation_at(arrived: NDArray[np.float64], allocated: NDArray[np.float64], load: int) -> float | None:
    """The mean of what was allocated while `load` percent had arrived (rounded), percent to two places;
    None: the trace does not reach that load."""
    there = np.rint(arrived) == load
    return round(float(np.round(allocated[there], 2).mean()), 2) if there.any() else None
