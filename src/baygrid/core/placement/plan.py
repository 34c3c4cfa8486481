"""The plan: image, waiting jobs, policy and shares in; who runs where, who makes room and who waits, with
reasons, out. Nothing is changed.

What offers are worth to a kind of job is kept between cycles; that changes no plan, only what one costs.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from baygrid.core.placement.cycle import Cycle
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.explaining.estimate import Ahead, choose, expected, guesses, position, told
from baygrid.core.placement.explaining.nearest import nearest
from baygrid.core.placement.explaining.verdicts import best_free, fits_now, lines_of, waits
from baygrid.core.placement.image import Image, Shape
from baygrid.core.placement.inquiring import inquiries
from baygrid.core.placement.judging.offers import Judged, OfferTable
from baygrid.core.placement.judging.scorers import hourly
from baygrid.core.placement.planned import Assignment, Kept, Plan, Preemption, Withdrawal
from baygrid.core.placement.policy import Policy
from baygrid.core.placement.queue.backlog import Backlog, Kind
from baygrid.core.placement.queue.quota import Quotas, inadmissible
from baygrid.core.placement.queue.share import Capacity, Shares
from baygrid.core.placement.room.nodes import Bools, NodeTable
from baygrid.core.placement.room.rooms import Rooms
from baygrid.core.placement.search import STANDARD, Scene
from baygrid.core.placement.sieve import Openings, Sieve
from baygrid.core.placement.timeline.start_range import StartRanges
from baygrid.core.placement.withdrawing import Queued, withdrawals
from baygrid.core.reasons import Explanation

__all__ = [
    "Assignment",
    "Kept",
    "Plan",
    "Planner",
    "Preemption",
    "Queued",
    "Withdrawal",
    "explain",
    "impossible",
    "plan",
]

_HOUR_MS: Final = 3_600_000
_SIEVES: Final = 8
"""Kinds that come later are sieved apart; when there are so many sieves, all become one."""
_FEW: Final = 1024
"""Verdicts of so many kinds without jobs are kept in case they come again."""


class Planner:
    """Keeps verdicts while the region's layout, the policy and (where something depends on it) the hour are
    the same."""

    def __init__(self) -> None:
        self._table: OfferTable | None = None
        self._capacity: Capacity | None = None
        self._made_for: tuple[object, ...] = ()
        self._judged: dict[Kind, Judged] = {}
        self._sieves: list[Sieve] = []

    def plan(
        self,
        image: Image,
        backlog: Backlog,
        policy: Policy,
        shares: Shares,
        now: int,
        queued: Iterable[Queued] = (),
    ) -> Plan:
        """Place what fits, in the order of turns; then see who of `queued` need not wait on. Equal inputs
        give equal plans, whatever was planned before."""
        scene = self.scene(image, policy, now)
        openings = self._openings(scene, backlog)
        assert self._capacity is not None
        cycle = Cycle(image, backlog, policy, shares, scene, self._capacity, self._judged)
        made = cycle.run(openings)
        if made.more:
            return made  # the room that is left is for those whose turn comes yet
        return replace(made, withdrawals=tuple(withdrawals(image, scene, scene.table.judge, queued)))

    def foresee(
        self,
        image: Image,
        backlog: Backlog,
        policy: Policy,
        shares: Shares,
        told: Container[str],
        now: int,
    ) -> dict[str, int]:
        """When some of those that wait and are not `told` will start (ms), as `explain` guesses it. To be
        asked when what the last plan placed has its place. It costs one plan, however many wait."""
        scene = self.scene(image, policy, now)
        openings = self._openings(scene, backlog)
        assert self._capacity is not None
        cycle = Cycle(image, backlog, policy, shares, scene, self._capacity, self._judged)
        kinds = openings.alive()
        had = {it.job for it in cycle.run(openings).assignments} | {it.demand.job for it in cycle.blocked}
        work = choose(backlog, shares, policy, self._capacity, kinds, told, now)
        others = [
            cycle.of(demand, backlog.line(demand.job).kind)
            for demand in map(backlog.get, work)
            if demand.job not in had and inadmissible(policy, demand) is None
        ]
        found = guesses(scene, cycle.blocked, others)
        return {job: found[job] + ahead for job, ahead in work.items() if job in found}

    def explain(
        self,
        image: Image,
        demand: Demand,
        policy: Policy,
        shares: Shares,
        backlog: Backlog,
        ranges: StartRanges,
        now: int,
    ) -> Explanation:
        """As `explain`; `ranges` know how guesses of starts have turned out."""
        waiting = demand.job in backlog
        if not waiting:
            backlog.add(demand)
        try:
            return self.explain_all(image, [demand.job], policy, shares, backlog, ranges, now)[demand.job]
        finally:
            if not waiting:
                backlog.remove(demand.job)

    def explain_all(
        self,
        image: Image,
        jobs: Sequence[str],
        policy: Policy,
        shares: Shares,
        backlog: Backlog,
        ranges: StartRanges,
        now: int,
    ) -> dict[str, Explanation]:
        """Of some that wait, each as `explain` says it. It costs the turns to the last of them, once."""
        scene = self.scene(image, policy, now)
        openings = self._openings(scene, backlog)
        assert self._capacity is not None
        cycle = Cycle(image, backlog, policy, shares, scene, self._capacity, self._judged)
        ahead, found = Ahead(scene), dict[str, Explanation]()

        def meet(job: str) -> bool:
            if job not in found:
                found[job] = self._at_its_turn(
                    cycle, ahead, image, policy, shares, backlog, ranges, scene, job
                )
            return len(found) == len(jobs)

        cycle.run(openings, frozenset(jobs), meet)
        for job in jobs:  # whose turn did not come
            meet(job)
        return found

    def _at_its_turn(
        self,
        cycle: Cycle,
        ahead: Ahead,
        image: Image,
        policy: Policy,
        shares: Shares,
        backlog: Backlog,
        ranges: StartRanges,
        scene: Scene,
        job: str,
    ) -> Explanation:
        assert self._capacity is not None
        now = scene.rooms.now
        demand, kind = backlog.get(job), backlog.line(job).kind
        judged = self._judged[kind]
        lines = lines_of(image, scene, demand, judged, cycle.kept)
        best = best_free(judged, lines)
        if best is not None:
            return fits_now(scene.table, judged, lines, best)
        before = position(backlog, shares, policy, self._capacity, job, now)
        by_quantile = ahead.starts(cycle.blocked, cycle.taken, cycle.of(demand, kind), before)
        start = expected(before, by_quantile, ranges, now)
        more, says = told(demand, judged, before, start, now)
        likely = {} if start is None else {n: start.like(at, now) for n, at in by_quantile[50].items()}
        return waits(scene.table, judged, lines, more, says, likely, now)

    def inquiries(
        self, image: Image, backlog: Backlog, policy: Policy, now: int
    ) -> dict[str, dict[Shape, str]]:
        """What to ask of which centre (see `inquiring`)."""
        scene = self.scene(image, policy, now)
        self._openings(scene, backlog)
        return inquiries(image, scene.table, self._judged)

    def scene(self, image: Image, policy: Policy, now: int) -> Scene:
        nodes = image.nodes(lumped(policy))
        hour = now // _HOUR_MS % 24 if hourly(policy) else -1
        made_for = (nodes, image.layout, policy, hour)
        if self._table is None or not _same(made_for, self._made_for):
            self._table = OfferTable(image, nodes, policy, hour)
            self._capacity = Capacity.of(image, policy)
            self._made_for = made_for
            self._judged = {}
            self._sieves = []
        opened = open_pools(image, nodes)
        return Scene(
            self._table,
            Rooms(nodes, policy, image.pending, now),
            Quotas(policy, image.used),
            opened,
            opened.tolist(),
        )

    def _openings(self, scene: Scene, backlog: Backlog) -> Openings:
        kinds = backlog.kinds.values()
        fresh = {kind: scene.table.judge(kind.example) for kind in kinds if kind not in self._judged}
        self._judged.update(fresh)
        if len(self._sieves) == _SIEVES or len(self._judged) > 2 * len(kinds) + _FEW:
            self._judged = {kind: self._judged[kind] for kind in kinds}
            self._sieves, fresh = [], self._judged
        if fresh:
            self._sieves.append(Sieve(fresh, scene.table.nodes))
        return Openings(self._sieves, scene)


def plan(image: Image, backlog: Backlog, policy: Policy, shares: Shares, now: int) -> Plan:
    """As `Planner.plan`, from nothing."""
    return Planner().plan(image, backlog, policy, shares, now)


def explain(
    image: Image, demand: Demand, policy: Policy, shares: Shares, backlog: Backlog, now: int
) -> Explanation:
    """What stands between one demand and each candidate now, at its turn. `backlog` is as before afterwards;
    meanwhile it must not be used."""
    return Planner().explain(image, demand, policy, shares, backlog, StartRanges(), now)


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
