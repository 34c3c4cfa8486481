"""When a waiting job may start, and how many are before it.

Three calendars are asked: what runs takes as long as a tenth or half of its like did, or all of its time; the
jobs whose turn comes before, as a tenth, half or nine tenths of their like. Where nothing is known of a job
that is a tenth, half or all of its time. Jobs before it beyond those whose places are kept count as work that
the whole region does first.

The half of these is a guess. What is told is the range that such guesses have come to
(`timeline/start_range`); while too few have, it is what the tenth and the nine tenths give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.judging.offers import Judged
from baygrid.core.placement.keeping import Ask, Calendar
from baygrid.core.placement.policy import Policy
from baygrid.core.placement.queue.backlog import Backlog, Kind
from baygrid.core.placement.queue.share import Capacity, Path, Shares, dominant
from baygrid.core.placement.queue.turn import Turns
from baygrid.core.placement.room.nodes import FOREVER, Ints
from baygrid.core.placement.search import Scene
from baygrid.core.placement.timeline.predict import ENOUGH
from baygrid.core.placement.timeline.start_range import SOFTENING_S, StartRanges
from baygrid.core.reasons import JSON

LOOKED_AT: Final = 10_000
"""So many turns are counted for a position; of one that comes later it is only said that it does, and not
when it may start."""

QUANTILES: Final = (10, 50, 90)

LEARNT: Final = "4 of 5 that were told so did"
GUESSED: Final = "too few have waited here to say how sure that is"

AT_ONCE: Final = 16
"""So many jobs are chosen at once to see what comes of their guess."""


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


class Start(NamedTuple):
    """When a job may start (ms). `guess`: what the calendar says. `seen`: starts that the range was learnt
    from; 0: it says only how long jobs run."""

    p10: int
    p50: int
    p90: int
    guess: int
    seen: int

    def like(self, guess: int, now: int) -> int:
        """The median of another guess for the same job: it is worth as much."""
        softening = SOFTENING_S * 1000
        factor = (self.p50 - now + softening) / (self.guess - now + softening)
        return now + max(0, round((guess - now + softening) * factor - softening))


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
    """Of a job that waits."""
    demand = backlog.get(job)
    before: Counter[str] = Counter()
    of = backlog.waiting(demand.queue)
    work: Mapping[int, float] = {}
    for other, work in _in_turn(backlog, shares, policy, capacity, now):
        if other.job == job:
            return Position(before[demand.queue] + 1, of, True, work)
        before[other.queue] += 1
    return Position(before[demand.queue] + 1, of, False, work)


def _in_turn(
    backlog: Backlog, shares: Shares, policy: Policy, capacity: Capacity, now: int
) -> Iterator[tuple[Demand, Mapping[int, float]]]:
    """The first `LOOKED_AT` in the order of turns as if each job were placed when its turn comes; and
    `Position.work_s`, which is right until the next is asked for."""
    kinds = {kind for kind in backlog.kinds.values() if kind.lines}
    charged: dict[Path, float] = {}
    turns = Turns(backlog, shares, policy, kinds, charged)
    scale = shares.scale(now)
    work = dict.fromkeys(QUANTILES, 0.0)
    for looked in range(LOOKED_AT):
        turn = turns.next()
        if turn is None:
            return
        other = backlog.get(turn[0])
        yield other, work
        share = _share(capacity, other)
        if looked >= policy.reserve:
            for quantile in QUANTILES:
                work[quantile] += share * seconds(other, quantile)
        turns.charge(share * seconds(other) * scale)


def choose(
    backlog: Backlog,
    shares: Shares,
    policy: Policy,
    capacity: Capacity,
    kinds: Container[Kind],
    told: Container[str],
    now: int,
) -> dict[str, int]:
    """Some of `kinds` that wait and are not `told`, the first and others ever farther behind; by each what
    those before it need of the whole region, probably (ms)."""
    found = [
        (it.job, int(work[50] * 1000))
        for it, work in _in_turn(backlog, shares, policy, capacity, now)
        if it.job not in told and backlog.line(it.job).kind in kinds
    ]
    if len(found) <= AT_ONCE:
        return dict(found)
    depths = np.maximum(np.geomspace(1, len(found), AT_ONCE).astype(int), np.arange(1, AT_ONCE + 1))
    return dict(found[depth - 1] for depth in depths.tolist())


def _share(capacity: Capacity, demand: Demand) -> float:
    count = demand.least
    has = {model: share * each * count for model, each, share in demand.options[:1] if model}
    return dominant(capacity, demand.cpus * count, demand.memory_mib * count, has)


class Ahead:
    """When jobs of one walk may start. The calendars are kept for the next job of the walk, as long as no
    other has taken room meanwhile."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._calendars: dict[int, Calendar] = {}
        self._taken = self._reserved = 0

    def starts(
        self, blocked: Sequence[Blocked], taken: int, it: Blocked, before: Position
    ) -> dict[int, dict[int, int]]:
        """By quantile and position in `Judged`: expected start (ms) of a job whose turn comes after the
        `blocked`, when so many have `taken` room. Positions of which nobody knows are left out."""
        scene = self._scene
        if not self._calendars or taken != self._taken:
            self._calendars = {it: Calendar(scene.rooms, scene.open_pools, it) for it in QUANTILES}
            self._taken, self._reserved = taken, 0
        found = {}
        for quantile, calendar in self._calendars.items():
            for other in blocked[self._reserved :]:
                _reserve(calendar, scene, other, quantile)
            times = _times(calendar, it)
            delay = int(before.work_s[quantile] * 1000)
            found[quantile] = {
                candidate: time + delay
                for candidate, time in zip(it.ranked.tolist(), times.tolist(), strict=True)
                if time < FOREVER
            }
        self._reserved = len(blocked)
        return found


