"""When a waiting job may start, and how many are before it.

Three calendars are asked: what runs takes as long as a tenth or half of its like did, or all of its time; the
jobs whose turn comes before, as a tenth, half or nine tenths of their like. Where nothing is known of a job
that is a tenth, half or all of its time. Jobs before it beyond those whose places are kept count as work that
the whole region does first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from baygrid.core.placement.backlog import Backlog
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.keeping import Ask, Calendar
from baygrid.core.placement.nodes import FOREVER, Ints
from baygrid.core.placement.offers import Judged
from baygrid.core.placement.policy import Policy
from baygrid.core.placement.search import Scene
from baygrid.core.placement.share import Capacity, Path, Shares, dominant
from baygrid.core.placement.turn import Turns
from baygrid.core.reasons import JSON

LOOKED_AT: Final = 10_000
"""So many turns are counted for a position; of one that comes later it is only said that it does, and not
when it may start."""

QUANTILES: Final = (10, 50, 90)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A job whose turn came, and which waits for a place: at positions `ranked` of `judged`, not before
    `after` (ms; None: nobody knows)."""

    demand: Demand
    judged: Judged
    ranked: Ints
    after: int | None

    def ask(self, time_ms: int, after: int) -> Ask:
        """For so long a time, not before `after` (ms)."""
        return Ask(self.judged, self.ranked, self.demand.least, time_ms, self.demand.project, after)


@dataclass(frozen=True, slots=True)
class Position:
    """Of a job in its queue: the `nth` of `of`, or later where `counted` is False. `work_s`: what those
    before it need of the whole region, by quantile, in seconds, but for the first `reserve` of them."""

    nth: int
    of: int
    counted: bool
    work_s: Mapping[int, float]


def seconds(demand: Demand, quantile: int = 50) -> int:
    """How long it will probably run."""
    known, full = demand.expected, demand.time_s
    if known is None:
        by_quantile = {10: full // 10, 50: full // 2, 90: full}
    else:
        by_quantile = {10: known.p10, 50: known.p50, 90: known.p90}
    return max(1, min(full, by_quantile[quantile]))


def position(
    backlog: Backlog, shares: Shares, policy: Policy, capacity: Capacity, job: str, now: int
) -> Position:
    """By the order of turns as if each job were placed when its turn comes."""
    demand = backlog.get(job)
    kinds = {kind for kind in backlog.kinds.values() if kind.lines}
    charged: dict[Path, float] = {}
    turns = Turns(backlog, shares, policy, kinds, charged)
    scale = shares.scale(now)
    nth, work = 1, dict.fromkeys(QUANTILES, 0.0)
    of = backlog.waiting(demand.queue)
    for looked in range(LOOKED_AT):
        turn = turns.next()
        if turn is None or turn[0] == job:
            return Position(nth, of, True, work)
        other = backlog.get(turn[0])
        nth += other.queue == demand.queue
        share = _share(capacity, other)
        if looked >= policy.reserve:
            for quantile in QUANTILES:
                work[quantile] += share * seconds(other, quantile)
        turns.charge(share * seconds(other) * scale)
    return Position(nth, of, False, work)


def _share(capacity: Capacity, demand: Demand) -> float:
    count = demand.least
    has = {model: share * each * count for model, each, share in demand.options[:1] if model}
    return dominant(capacity, demand.cpus * count, demand.memory_mib * count, has)


def starts(
    scene: Scene, blocked: Sequence[Blocked], it: Blocked, before: Position
) -> dict[int, dict[int, int]]:
    """By quantile and position in `Judged`: expected start (ms) of a job whose turn comes after the
    `blocked`. Positions of which nobody knows are left out."""
    found = {}
    for quantile in QUANTILES:
        calendar = Calendar(scene.rooms, scene.open_pools, quantile)
        for other in blocked:
            _keep(calendar, scene, other, quantile)
        times = _times(calendar, it)
        delay = int(before.work_s[quantile] * 1000)
        found[quantile] = {
            candidate: time + delay
            for candidate, time in zip(it.ranked.tolist(), times.tolist(), strict=True)
            if time < FOREVER
        }
    return found


def _times(calendar: Calendar, it: Blocked) -> Ints:
    if it.after is None:
        return np.full(len(it.ranked), FOREVER, dtype=np.int64)
    # A plan lets it begin only where all of its time fits, however long it will probably run.
    return calendar.times(it.ask(it.demand.occupies_ms, calendar.sooner(it.after)))


def _keep(calendar: Calendar, scene: Scene, it: Blocked, quantile: int) -> None:
    after = scene.rooms.now if it.after is None else calendar.sooner(it.after)
    ask = it.ask(seconds(it.demand, quantile) * 1000, after)
    place = calendar.earliest(ask)
    if place is not None:
        calendar.reserve(place, ask)


def told(
    demand: Demand, it: Judged, before: Position, by_quantile: Mapping[int, Mapping[int, int]], now: int
) -> tuple[dict[str, JSON], str]:
    """Figures and a sentence: its position, when it may start, and whether its deadline can still be met."""
    data: dict[str, JSON] = {"position": before.nth, "waiting": before.of, "counted": before.counted}
    nth = f"{before.nth}" if before.counted else f"later than {before.nth}"
    text = f"; it is number {nth} of {before.of} in queue {demand.queue}"
    first = {q: min(times.values()) for q, times in by_quantile.items() if times and before.counted}
    if len(first) == len(QUANTILES):
        low, middle, high = sorted(first.values())
        data |= {"start_ms": middle, "start_p10_ms": low, "start_p90_ms": high}
        text += f" and may start in {_span(low - now)} to {_span(high - now)}"
    if demand.deadline is not None:
        shortest = min((int(n) for n in it.figures.run_s[it.ranked]), default=demand.time_s)
        runs = min(shortest, seconds(demand)) * 1000
        ends = max(now, first.get(50, now)) + runs
        data |= {"deadline_ms": demand.deadline, "deadline_missed": now + runs > demand.deadline}
        if now + runs > demand.deadline:
            text += "; it cannot end by its deadline any more"
        elif ends > demand.deadline:
            text += "; it will probably not end by its deadline"
    return data, text


def _span(ms: int) -> str:
    """The largest unit that says enough: 40 s, 12 min, 5 h, 3 d."""
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min")):
        if ms >= 2 * size:
            return f"{ms // size} {unit}"
    return f"{max(0, ms) // 1000} s"
