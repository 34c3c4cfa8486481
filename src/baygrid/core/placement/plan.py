"""The plan: image, waiting jobs, policy and shares in; who runs where, who makes room and who waits, with
reasons, out. Nothing is changed.

What offers are worth to a kind of job is kept between cycles; that changes no plan, only what one costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from baygrid.core.placement.backlog import Backlog, Kind
from baygrid.core.placement.cycle import Cycle
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.explaining import best_free, fits_now, lines_of, waits
from baygrid.core.placement.image import Image
from baygrid.core.placement.nearest import nearest
from baygrid.core.placement.nodes import Bools, Ints, NodeTable
from baygrid.core.placement.offers import Judged, OfferTable
from baygrid.core.placement.planned import Assignment, Kept, Plan, Preemption
from baygrid.core.placement.policy import Policy
from baygrid.core.placement.quota import Quotas
from baygrid.core.placement.room import Rooms
from baygrid.core.placement.scorers import declared
from baygrid.core.placement.search import STANDARD, Scene
from baygrid.core.placement.share import Capacity, Shares
from baygrid.core.reasons import Explanation

__all__ = ["Assignment", "Kept", "Plan", "Planner", "Preemption", "explain", "impossible", "plan"]

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Every candidate of every kind: which kind, which pool, and what one node of it needs."""

    kinds: list[Kind]
    kind: Ints
    pool: Ints
    cpus: Ints
    memory: Ints
    model: Ints
    accelerators: Ints


class Planner:
    """Keeps verdicts while the region's layout, the policy and (where something depends on it) the hour are
    the same."""

    def __init__(self) -> None:
        self._table: OfferTable | None = None
        self._capacity: Capacity | None = None
        self._made_for: tuple[object, ...] = ()
        self._judged: dict[Kind, Judged] = {}
        self._pairs: _Pairs | None = None

    def plan(self, image: Image, backlog: Backlog, policy: Policy, shares: Shares, now: int) -> Plan:
        """Place what fits, in the order of turns. Equal inputs give equal plans, whatever was planned
        before."""
        scene = self.scene(image, policy, now)
        self._judge(scene.table, backlog)
        assert self._pairs is not None
        assert self._capacity is not None
        cycle = Cycle(image, backlog, policy, shares, scene, self._capacity, self._judged)
        return cycle.run(self._alive(self._pairs, scene), lambda: self._roomy(scene))

    def explain(
        self, image: Image, demand: Demand, policy: Policy, shares: Shares, backlog: Backlog, now: int
    ) -> Explanation:
        """As `explain`."""
        scene = self.scene(image, policy, now)
        waiting = demand.job in backlog
        if not waiting:
            backlog.add(demand)
        try:
            demand = backlog.get(demand.job)
            self._judge(scene.table, backlog)
            assert self._pairs is not None
            assert self._capacity is not None
            cycle = Cycle(image, backlog, policy, shares, scene, self._capacity, self._judged)
            cycle.run(self._alive(self._pairs, scene), lambda: self._roomy(scene), until=demand.job)
            judged = self._judged[backlog.line(demand.job).kind]
            lines = lines_of(image, scene, demand, judged, cycle.kept)
            best = best_free(judged, lines)
            if best is not None:
                return fits_now(scene.table, judged, lines, best)
            return waits(scene.table, judged, lines, {}, "", {})
        finally:
            if not waiting:
                backlog.remove(demand.job)

    def scene(self, image: Image, policy: Policy, now: int) -> Scene:
        nodes = image.nodes(lumped(policy))
        hour = now // _HOUR_MS % 24 if declared(policy) else -1
        made_for = (nodes, image.layout, policy, hour)
        if self._table is None or not _same(made_for, self._made_for):
            self._table = OfferTable(image, nodes, policy, hour)
            self._capacity = Capacity.of(image, policy)
            self._made_for = made_for
            self._judged = {}
            self._pairs = None
        return Scene(
            self._table,
            Rooms(nodes, policy, image.pending, now),
            Quotas(policy, image.used),
            open_pools(image, nodes),
        )

    def _judge(self, table: OfferTable, backlog: Backlog) -> None:
        kinds = backlog.kinds.values()
        fresh = [kind for kind in kinds if kind not in self._judged]
        if fresh or self._pairs is None or len(self._judged) > 2 * len(kinds) + 64:
            for kind in fresh:
                self._judged[kind] = table.judge(kind.example)
            self._judged = {kind: self._judged[kind] for kind in kinds}
            self._pairs = _pairs(self._judged)

    def _alive(self, pairs: _Pairs, scene: Scene) -> set[Kind]:
        """Kinds that some open centre could run if it were empty."""
        return self._some(pairs, scene.open_pools[pairs.pool])

    def _roomy(self, scene: Scene) -> set[Kind]:
        """Kinds that may fit now: an open pool has enough of everything, if not on one node."""
        assert self._pairs is not None
        pairs, rooms, nodes = self._pairs, scene.rooms, scene.table.nodes
        pools = len(nodes.where)
        cpus, memory = _largest(rooms.cpus, nodes), _largest(rooms.memory, nodes)
        found = scene.open_pools[pairs.pool]
        found &= cpus[pairs.pool] >= pairs.cpus
        found &= memory[pairs.pool] >= pairs.memory
        by_model = np.zeros((len(nodes.models) + 1, pools), dtype=np.int64)
        for number, amounts in enumerate(rooms.accelerators):
            by_model[number] = _largest(amounts, nodes)
        found &= by_model[pairs.model, pairs.pool] >= pairs.accelerators
        for pool, limit in rooms.most_pending.items():
            mine = pairs.pool == pool
            found[mine] = scene.open_pools[pool] and rooms.pending[pool] < limit
        return self._some(pairs, found)

    def _some(self, pairs: _Pairs, mask: Bools) -> set[Kind]:
        return {pairs.kinds[n] for n in np.unique(pairs.kind[mask]).tolist()}


