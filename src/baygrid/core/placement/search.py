"""The search for one kind of job within one plan: what its offers are worth is known, what is free is asked
once, then it is taken from, best first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Image
from baygrid.core.placement.judging.candidates import Candidate
from baygrid.core.placement.judging.filters import FILTERS, Filter
from baygrid.core.placement.judging.offers import Judged, OfferTable
from baygrid.core.placement.policy import PLAIN
from baygrid.core.placement.queue.quota import Quotas, amount_of
from baygrid.core.placement.room.nodes import Bools, Ints, Need
from baygrid.core.placement.room.rooms import Rooms
from baygrid.core.reasons import Explanation, Reason


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a candidate must pass that does not depend on what is free."""

    filters: tuple[Filter, ...] = FILTERS


STANDARD: Final = Pipeline()


def judged(pipeline: Pipeline, demand: Demand, it: Candidate) -> tuple[Reason, ...]:
    """Every obstacle of a candidate, but what is free now."""
    return tuple([reason for test in pipeline.filters if (reason := test(demand, it)) is not None])


Explaining: TypeAlias = "Callable[[Image, OfferTable, Search, int, int, int], Explanation]"
"""Why a job went to a position of a search, with so many nodes at such a cost."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What all searches of one plan share. `open_pools`: by pool, whether its centre takes anything new;
    `takes` is the same, as a list."""

    table: OfferTable
    rooms: Rooms
    quotas: Quotas
    open_pools: Bools
    takes: list[bool]


_NARROW: Final = 3
"""After so many pools without room all nodes are looked at, once."""


@dataclass(frozen=True, slots=True)
class Taken:
    """`position` in `Judged`; `rows` of the node table (one for a partition known by its sums); `slots`:
    of its device on each, if it shares one."""

    position: int
    pool: int
    rows: Ints
    count: int
    slots: tuple[int, ...] = ()


