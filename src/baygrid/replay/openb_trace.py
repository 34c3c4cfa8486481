"""Reads the openb files: a list of nodes, lists of pods, and arrays that fix an order of arrival."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.packing.cluster import Cluster, Host, Request
from baygrid.core.placement.packing.kernel import WHOLE
from baygrid.replay.outcome import BadTrace
from baygrid.replay.rows import number, rows

INFLATED: Final = 1.3
"""Pods arrive until they ask for this part of all accelerators."""
MOST: Final = 2**53
"""Of cpu_milli and memory_mib: what floating point still counts one by one."""
MOST_GPUS: Final = 1024
"""Of one node or pod: the packer keeps a column for each."""
_NODE_FIELDS: Final = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
_POD_FIELDS: Final = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")


@dataclass(frozen=True, slots=True)
class Trace:
    """Nodes in the order of their names, pods in the order of the file."""

    hosts: tuple[Host, ...]
    pods: tuple[Request, ...]
    names: tuple[str, ...]

    def cluster(self, ranks: NDArray[np.int64]) -> Cluster:
        """The nodes, empty; `ranks`: which comes first when scores are equal."""
        return Cluster([self.hosts[row] for row in np.argsort(ranks, kind="stable").tolist()])


def read(nodes: Path, pods: Path) -> Trace:
    """Raises `BadTrace` with the file, the line and what belongs there."""
    hosts: dict[str, Host] = {}
    for line, row in rows(nodes, _NODE_FIELDS):
        name = row["sn"]
        if not name or name in hosts:
            raise BadTrace(
                f"{nodes}, line {line}: {name or 'no name'}: every node needs a name of its own in sn"
            )
        gpus = _count(nodes, line, row, "gpu", MOST_GPUS)
        model = row["model"].strip()
        if gpus and not model:
            raise BadTrace(f"{nodes}, line {line}: {name} has accelerators and no model: name it in model")
        cpu, memory = _count(nodes, line, row, "cpu_milli"), _count(nodes, line, row, "memory_mib")
        hosts[name] = Host(cpu, memory, (model,) * gpus)
    requests: list[Request] = []
    names: list[str] = []
    for line, row in rows(pods, _POD_FIELDS):
        requests.append(_pod(pods, line, row))
        names.append(row["name"])
    if not any(host.models for host in hosts.values()):
        raise BadTrace(f"{nodes}: no node has an accelerator: this replay measures how many are allocated")
    _placeable(nodes, pods, hosts.values(), requests)
    return Trace(tuple(hosts[name] for name in sorted(hosts)), tuple(requests), tuple(names))


def _placeable(nodes: Path, pods: Path, hosts: Iterable[Host], requests: Iterable[Request]) -> None:
    """Refuses pods that all insist on models of other nodes: the wrong file of the two, most likely."""
    there = {model for host in hosts for model in host.models}
    named = [request.models for request in requests if request.count]
    if named and all(models and there.isdisjoint(models) for models in named):
        asked = ", ".join(sorted({model for models in named for model in models})[:10])
        has = ", ".join(sorted(there))
        raise BadTrace(f"{pods}: no node of {nodes} has any of these models: {asked}: there are {has}")


def _pod(path: Path, line: int, row: Mapping[str, str]) -> Request:
    count = _count(path, line, row, "num_gpu", MOST_GPUS)
    share = min(_count(path, line, row, "gpu_milli"), WHOLE) if count else 0
    if count and not share:
        raise BadTrace(f"{path}, line {line}: {count} accelerators of gpu_milli 0: write 1 to {WHOLE}")
    models = tuple(name for name in (row.get("gpu_spec") or "").split("|") if name) if count else ()
    cpu, memory = _count(path, line, row, "cpu_milli"), _count(path, line, row, "memory_mib")
    return Request(cpu, memory, count, share, models)


def _count(path: Path, line: int, row: Mapping[str, str], field: str, most: int = MOST) -> int:
    return int(number(path, line, row, field, whole=True, most=most))


def ordered(trace: Trace, order: Path, pods: Path, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The order of arrival and the ranks of the nodes from an .npz file, for this pods file and seed."""
    name = pods.name.removesuffix(".csv").removeprefix("openb_pod_list_")
    needed = f"arrays {name}_{seed} and perm_{name}_{seed}"
    try:
        with np.load(order, allow_pickle=False) as arrays:
            known = sorted(key for key in arrays if not key.startswith("perm_"))
            if f"{name}_{seed}" not in known or f"perm_{name}_{seed}" not in arrays:
                seeds = ", ".join(known[:20])
                raise BadTrace(f"{order}: no {needed}: it has {seeds} ...")
            arrivals = arrays[f"{name}_{seed}"].astype(np.int64)
            ranks = arrays[f"perm_{name}_{seed}"].astype(np.int64)
    except OSError as error:
        raise BadTrace(f"{order}: cannot be read: {error.strerror or error}") from None
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise BadTrace(f"{order}: is not an .npz file with {needed}") from None
    if arrivals.size and not 0 <= arrivals.min() <= arrivals.max() < len(trace.pods):
        raise BadTrace(f"{order}: {name}_{seed} names pod {arrivals.max()} of {len(trace.pods)} in {pods}")
    if ranks.shape != (len(trace.hosts),):
        raise BadTrace(
            f"{order}: perm_{name}_{seed} ranks {ranks.size} nodes, and there are {len(trace.hosts)}"
        )
    return arrivals, ranks


def inflated(trace: Trace, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pods shuffled by the seed, and more drawn from the file until they ask for 130 % of the
    accelerators; a trace that asks for more loses pods by chance (Weng et al., ATC'23, section 6.1). Nodes
    are ranked by chance too."""
    chance = np.random.default_rng(seed)
    asked = np.array([pod.count * pod.share for pod in trace.pods], np.int64)
    limit = int(INFLATED * WHOLE * sum(len(host.models) for host in trace.hosts))
    arrivals = chance.permutation(len(trace.pods)).tolist()
    total = int(asked.sum())
    while total > limit:
        total -= int(asked[arrivals.pop()])
    while asked.any():
        row = int(chance.integers(len(trace.pods)))
        total += int(asked[row])
        if total > limit:
            break
        arrivals.append(row)
    return np.array(arrivals, np.int64), chance.permutation(len(trace.hosts))
