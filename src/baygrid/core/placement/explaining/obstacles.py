"""What stands between one job and one candidate that it could run on, as things are now: room, advance
reservations, kept places, the centre's own queue, quota.

Each is true by itself: without that obstacle alone, its own question is answered yes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.judging.candidates import Candidate
from baygrid.core.placement.judging.filters import busy
from baygrid.core.placement.planned import Kept
from baygrid.core.placement.policy import PLAIN
from baygrid.core.placement.queue.quota import amount_of
from baygrid.core.placement.room.nodes import Need
from baygrid.core.placement.room.rooms import MANY, Rooms
from baygrid.core.placement.search import Scene
from baygrid.core.reasons import Reason


def obstacles(
    scene: Scene, demand: Demand, it: Candidate, need: Need, kept: Iterable[Kept]
) -> tuple[Reason, ...]:
    """All of them; `kept`: the places of jobs whose turn came before."""
    pool = scene.table.nodes.number[it.where]
    found = [
        _pending(scene.rooms, pool, it),
        _room(scene, demand, it, pool, need, kept),
        _quota(scene, demand, it),
    ]
    return tuple([reason for reason in found if reason is not None])


def _pending(rooms: Rooms, pool: int, it: Candidate) -> Reason | None:
    limit = rooms.most_pending.get(pool)
    if limit is None or rooms.pending[pool] < limit:
        return None
    text = f"{rooms.pending[pool]} attempts wait to start in {it.name}'s own queue, and at most {limit} may"
    return Reason("pending", text, {"pending": rooms.pending[pool], "max_pending": limit})


def _room(
    scene: Scene, demand: Demand, it: Candidate, pool: int, need: Need, kept: Iterable[Kept]
) -> Reason | None:
    rooms, nodes = scene.rooms, scene.table.nodes
    if pool in rooms.most_pending:
        return None
    end = rooms.now + demand.occupies_ms
    free, unreserved, usable = counts(rooms, pool, need, end, demand)
    full = busy(demand, it, min(free, MANY))
    if full is not None:
        return full
    if unreserved < demand.least:
        span = nodes.rows_of(pool)
        names = sorted(
            {
                found.name
                for found, rows in rooms.reserved.found
                if demand.project not in found.projects
                and found.start < end
                and any(span.start <= row < span.stop for row in rows.tolist())
            }
        )
        number = free - unreserved
        text = f"{number} nodes with room are reserved ({', '.join(names)}) before its time would be over"
        return Reason("reserved", text, {"reservations": names, "nodes": demand.least, "free": unreserved})
    if usable < demand.least:
        # Not which jobs: they may be another project's.
        jobs = sum((place.centre, place.partition) == it.where for place in kept)
        whose = f"{jobs} jobs whose turns came" if jobs > 1 else "a job whose turn came"
        text = f"the room there is kept for {whose} before, and this job's time would not be over by then"
        return Reason("kept", text, {"jobs": jobs, "nodes": demand.least, "free": usable})
    return None


def counts(rooms: Rooms, pool: int, need: Need, end: int, demand: Demand) -> tuple[int, int, int]:
    """Nodes with room now; those that are not reserved for others; those that no kept place forbids."""
    span = rooms.nodes.rows_of(pool)
    if rooms.nodes.lump[pool]:
        free = rooms.lump_free(pool, need)
        return free, free, rooms.lump_count(pool, need, end, demand.project)
    mask = rooms.fits(need, span)
    free = int(np.count_nonzero(mask))
    allowed = rooms.reserved.allowed(span, end, demand.project)
    if allowed is not None:
        mask &= allowed
    unreserved = int(np.count_nonzero(mask))
    unkept = rooms.unkept(need, span, end)
    if unkept is not None:
        mask &= unkept
    return free, unreserved, int(np.count_nonzero(mask))


def _quota(scene: Scene, demand: Demand, it: Candidate) -> Reason | None:
    quotas = scene.quotas
    if not quotas.declared:
        return None
    flavor = it.accelerator or PLAIN
    amount = amount_of(demand, it.accelerator, it.accelerators, demand.least, it.share)
    if quotas.admits(demand.queue, flavor, amount, scene.rooms.now + demand.occupies_ms):
        return None
    return quotas.reason(demand.queue, flavor, amount) or quotas.held(demand.queue, flavor, amount)
