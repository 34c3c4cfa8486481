"""Who has to stop so that a blocked job can start: spot jobs first, then attempts on borrowed quota, then
less urgent ones; checkpointed ones before others, and the least lost work first. Never more than needed, none
if it would not suffice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Image, Placement
from baygrid.core.placement.judging.offers import Judged
from baygrid.core.placement.keeping import Place
from baygrid.core.placement.policy import SPOT
from baygrid.core.placement.queue.quota import Quotas, amount_of
from baygrid.core.placement.room.nodes import Bools, Ints, Need
from baygrid.core.placement.room.rooms import Rooms

_Loss: TypeAlias = tuple[int, int, float, float, int]
"""Of a set of victims: whether any is neither spot nor on borrowed quota, the most urgent, work lost for
good, all work, how many."""


@dataclass(frozen=True, slots=True)
class Victim:
    """`borrowed`: it stops for quota that its queue has borrowed; else it is less urgent. `lost`:
    dominant-share seconds of work since it began."""

    placement: Placement
    borrowed: bool
    lost: float

    @property
    def spot(self) -> bool:
        """Whether it yields to whoever it is."""
        return self.placement.priority == SPOT

    @property
    def order(self) -> tuple[bool, bool, int, bool, float, str]:
        it = self.placement
        return not self.spot, not self.borrowed, it.priority, not it.checkpointed, self.lost, it.attempt


@dataclass(frozen=True, slots=True)
class Eviction:
    """The place that a job gets, and who stops for it (nobody, where those who are to stop already do)."""

    place: Place
    victims: tuple[Victim, ...]


class Preemptor:
    """Within one plan. `weigh` is the dominant share of a placement."""

    def __init__(
        self, image: Image, rooms: Rooms, quotas: Quotas, weigh: Callable[[Placement], float]
    ) -> None:
        self._image = image
        self._rooms = rooms
        self._quotas = quotas
        self._weigh = weigh
        self._chosen: set[str] = set()
        self._stopping = [it for it in image.live.values() if it.stopping]
        self._gone: dict[int, list[tuple[str, Need]]] = {}
        for it in self._stopping:
            for row, need in self._takes(it):
                self._gone.setdefault(row, []).append((it.attempt, need))
        self._least_urgent = min((p for p, number in image.priorities.items() if number > 0), default=0)

    def _takes(self, it: Placement) -> list[tuple[int, Need]]:
        rows, need = self._rooms.nodes.taken(it)
        return [(row, need) for row in rows]

    def search(self, demand: Demand, judged: Judged, open_pools: Bools) -> Eviction | None:
        """The eviction that costs least; None: none would suffice, or none is allowed."""
        if demand.priority <= self._least_urgent and not self._quotas.declared and not self._stopping:
            return None
        for it in self._stopping:
            self._quotas.take(it.queue, it.flavor, -it.amount)
        try:
            found = [
                eviction
                for position in judged.ranked.tolist()
                if open_pools[judged.pool[position]]
                and (eviction := self._at(demand, judged, position)) is not None
            ]
        finally:
            for it in self._stopping:
                self._quotas.take(it.queue, it.flavor, it.amount)
        best = min(found, key=lambda eviction: loss(eviction.victims), default=None)
        if best is not None:
            self._chosen.update(victim.placement.attempt for victim in best.victims)
        return best

    def _at(self, demand: Demand, judged: Judged, position: int) -> Eviction | None:
        pool, option = int(judged.pool[position]), int(judged.place[position])
        if pool in self._rooms.most_pending:
            return None
        model, count, share = demand.options[option]
        amount = amount_of(demand, model, count, demand.least, share)
        flavor = model or "cpu"
        most = self._quotas.most(demand.queue, flavor)
        if most is not None and amount > most:
            return None
        need = judged.needs[option]
        reclaims = self._within_nominal(demand.queue, flavor, amount)
        here = self._eligible(demand, self._image.at(self._rooms.nodes.where[pool]), reclaims)
        room = self._for_room(demand, pool, need, here)
        if room is None:
            return None
        rows, victims = room
        more = self._for_quota(demand, flavor, amount, reclaims, victims)
        if more is None:
            return None
        chosen = self._fewest(demand, rows, need, pool, flavor, amount, more)
        if not chosen and not self._stopping:
            return None  # nobody's stop is needed: it waits for something else
        return Eviction(Place(position, pool, tuple(rows), self._rooms.now), tuple(chosen))

    def _within_nominal(self, queue: str, flavor: str, amount: int) -> bool:
        quota = self._quotas.quota(queue, flavor)
        return quota is not None and self._quotas.used(queue, flavor) + amount <= quota.nominal

    def _eligible(self, demand: Demand, live: Iterable[Placement], reclaims: bool) -> list[Victim]:
        """Who may be stopped for the demand, cheapest first."""
        found: list[Victim] = []
        borrowing: dict[tuple[str, str], int] = {}
        for it in live:
            if it.stopping or it.attempt in self._chosen:
                continue
            quota = self._quotas.quota(it.queue, it.flavor)
            borrows = quota is not None and self._quotas.used(it.queue, it.flavor) > quota.nominal
            borrowed = (
                borrows
                and reclaims
                and it.queue != demand.queue
                and self._quotas.group(it.queue, "") == self._quotas.group(demand.queue, "")
            )
            free = quota is None or borrows or it.queue == demand.queue or it.priority == SPOT
            lower = it.priority < demand.priority and free
            if borrowed or lower:
                since = it.placed_at if it.started_at is None else it.started_at
                elapsed = max(0, self._rooms.now - since) if it.started_at is not None else 0
                found.append(Victim(it, borrowed, self._weigh(it) * elapsed / 1000))
        found.sort(key=lambda victim: victim.order)
        if reclaims:  # a queue gives back no more than it borrowed
            kept = []
            for victim in found:
                it = victim.placement
                if victim.borrowed and it.priority >= demand.priority:
                    key = it.queue, it.flavor
                    if key not in borrowing:
                        quota = self._quotas.quota(*key)
                        borrowing[key] = self._quotas.used(*key) - (quota.nominal if quota else 0)
                    if borrowing[key] <= 0:
                        continue
                    borrowing[key] -= it.amount
                kept.append(victim)
            found = kept
        return found

    def _free(self, row: int, without: Iterable[Victim]) -> tuple[int, int, Ints, Ints]:
        """What the row has once those who stop, and these, are gone: cpus, memory, and by model whole
        accelerators and the most that is left of a shared one."""
        rooms = self._rooms
        cpus, memory = int(rooms.cpus[row]), int(rooms.memory[row])
        accelerators = rooms.accelerators[:, row].copy()
        gone = list(self._gone.get(row, ()))
        gone += [
            (v.placement.attempt, need) for v in without for at, need in self._takes(v.placement) if at == row
        ]
        left = rooms.parts.left[:, row].copy()
        for _, need in gone:
            cpus += need.cpus
            memory += need.memory_mib
            if need.model >= 0:
                accelerators[need.model] += need.whole
        names = {name for name, _ in gone}
        for model in {need.model for _, need in gone if need.shared}:
            whole, left[model] = rooms.parts.without(model, row, names)
            accelerators[model] += whole
        return cpus, memory, accelerators, left

    def _fits(self, row: int, need: Need, without: Iterable[Victim]) -> bool:
        cpus, memory, accelerators, left = self._free(row, without)
        if cpus < need.cpus or memory < need.memory_mib:
            return False
        if need.model < 0:
            return not need.accelerators
        enough = int(accelerators[need.model]) >= need.accelerators
        return enough or (need.shared and int(left[need.model]) >= need.share)

    def _for_room(
        self, demand: Demand, pool: int, need: Need, eligible: list[Victim]
    ) -> tuple[list[int], list[Victim]] | None:
        """The rows whose clearing costs least, with who is to go from them."""
        nodes, rooms = self._rooms.nodes, self._rooms
        count = demand.least
        if nodes.lump[pool]:
            need, count = need.times(count), 1
        span = nodes.rows_of(pool)
        end = rooms.now + demand.occupies_ms
        allowed = rooms.reserved.allowed(span, end, demand.project)
        usable = np.ones(span.stop - span.start, dtype=np.bool_) if allowed is None else allowed.copy()
        if rooms.until is not None:
            usable &= rooms.until[span] >= end
        by_row: dict[int, list[Victim]] = {}
        for victim in eligible:
            for row, _ in self._takes(victim.placement):
                by_row.setdefault(row, []).append(victim)
        ready = rooms.fits(need, span)
        found: list[tuple[_Loss, int, list[Victim]]] = []
        for row in (np.flatnonzero(usable) + span.start).tolist():
            if ready[row - span.start]:
                found.append((loss(()), row, []))
            elif row in self._gone or row in by_row:
                victims = self._clear(row, need, by_row.get(row, []))
                if victims is not None:
                    found.append((loss(victims), row, victims))
        if len(found) < count:
            return None
        found.sort(key=lambda option: option[:2])
        chosen = {v.placement.attempt: v for _, _, some in found[:count] for v in some}
        return [row for _, row, _ in found[:count]], list(chosen.values())

    def _clear(self, row: int, need: Need, eligible: list[Victim]) -> list[Victim] | None:
        chosen: list[Victim] = []
        for victim in [None, *eligible]:
            if victim is not None:
                chosen.append(victim)
            if self._fits(row, need, chosen):
                for one in sorted(chosen, key=lambda v: v.order, reverse=True):
                    fewer = [v for v in chosen if v is not one]
                    if self._fits(row, need, fewer):
                        chosen = fewer
                return chosen
        return None

    def _left(self, queue: str, flavor: str, victims: Iterable[Victim]) -> int | None:
        """What the queue may have more once these are gone."""
        gone = [v.placement for v in victims]
        for it in gone:
            self._quotas.take(it.queue, it.flavor, -it.amount)
        room = self._quotas.room(queue, flavor)
        for it in gone:
            self._quotas.take(it.queue, it.flavor, it.amount)
        return room

    def _for_quota(
        self, demand: Demand, flavor: str, amount: int, reclaims: bool, victims: list[Victim]
    ) -> list[Victim] | None:
        """The victims, and those that have to stop anywhere so that the queue has its quota."""
        left = self._left(demand.queue, flavor, victims)
        if left is None or left >= amount:
            return victims
        chosen = {v.placement.attempt for v in victims}
        group = self._quotas.group(demand.queue, flavor)
        for victim in self._eligible(demand, self._image.live.values(), reclaims):
            it = victim.placement
            if it.attempt in chosen or self._quotas.group(it.queue, it.flavor) != group:
                continue
            victims = [*victims, victim]
            left = self._left(demand.queue, flavor, victims)
            if left is None or left >= amount:
                return victims
        return None

    def _fewest(
        self,
        demand: Demand,
        rows: list[int],
        need: Need,
        pool: int,
        flavor: str,
        amount: int,
        victims: list[Victim],
    ) -> list[Victim]:
        """Without those whose stop is not needed, the dearest first."""
        if self._rooms.nodes.lump[pool]:
            need = need.times(demand.least)
        for one in sorted(victims, key=lambda v: v.order, reverse=True):
            fewer = [v for v in victims if v is not one]
            left = self._left(demand.queue, flavor, fewer)
            if (left is None or left >= amount) and all(self._fits(row, need, fewer) for row in rows):
                victims = fewer
        return victims


def loss(victims: Iterable[Victim]) -> _Loss:
    some = list(victims)
    return (
        int(any(not v.borrowed and not v.spot for v in some)),
        max((v.placement.priority for v in some), default=0),
        sum(v.lost for v in some if not v.placement.checkpointed),
        sum(v.lost for v in some),
        len(some),
    )