def plan(image: Image, backlog: Backlog, policy: Policy, shares: Shares, now: int) -> Plan:
    """As `Planner.plan`, from nothing."""
    return Planner().plan(image, backlog, policy, shares, now)


def explain(
    image: Image, demand: Demand, policy: Policy, shares: Shares, backlog: Backlog, now: int
) -> Explanation:
    """What stands between one demand and each candidate now, at its turn. `backlog` is as before afterwards;
    meanwhile it must not be used."""
    return Planner().explain(image, demand, policy, shares, backlog, now)


def impossible(image: Image, demand: Demand) -> Explanation | None:
    """None where waiting may help; else why it cannot, and the nearest demand that would fit. Looks at totals
    only."""
    return nearest(image, demand, STANDARD)


def lumped(policy: Policy) -> frozenset[str]:
    """Centres of whose partitions only the sums count: their own scheduler chooses nodes."""
    return frozenset(name for name, centre in policy.centres.items() if not centre.managed)


def open_pools(image: Image, nodes: NodeTable) -> Bools:
    takes = {name for name, centre in image.centres.items() if centre.open and centre.silent_s is None}
    return np.array([centre in takes for centre, _ in nodes.where], dtype=np.bool_)


def _same(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    return len(a) == len(b) and a[0] is b[0] and a[1] == b[1] and a[2] is b[2] and a[3] == b[3]


def _largest(amounts: Ints, nodes: NodeTable) -> Ints:
    """By pool: the most that one row has."""
    found = np.full(len(nodes.where), -1, dtype=np.int64)
    filled = np.flatnonzero(nodes.starts[:-1] < nodes.starts[1:])
    if len(filled):
        found[filled] = np.maximum.reduceat(amounts, nodes.starts[filled])
    return found


def _pairs(judged: dict[Kind, Judged]) -> _Pairs:
    kinds = list(judged)
    found = list(judged.values())
    sizes = [len(it.ranked) for it in found]
    kind = np.repeat(np.arange(len(kinds), dtype=np.int64), sizes)
    needs = [(need.cpus, need.memory_mib, need.model, need.accelerators) for it in found for need in it.needs]
    first = np.concatenate(([0], np.cumsum([len(it.needs) for it in found]))).astype(np.int64)
    empty = [np.zeros(0, dtype=np.int64)]
    place = np.concatenate([it.place[it.ranked] for it in found] or empty)
    pool = np.concatenate([it.pool[it.ranked] for it in found] or empty)
    columns = np.array(needs, dtype=np.int64).reshape(-1, 4)[first[kind] + place].T
    return _Pairs(kinds, kind, pool, *columns)