class Search:
    """One kind's way through its candidates. One that failed stays so: a plan takes room and never gives.
    `only`: by position in `Judged`, those to look at."""

    def __init__(self, scene: Scene, demand: Demand, judged: Judged, only: Bools | None = None) -> None:
        self.scene = scene
        self.demand = demand
        self.judged = judged
        self.refused: dict[int, Reason] = {}
        """By position in `Judged`: the quota that kept a candidate with room out."""
        self.borrows = False
        """A candidate with room was passed over since the queue would have had to borrow."""
        self._explained: dict[tuple[int, int], Explanation] = {}
        self._end = scene.rooms.now + demand.occupies_ms
        self._by_place = demand.options
        ranked = judged.ranked if only is None else judged.ranked[only[judged.ranked]]
        self.ranked = self._within_reach(ranked)
        """The positions that its queue could ever pay with its quota, best first."""
        self._left: list[tuple[int, int, int]] = []
        self._next = 0
        self._start()
        self.hopeless = not any(scene.takes[pool] for _, pool, _ in self._left)
        """No time of waiting helps, as long as centres and quotas are as they are."""

    def explain(
        self, explaining: Explaining, image: Image, table: OfferTable, position: int, count: int, cost: int
    ) -> Explanation:
        """Made once for all jobs that came out alike."""
        found = self._explained.get((position, count))
        if found is None:
            found = explaining(image, table, self, position, count, cost)
            self._explained[position, count] = found
        return found

    def _within_reach(self, ranked: Ints) -> Ints:
        quotas, demand = self.scene.quotas, self.demand
        if not quotas.declared:
            return ranked
        over = [
            option
            for option, (model, each, share) in enumerate(self._by_place)
            if (most := quotas.most(demand.queue, model or PLAIN)) is not None
            and amount_of(demand, model, each, demand.least, share) > most
        ]
        found: Ints = ranked[~np.isin(self.judged.place[ranked], over)] if over else ranked
        return found

    def option(self, position: int) -> tuple[str | None, int, int]:
        """The model, how many of it on each node and thousandths of each, at this candidate."""
        return self._by_place[int(self.judged.place[position])]

    def _start(self) -> None:
        """All candidates are left: position, pool and place of each."""
        it, ranked = self.judged, self.ranked
        columns = (ranked, it.pool[ranked], it.place[ranked])
        self._left = list(zip(*(column.tolist() for column in columns), strict=True))
        self._next = 0

    def take(self, borrow: bool) -> Taken | None:
        """The best candidate with room for all nodes, which are taken; None: none has."""
        needs, rooms, takes = self.judged.needs, self.scene.rooms, self.scene.takes
        failed = 0
        while self._next < len(self._left):
            position, pool, option = self._left[self._next]
            if takes[pool] and rooms.may_fit(pool, needs[option], self._end):
                taken = self._try(position, pool, option, borrow)
                if taken is not None:
                    return taken
                failed += 1
                if failed == _NARROW:
                    self._narrow()
            self._next += 1
        return None

    def look_through(self) -> None:
        """For a job that finds no room: all candidates are asked, and none is taken, so that `refused` has
        every quota that is in its way."""
        rooms, takes = self.scene.rooms, self.scene.takes
        for position, pool, option in self._left:
            if takes[pool] and rooms.may_fit(pool, self.judged.needs[option], self._end):
                self._within_quota(position, option, int(self.judged.most[position]), borrow=True)

    def _narrow(self) -> None:
        """Leaves those with room, and what was looked at before: one look at all nodes is cheaper than one at
        each pool."""
        demand, rooms = self.demand, self.scene.rooms
        counts = [rooms.counts(need, self._end, demand.project).tolist() for need in self.judged.needs]
        done, ahead = self._left[: self._next + 1], self._left[self._next + 1 :]
        self._left = done + [it for it in ahead if counts[it[2]][it[1]] >= demand.least]

    def retry(self) -> None:
        """Its queue may borrow now: candidates passed over for that are looked at again."""
        self._start()
        self.borrows = False
        self.refused = {}

    def _try(self, position: int, pool: int, option: int, borrow: bool) -> Taken | None:
        it, rooms, demand = self.judged, self.scene.rooms, self.demand
        need = it.needs[option]
        most = self._within_quota(position, option, int(it.most[position]), borrow)
        if not most:
            return None
        if rooms.nodes.lump[pool]:
            count = min(most, rooms.lump_count(pool, need, self._end, demand.project))
            rows = np.array([rooms.nodes.starts[pool]], dtype=np.int64)
        else:
            rows = rooms.choose(pool, need, most, self._end, demand.project)
            count = len(rows)
        if count < demand.least:
            return None
        return Taken(position, pool, rows, count, self._take(pool, rows, count, need, option))

    def _take(self, pool: int, rows: Ints, count: int, need: Need, option: int) -> tuple[int, ...]:
        model, each, share = self._by_place[option]
        slots = self.scene.rooms.take(pool, rows, count, need, self._end)
        if self.scene.quotas.declared:
            amount = amount_of(self.demand, model, each, count, share)
            self.scene.quotas.take(self.demand.queue, model or PLAIN, amount, self._end)
        return slots

    def _within_quota(self, position: int, option: int, most: int, borrow: bool) -> int:
        """The most nodes that the queue may have there now, 0 where that is too few."""
        quotas, demand = self.scene.quotas, self.demand
        if not quotas.declared:
            return most
        model, each, share = self._by_place[option]
        flavor = model or PLAIN
        for count in range(most, demand.least - 1, -1):
            amount = amount_of(demand, model, each, count, share)
            if quotas.admits(demand.queue, flavor, amount, self._end, borrow):
                return count
        least = amount_of(demand, model, each, demand.least, share)
        if not borrow and quotas.admits(demand.queue, flavor, least, self._end):
            self.borrows = True
        else:
            reason = quotas.reason(demand.queue, flavor, least) or quotas.held(demand.queue, flavor, least)
            self.refused[position] = reason
        return 0
