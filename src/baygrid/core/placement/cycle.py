"""One planning cycle: turn after turn, a job is placed, gets a place kept, or makes others stop."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import cached_property, partial
from typing import Final

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.explaining.estimate import Blocked
from baygrid.core.placement.explaining.verdicts import placed
from baygrid.core.placement.image import Image
from baygrid.core.placement.judging.candidates import cost_minor
from baygrid.core.placement.judging.offers import Judged
from baygrid.core.placement.keeping import Ask, Calendar, Place
from baygrid.core.placement.planned import Assignment, Kept, Plan, Preemption
from baygrid.core.placement.policy import PLAIN, Policy
from baygrid.core.placement.preempt import Preemptor, Victim
from baygrid.core.placement.queue.backlog import Backlog, Kind
from baygrid.core.placement.queue.quota import amount_of, inadmissible
from baygrid.core.placement.queue.share import Capacity, Path, Shares, dominant
from baygrid.core.placement.queue.turn import Turns
from baygrid.core.placement.search import Scene, Search, Taken
from baygrid.core.placement.sieve import Openings
from baygrid.core.reasons import JSON, Reason

AT_ONCE: Final = 2_000
"""A plan places no more: the next goes on. So an empty region and a long queue make no long cycle."""
_OFTEN: Final = 32
"""After so many kinds found no room, all are asked again whether they have."""


class Cycle:
    """Jobs take their turn until `Policy.reserve` of them were blocked; from then on only those may pass that
    find room now. A job that would have to borrow quota waits until all others had their turn."""

    def __init__(
        self,
        image: Image,
        backlog: Backlog,
        policy: Policy,
        shares: Shares,
        scene: Scene,
        capacity: Capacity,
        judged: Mapping[Kind, Judged],
    ) -> None:
        self._image = image
        self._backlog = backlog
        self._policy = policy
        self._shares = shares
        self._scene = scene
        self._capacity = capacity
        self._judged = judged
        self._now = scene.rooms.now
        self._scale = shares.scale(self._now)
        self._searches: dict[tuple[Kind, str], Search] = {}
        self._admitted: dict[tuple[str, str, int], bool] = {}
        self._charged: dict[Path, float] = {}
        self._later: set[Kind] = set()
        self._done: set[str] = set()
        self._left = policy.reserve
        self._assignments: list[Assignment] = []
        self._preemptions: list[Preemption] = []
        self._kept: list[Kept] = []
        self._wanted: Container[str] = ()
        self._meet: Callable[[str], bool] = bool
        self.blocked: list[Blocked] = []
        """Jobs that had a place kept, or would have if anybody knew when there is one."""
        self._ending: list[tuple[int, str, str, int]] = []

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The places that were kept so far."""
        return tuple(self._kept)

    @property
    def taken(self) -> int:
        """Jobs that have a place so far."""
        return len(self._assignments)

    def run(
        self, openings: Openings, wanted: Container[str] = (), meet: Callable[[str], bool] = bool
    ) -> Plan:
        """`meet` is told of each job of `wanted` whose turn comes, before it takes a place; it ends where
        `meet` says so."""
        self._wanted, self._meet = wanted, meet
        if self._walk(openings.alive(), openings, borrow=False) and self._later:
            for (kind, _), search in self._searches.items():
                if kind in self._later:
                    search.retry()
            self._walk(set(self._later), openings, borrow=True)
        made = tuple(self._assignments), tuple(self._preemptions), tuple(self._kept)
        return Plan(*made, more=len(self._assignments) == AT_ONCE)

    def _walk(self, kinds: set[Kind], openings: Openings, borrow: bool) -> bool:
        """False: it was to end here, or enough are placed at once."""
        if self._left <= 0:
            kinds &= openings.roomy()
        turns = Turns(self._backlog, self._shares, self._policy, kinds, self._charged)
        closed = 0
        while (turn := turns.next()) is not None:
            job, line = turn
            if job in self._done:
                turns.charge(0.0)
                continue
            demand = self._backlog.get(job)
            if not self._admits(demand):
                turns.drop()
                continue
            search = self._search(line.kind, demand)
            if search.hopeless:
                kinds.discard(line.kind)
                continue
            if job in self._wanted and self._meet(job):
                return False
            taken = search.take(borrow)
            if taken is not None:
                self._done.add(job)
                turns.charge(self._assign(demand, search, taken))
                if len(self._assignments) == AT_ONCE:
                    return False
            elif search.borrows:
                self._later.add(line.kind)
                kinds.discard(line.kind)
            elif self._left <= 0:
                kinds.discard(line.kind)
                closed += 1
                if closed % _OFTEN == 0:
                    kinds &= openings.roomy()
            else:
                self._done.add(job)
                turns.charge(self._block(demand, search))
                self._left -= 1
                if not self._policy.backfill:
                    kinds.clear()
                    self._later.clear()
                elif not self._left:
                    kinds &= openings.roomy()
        return True

    def _admits(self, demand: Demand) -> bool:
        key = (demand.queue, demand.project, demand.priority)
        found = self._admitted.get(key)
        if found is None:
            found = self._admitted[key] = inadmissible(self._policy, demand) is None
        return found

    def _search(self, kind: Kind, demand: Demand) -> Search:
        """Projects differ only where nodes are reserved for some."""
        key = (kind, demand.project if self._scene.rooms.reserved.found else "")
        search = self._searches.get(key)
        if search is None:
            search = self._searches[key] = Search(self._scene, demand, self._judged[kind])
        return search

    def _amount(self, demand: Demand, option: int, count: int) -> float:
        """What a job counts for among weighed shares when it has so many nodes for as long as is expected."""
        model, each, part = demand.options[option]
        share = dominant(
            self._capacity,
            demand.cpus * count,
            demand.memory_mib * count,
            {model: part * each * count} if model else None,
        )
        lasts = demand.time_s if demand.expected is None else min(demand.time_s, demand.expected.p50)
        return share * lasts * self._scale

    def _assign(self, demand: Demand, search: Search, taken: Taken) -> float:
        it, table = search.judged, self._scene.table
        position, count = taken.position, taken.count
        offer = table.offers[it.offer[position]]
        each, share = int(it.accelerators[position]), int(it.share[position])
        nodes = table.nodes
        named = () if nodes.lump[taken.pool] else tuple([nodes.names[row] for row in taken.rows.tolist()])
        cost = int(it.cost[position])
        if count != it.most[position]:
            cost = cost_minor(offer, demand, each, count, share)
        why = partial(search.explain, placed, self._image, table, position, count, cost)
        self._assignments.append(
            Assignment(
                demand.job,
                offer.centre,
                offer.partition,
                offer.id,
                named,
                count,
                offer.accelerator,
                each,
                cost,
                why,
                share,
                taken.slots,
            )
        )
        if self._scene.quotas.declared:
            amount = amount_of(demand, offer.accelerator, each, count, share)
            end = self._now + demand.occupies_ms
            self._ending.append((end, demand.queue, offer.accelerator or PLAIN, amount))
        return self._amount(demand, int(it.place[position]), count)

    @cached_property
    def _calendar(self) -> Calendar:
        return Calendar(self._scene.rooms, self._scene.open_pools)

    @cached_property
    def _preemptor(self) -> Preemptor:
        return Preemptor(self._image, self._scene.rooms, self._scene.quotas, self._capacity.share)

    def _block(self, demand: Demand, search: Search) -> float:
        """Makes room for a job whose turn it is, or keeps a place for it."""
        judged = search.judged
        place: Place | None = None
        if self._policy.preemption:
            eviction = self._preemptor.search(demand, judged, self._scene.open_pools)
            if eviction is not None:
                place = eviction.place
                self._preemptions += [_preemption(demand, victim) for victim in eviction.victims]
        after = self._quota_time(demand, search) if place is None else self._now
        blocked = Blocked(demand, judged, search.ranked, after)
        self.blocked.append(blocked)
        ask = blocked.ask(demand.occupies_ms, self._now if after is None else after)
        if place is None and after is not None:
            place = self._calendar.earliest(ask)
        at = search.ranked[0] if place is None else place.candidate
        if place is not None:
            self._keep(demand.job, ask, place)
        return self._amount(demand, int(judged.place[at]), demand.least)

    def _keep(self, job: str, ask: Ask, place: Place) -> None:
        self._calendar.keep(place, ask)
        nodes = self._scene.table.nodes
        names = () if nodes.lump[place.pool] else tuple([nodes.names[row] for row in place.rows])
        self._kept.append(Kept(job, *nodes.where[place.pool], place.start, names))

    def of(self, demand: Demand, kind: Kind) -> Blocked:
        """A job whose turn is now, or that the walk passed over, as one that waits; no search of the walk's
        own knows of it."""
        search = Search(self._scene, demand, self._judged[kind])
        search.look_through()
        after = self._quota_time(demand, search, keep=False)
        return Blocked(demand, search.judged, search.ranked, after)

    def _quota_time(self, demand: Demand, search: Search, keep: bool = True) -> int | None:
        """From when on the job's queue may have what it asks for, if everything takes all of its time. None:
        nobody knows. `keep`: it is kept for the job then."""
        if not search.refused:
            return self._now
        quotas = self._scene.quotas
        position = next(iter(search.refused))
        model, each, share = search.option(position)
        flavor = model or PLAIN
        group = quotas.group(demand.queue, flavor)
        ending = [
            (max(self._now, it.ends_by), it.queue, it.amount)
            for it in self._image.live.values()
            if it.ends_by is not None and it.flavor == flavor and quotas.group(it.queue, flavor) == group
        ]
        ending += [
            (end, queue, amount)
            for end, queue, other, amount in self._ending
            if other == flavor and quotas.group(queue, flavor) == group
        ]
        amount = amount_of(demand, model, each, demand.least, share)
        return quotas.hold(demand.queue, flavor, amount, ending, self._now, demand.occupies_ms, keep)


def _preemption(demand: Demand, victim: Victim) -> Preemption:
    it = victim.placement
    why = "it is a spot job" if victim.spot else _why(demand, victim)
    text = f"stops for {demand.job}: {why}"
    data: dict[str, JSON] = {
        "job": demand.job,
        "queue": it.queue,
        "priority": it.priority,
        "borrowed": victim.borrowed,
        "lost_share_s": victim.lost,
    }
    return Preemption(it.attempt, demand.job, Reason("preempted", text, data))


def _why(demand: Demand, victim: Victim) -> str:
    it = victim.placement
    return (
        f"queue {it.queue} gives back quota that it borrowed"
        if victim.borrowed
        else f"its priority {it.priority} is lower than {demand.priority}"
    )
