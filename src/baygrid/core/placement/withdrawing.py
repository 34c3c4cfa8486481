"""Which attempts are taken back out of the queue of a centre's own scheduler, because they could start
elsewhere now: late binding.

Only what a centre says it holds in its queue is asked back, and a job is placed anew only when the centre has
confirmed that the attempt never began. What began meanwhile goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Image, Placement
from baygrid.core.placement.judging.offers import Judged
from baygrid.core.placement.judging.waits import at_most
from baygrid.core.placement.planned import Withdrawal
from baygrid.core.placement.policy import CentrePolicy
from baygrid.core.placement.queue.quota import inadmissible
from baygrid.core.placement.room.nodes import Bools
from baygrid.core.placement.search import Scene, Search
from baygrid.core.reasons import JSON, Reason

PATIENCE_S: Final = 900
"""How long an attempt may wait in a centre's own queue where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Queued:
    """An attempt that its centre says is in its queue. `due` (ms): when patience with it ends."""

    placement: Placement
    demand: Demand
    due: int


def patience_s(centre: CentrePolicy, told_s: int | None) -> int:
    """What the operator declared; else twice the wait that was told when it was placed, and at least
    `PATIENCE_S`."""
    if centre.patience_s is not None:
        return centre.patience_s
    return max(PATIENCE_S, 2 * (told_s or 0))


def withdrawals(
    image: Image, scene: Scene, judge: Callable[[Demand], Judged], queued: Iterable[Queued]
) -> Iterator[Withdrawal]:
    """Those that are due and could start elsewhere at once, in room that the plan of `scene` has left;
    whoever waits longest first, and no room for two."""
    vain: set[tuple[object, ...]] = set()
    for it in sorted(queued, key=lambda it: (it.placement.placed_at, it.placement.attempt)):
        kind = (it.demand.shape, it.demand.queue, it.demand.project)
        if kind in vain or not _may_leave(image, scene, it):
            continue
        found = _elsewhere(image, scene, judge(it.demand), it)
        if found is None:
            vain.add(kind)
        else:
            yield found


def _may_leave(image: Image, scene: Scene, it: Queued) -> bool:
    """A silent centre could not confirm it; a queue that is closed to the job would not let it in again."""
    placement, policy = it.placement, scene.table.policy
    centre = image.centres.get(placement.centre)
    return (
        it.due <= scene.rooms.now
        and placement.started_at is None
        and not placement.stopping
        and not policy.centre(placement.centre).managed
        and centre is not None
        and centre.silent_s is None
        and inadmissible(policy, it.demand) is None
    )


def _elsewhere(image: Image, scene: Scene, judged: Judged, it: Queued) -> Withdrawal | None:
    """Takes the room for it. Its own quota counts as free, since it gives that back first."""
    mine = it.placement
    scene.quotas.take(mine.queue, mine.flavor, -mine.amount)
    search = Search(scene, it.demand, judged, at_once(image, scene, it.demand, judged))
    taken = search.take(borrow=False)
    if taken is None:
        scene.quotas.take(mine.queue, mine.flavor, mine.amount)
        return None
    offer = scene.table.offers[int(judged.offer[taken.position])]
    waited = (scene.rooms.now - mine.placed_at) // 1000
    patience = (it.due - mine.placed_at) // 1000
    here, there = f"{mine.centre}/{mine.partition}", f"{offer.centre}/{offer.partition}"
    text = (
        f"has waited {waited} s for {here}, whose own queue is given {patience} s: {there} would start it now"
    )
    data: dict[str, JSON] = {"waited_s": waited, "patience_s": patience, "where": there, "offer": offer.id}
    return Withdrawal(mine.attempt, mine.job, Reason("withdrawn", text, data))


def at_once(image: Image, scene: Scene, demand: Demand, judged: Judged) -> Bools:
    """By position: whether room there means that it would start now. Where a centre's own scheduler decides,
    only if it says itself that nobody would wait, none of ours does, and the sums have the room."""
    nodes, rooms = scene.table.nodes, scene.rooms
    found: Bools = ~nodes.lump[judged.pool]
    for position in np.flatnonzero(~found).tolist():
        pool = int(judged.pool[position])
        centre, partition = nodes.where[pool]
        found[position] = (
            at_most(image.centres[centre].waits, judged.figures.shape(position)) == 0
            and not image.pending[centre, partition]
            and rooms.lump_free(pool, judged.needs[int(judged.place[position])]) >= demand.least
        )
    return found
