"""Which kinds of job have room now: asked of all kinds at once, so that a plan for a full region passes over
a long queue without a look at most of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from baygrid.core.placement.judging.offers import Judged
from baygrid.core.placement.queue.backlog import Kind
from baygrid.core.placement.room.nodes import FOREVER, Bools, Ints, NodeTable
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.placement.room.rooms import Rooms
from baygrid.core.placement.search import Scene


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Kinds that ask for one model (-1: for none): by kind (row) what a node must give, and which `pools`
    (column) would do. `nodes`: the rows of the node table in these pools, `column` the pool of each."""

    model: int
    kinds: list[Kind]
    cpus: Ints
    memory: Ints
    accelerators: Ints
    share: Ints
    least: Ints
    time_ms: Ints
    pools: Ints
    wanted: Bools
    nodes: Ints
    column: Ints


class Sieve:
    """Made for a set of kinds; asked in every cycle."""

    def __init__(self, judged: Mapping[Kind, Judged], nodes: NodeTable) -> None:
        by_model: dict[int, list[tuple[Kind, Judged, int]]] = {}
        for kind, it in judged.items():
            if len(it.ranked):
                for option, need in enumerate(it.needs):
                    by_model.setdefault(need.model, []).append((kind, it, option))
        self.groups = [_group(model, rows, nodes) for model, rows in sorted(by_model.items())]


class Openings:
    """What the kinds of some sieves find in one plan: less and less."""

    def __init__(self, sieves: Iterable[Sieve], scene: Scene) -> None:
        self._scene = scene
        self._groups = [(group, np.arange(len(group.kinds))) for sieve in sieves for group in sieve.groups]

    def alive(self) -> set[Kind]:
        """Kinds with jobs that some open centre could run if it were empty."""
        found: set[Kind] = set()
        for group, _ in self._groups:
            some = (group.wanted & self._scene.open_pools[group.pools]).any(axis=1)
            found.update(kind for n in np.flatnonzero(some).tolist() if (kind := group.kinds[n]).lines)
        return found

    def roomy(self) -> set[Kind]:
        """Kinds that may start now, reservations and quotas apart."""
        found: set[Kind] = set()
        left = []
        for group, rows in self._groups:
            rows = rows[_roomy(group, rows, self._scene)]
            if len(rows):
                left.append((group, rows))
                found.update(group.kinds[n] for n in rows.tolist())
        self._groups = left
        return found


def _group(model: int, rows: list[tuple[Kind, Judged, int]], nodes: NodeTable) -> _Group:
    wanted = np.zeros((len(rows), len(nodes.where)), dtype=np.bool_)
    for n, (_, it, option) in enumerate(rows):
        mine = it.ranked if len(it.needs) == 1 else it.ranked[it.place[it.ranked] == option]
        wanted[n, it.pool[mine]] = True
    pools = np.flatnonzero(wanted.any(axis=0))
    spans = [np.arange(nodes.starts[pool], nodes.starts[pool + 1]) for pool in pools]
    needs = np.array(
        [
            (need.cpus, need.memory_mib, need.accelerators, need.share, it.least, it.occupies_ms)
            for need, it in ((judged.needs[option], kind.example) for kind, judged, option in rows)
        ],
        dtype=np.int64,
    ).T
    cpus, memory, accelerators, share, least, time_ms = needs
    return _Group(
        model,
        [kind for kind, _, _ in rows],
        cpus,
        memory,
        accelerators,
        share,
        least,
        time_ms,
        pools,
        wanted[:, pools],
        np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64),
        np.repeat(np.arange(len(pools)), [len(span) for span in spans]),
    )


def _roomy(group: _Group, rows: Ints, scene: Scene) -> Bools:
    """Of these kinds of the group: whether a pool that would do has as many nodes with room as it needs."""
    rooms = scene.rooms
    columns = (group.cpus, group.memory, group.accelerators, group.share, group.time_ms)
    needs = _Needs(*(column[rows] for column in columns))
    usable: Bools = rooms.cpus[group.nodes] >= needs.cpus.min()
    usable &= rooms.memory[group.nodes] >= needs.memory.min()
    if group.model >= 0:
        has: Bools = rooms.accelerators[group.model, group.nodes] >= needs.accelerators.min()
        if needs.share.min() < WHOLE:
            has |= rooms.parts.left[group.model, group.nodes] >= needs.share.min()
        usable &= has
    nodes, column = group.nodes[usable], group.column[usable]
    counts = np.zeros((len(rows), len(group.pools)), dtype=np.int32)
    if len(nodes):
        first = np.flatnonzero(np.diff(column, prepend=-1))
        fits = _fits(group.model, needs, rooms, nodes)
        counts[:, column[first]] = np.add.reduceat(fits, first, axis=1, dtype=np.int32)
    enough: Bools = np.greater_equal(counts, group.least[rows, None])
    for at in np.flatnonzero(rooms.nodes.lump[group.pools]).tolist():
        pool = int(group.pools[at])
        limit = rooms.most_pending.get(pool)
        enough[:, at] = counts[:, at] > 0 if limit is None else bool(rooms.pending[pool] < limit)
    enough &= group.wanted[rows]
    enough &= scene.open_pools[group.pools]
    return np.asarray(enough.any(axis=1))


class _Needs(NamedTuple):
    cpus: Ints
    memory: Ints
    accelerators: Ints
    share: Ints
    time_ms: Ints


def _fits(model: int, needs: _Needs, rooms: Rooms, nodes: Ints) -> Bools:
    """Which kinds (row) fit which nodes (column) now, kept places respected."""
    cpus, memory, accelerators, share, time_ms = (column[:, None] for column in needs)
    fits: Bools = rooms.cpus[nodes] >= cpus
    fits &= rooms.memory[nodes] >= memory
    if model >= 0:
        enough: Bools = rooms.accelerators[model, nodes] >= accelerators
        if share.min() < WHOLE:  # of a shared one there is never a whole one left
            enough |= rooms.parts.left[model, nodes] >= share
        fits &= enough
    else:
        fits &= accelerators <= 0
    if rooms.until is None or rooms.spare is None:
        return fits
    promised = np.flatnonzero(rooms.until[nodes] < FOREVER)
    if len(promised):
        at = nodes[promised]
        spare_cpus, spare_memory, spare = rooms.spare
        beside: Bools = spare_cpus[at] >= cpus
        beside &= spare_memory[at] >= memory
        if model >= 0:
            beside &= spare[model, at] >= accelerators
        fits[:, promised] &= beside | (rooms.until[at] >= rooms.now + time_ms)
    return fits