def _times(calendar: Calendar, it: Blocked) -> Ints:
    if it.after is None:
        return np.full(len(it.ranked), FOREVER, dtype=np.int64)
    # A plan lets it begin only where all of its time fits, however long it will probably run.
    return calendar.times(it.ask(it.demand.occupies_ms, calendar.sooner(it.after)))


def guesses(scene: Scene, blocked: Sequence[Blocked], others: Sequence[Blocked]) -> dict[str, int]:
    """Of each of the `blocked` and then the `others` the earliest start that is probable (ms), if anybody
    knows one. The jobs of `others` wait for the places of `blocked`, but not for each other."""
    calendar = Calendar(scene.rooms, scene.open_pools, 50)
    found = {}
    for it in blocked:
        found[it.demand.job] = _soonest(calendar, it)
        _reserve(calendar, scene, it, 50)
    found |= {it.demand.job: _soonest(calendar, it) for it in others}
    return {job: time for job, time in found.items() if time < FOREVER}


def _soonest(calendar: Calendar, it: Blocked) -> int:
    times = _times(calendar, it)
    return int(times.min()) if len(times) else FOREVER


def _reserve(calendar: Calendar, scene: Scene, it: Blocked, quantile: int) -> None:
    after = scene.rooms.now if it.after is None else calendar.sooner(it.after)
    ask = it.ask(seconds(it.demand, quantile) * 1000, after)
    place = calendar.earliest(ask)
    if place is not None:
        calendar.reserve(place, ask)


def expected(
    before: Position, by_quantile: Mapping[int, Mapping[int, int]], ranges: StartRanges, now: int
) -> Start | None:
    """What `starts` found, as it has turned out. None: nobody knows when it starts."""
    first = {quantile: min(times.values()) for quantile, times in by_quantile.items() if times}
    if not before.counted or len(first) < len(QUANTILES):
        return None
    guess = first[50]
    learnt = ranges.range((guess - now) / 1000)
    if learnt.seen < ENOUGH:
        low, middle, high = sorted(first.values())
        return Start(low, middle, high, guess, 0)
    low, middle, high = (now + round(after * 1000) for after in (learnt.p10, learnt.p50, learnt.p90))
    return Start(low, middle, high, guess, learnt.seen)


def told(
    demand: Demand, it: Judged, before: Position, start: Start | None, now: int
) -> tuple[dict[str, JSON], str]:
    """Figures and a sentence: its position, when it may start, and whether its deadline can still be met."""
    data: dict[str, JSON] = {"position": before.nth, "waiting": before.of, "counted": before.counted}
    nth = f"{before.nth}" if before.counted else f"later than {before.nth}"
    text = f"; it is number {nth} of {before.of} in queue {demand.queue}"
    if start is not None:
        data |= {"start_ms": start.p50, "start_p10_ms": start.p10, "start_p90_ms": start.p90}
        data["start_learnt_from"] = start.seen
        text += f" and may start in {_span(start.p10 - now)} to {_span(start.p90 - now)}"
        text += f" ({LEARNT if start.seen else GUESSED})"
    if demand.deadline is not None:
        shortest = min((int(n) for n in it.figures.run_s[it.ranked]), default=demand.time_s)
        runs = min(shortest, seconds(demand)) * 1000
        ends = (now if start is None else max(now, start.p50)) + runs
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
