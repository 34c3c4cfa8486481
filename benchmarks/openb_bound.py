"""The most that any placement could allocate on the openb traces: a linear programme, solved by HiGHS.

Every policy, also one that knows all arrivals and may refuse pods, is at or under the bound, since a real
placement keeps all of these constraints:

- a kind of pod is placed at most as often as it has arrived, on groups of equal nodes where one of it fits;
- each group has its nodes' cpu and memory, as if they were one node;
- each accelerator of a group follows one pattern: a set of shares that fits in one, so that two pods of 0.6
  need two (Gilmore and Gomory, A linear programming approach to the cutting-stock problem, 1961).

Left out: that pods are whole, that one node's cpu cannot help another, and the order of arrival.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from baygrid.core.placement.packing.cluster import Host, Request
from baygrid.core.placement.packing.kernel import WHOLE
from baygrid.replay.openb_trace import Trace, ordered, read

TRACES: Final = Path(os.environ.get("BAYGRID_TRACES", "../shared/traces")) / "openb"
NODES: Final = "openb_node_list_gpu_node.csv"
ORDER: Final = "fgd_arrival_order_tune1.3_seeds42-51.npz"
SEED: Final = 42
LOADS: Final = (100, 130)


def measure(traces: Path = TRACES) -> dict[str, Any]:
    """Per trace `bound_100` and `bound_130`: percent of all accelerators, for the arrivals of seed 42."""
    if not traces.is_dir():
        return {"skipped": f"needs ../shared: there is no {traces}"}
    return {
        pods.stem.removeprefix("openb_pod_list_"): _both(traces, pods)
        for pods in sorted(traces.glob("openb_pod_list_*.csv"))
    }


def _both(traces: Path, pods: Path) -> dict[str, float]:
    trace = read(traces / NODES, pods)
    arrivals, _ = ordered(trace, traces / ORDER, pods, SEED)
    return {f"bound_{load}": round(at_load(trace, arrivals, load), 2) for load in LOADS}


def at_load(trace: Trace, arrivals: NDArray[np.int64], load: float) -> float:
    """The bound, percent of all accelerators, for what `allocation_at` measures at this load: the mean over
    the moments at which what has arrived rounds to it, so all that has arrived at the last of them counts."""
    whole = sum(len(host.models) for host in trace.hosts)
    asked = np.cumsum([trace.pods[row].count * trace.pods[row].share for row in arrivals])
    arrived = arrivals[: np.searchsorted(asked, (load + 0.5) / 100 * WHOLE * whole, side="right")]
    return 100 * bound(trace.hosts, (trace.pods[row] for row in arrived)) / (WHOLE * whole)


def bound(hosts: Iterable[Host], pods: Iterable[Request]) -> float:
    """Thousandths of accelerators that no placement of these pods on these nodes, empty at first, exceeds."""
    groups = Counter(hosts)
    kinds = Counter(replace(pod, models=tuple(sorted(set(pod.models)))) for pod in pods if pod.count)
    pairs = [(kind, group) for kind in kinds for group in groups if _may(kind, group)]
    if not pairs:
        return 0.0
    shares = sorted({kind.share for kind in kinds}, reverse=True)
    cut = patterns(shares)
    programme = _Programme(len(pairs) + len(groups) * len(cut))
    _demand(programme, pairs, kinds)
    _room(programme, pairs, groups)
    _devices(programme, pairs, groups, shares, cut)
    worth = np.zeros(programme.width)
    worth[: len(pairs)] = [kind.count * kind.share for kind, _ in pairs]
    return programme.most(worth)


def patterns(shares: Sequence[int]) -> NDArray[np.int64]:
    """(patterns, shares): how many of each share one accelerator holds. `shares`: different, falling. Only
    full patterns: one to which another share could be added has no use of its own."""
    found: list[tuple[int, ...]] = []

    def fill(taken: tuple[int, ...], left: int) -> None:
        if len(taken) == len(shares):
            if left < shares[-1]:
                found.append(taken)
            return
        for number in range(left // shares[len(taken)], -1, -1):
            fill((*taken, number), left - number * shares[len(taken)])

    fill((), WHOLE)
    return np.array(found, np.int64).reshape(-1, len(shares))


def _may(kind: Request, host: Host) -> bool:
    named = sum(not kind.models or model in kind.models for model in host.models)
    return kind.cpu <= host.cpu and kind.memory <= host.memory and kind.count <= named


class _Programme:
    """max worth x, rows x <= limits, x >= 0: rows are added one by one as {column: factor}."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows: list[int] = []
        self._columns: list[int] = []
        self._factors: list[float] = []
        self._limits: list[float] = []

    def at_most(self, factors: Mapping[int, float], limit: float) -> None:
        self._rows.extend([len(self._limits)] * len(factors))
        self._columns.extend(factors)
        self._factors.extend(factors.values())
        self._limits.append(limit)

    def most(self, worth: NDArray[np.float64]) -> float:
        shape = (len(self._limits), self.width)
        rows = csr_matrix((self._factors, (self._rows, self._columns)), shape)
        solved = linprog(-worth, A_ub=rows, b_ub=self._limits, method="highs")
        if solved.status != 0:
            raise ArithmeticError(f"no bound found: {solved.message}")
        return -float(solved.fun)


def _demand(
    programme: _Programme, pairs: Sequence[tuple[Request, Host]], kinds: Mapping[Request, int]
) -> None:
    columns: dict[Request, list[int]] = {}
    for column, (kind, _) in enumerate(pairs):
        columns.setdefault(kind, []).append(column)
    for kind, mine in columns.items():
        programme.at_most(dict.fromkeys(mine, 1.0), kinds[kind])


def _room(programme: _Programme, pairs: Sequence[tuple[Request, Host]], groups: Mapping[Host, int]) -> None:
    for group, number in groups.items():
        mine = [(column, kind) for column, (kind, where) in enumerate(pairs) if where == group]
        programme.at_most({column: kind.cpu for column, kind in mine}, number * group.cpu)
        programme.at_most({column: kind.memory for column, kind in mine}, number * group.memory)


def _devices(
    programme: _Programme,
    pairs: Sequence[tuple[Request, Host]],
    groups: Mapping[Host, int],
    shares: Sequence[int],
    cut: NDArray[np.int64],
) -> None:
    """The columns after those of `pairs`: how many accelerators of each group follow each pattern."""
    for place, (group, number) in enumerate(groups.items()):
        first = len(pairs) + place * len(cut)
        programme.at_most(dict.fromkeys(range(first, first + len(cut)), 1.0), number * len(group.models))
        for size, share in enumerate(shares):
            held = np.flatnonzero(cut[:, size])
            row = {first + int(pattern): -float(cut[pattern, size]) for pattern in held}
            row |= {
                column: float(kind.count)
                for column, (kind, where) in enumerate(pairs)
                if where == group and kind.share == share
            }
            programme.at_most(row, 0.0)


if __name__ == "__main__":
    for name, bounds in measure().items():
        print(name, bounds)
