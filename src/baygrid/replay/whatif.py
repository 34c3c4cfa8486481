"""The region's own history through the very planner that serves it, under a simulated clock: as the region
is, and as it would be.

Jobs arrive when they arrived and run as long as they ran; where they run, and when, is decided anew. The
region starts empty. A job that would run on another accelerator takes as much longer as the ratings say.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from heapq import heappop, heappush
from typing import Final

from baygrid.core.placement.demand import Demand, Expected, Target
from baygrid.core.placement.image import CentreView, Image, OfferView, Placement, Shape
from baygrid.core.placement.judging.waits import expected
from baygrid.core.placement.plan import Assignment, Planner, Preemption, impossible
from baygrid.core.placement.policy import Policy
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Capacity, Shares
from baygrid.core.placement.timeline.predict import ENOUGH, History, Like
from baygrid.core.placement.timeline.start_range import StartRanges
from baygrid.core.placement.withdrawing import Queued, patience_s
from baygrid.replay.outcome import Progress, no_progress
from baygrid.replay.own_scheduler import OwnScheduler

GRACE_MS: Final = 30_000
"""What a preempted attempt has to end."""
TELL_EVERY: Final = 100


@dataclass(frozen=True, slots=True)
class Past:
    """A job of the history. It ran for `lasts_s` on `count` nodes with accelerators of `model` (None:
    plain). `after`: jobs that must have ended before it. `checkpoint`: it goes on where it was stopped.
    `array`: of an element its array, and how many of those may wait or run at once. `name`: as its user calls
    it."""

    demand: Demand
    lasts_s: float
    model: str | None = None
    count: int = 1
    checkpoint: bool = False
    after: tuple[str, ...] = ()
    array: tuple[str, int] | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """The region as one simulation has it, from the first job to the last."""

    centres: tuple[CentreView, ...]
    offers: tuple[OfferView, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of time in which a job had a place. `ended` False: it was preempted."""

    job: str
    placement: Placement
    offer: str
    start: int
    end: int
    ended: bool


@dataclass(slots=True)
class Course:
    """What happened: when each job that could start first started after it could (ms), every run, and why the
    jobs that never ran did not."""

    waits: dict[str, int] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    never: dict[str, str] = field(default_factory=dict)
    preemptions: int = 0


class _Kind(IntEnum):
    """What happens at one time happens in this order."""

    END = 0
    READY = 1
    WAKE = 2
    DUE = 3


@dataclass(slots=True)
class _Live:
    """An attempt: placed, and started or not. `left_s`: of work, on the accelerator that it has."""

    past: Past
    placement: Placement
    offer: str
    left_s: float
    start: int | None = None


class Simulation:
    """One course of the history. `step_ms`: the planner looks at most so often, so a start may be so much
    late. `ratings`: how much an accelerator does, by model; others have 1."""

    def __init__(self, setting: Setting, history: Sequence[Past], step_ms: int, ratings: Mapping[str, float]):
        self._policy = setting.policy
        self._step = step_ms
        self._ratings = ratings
        self._image = Image(setting.centres, setting.offers)
        self._capacity = Capacity.of(self._image, setting.policy)
        self._shares = Shares(setting.policy)
        self._planner = Planner()
        self._lengths = History()
        self._backlog = Backlog()
        self._own = OwnScheduler(
            view for view in setting.centres if not setting.policy.centre(view.name).managed
        )
        self._pasts = {past.demand.job: past for past in history}
        self._ready: dict[str, int] = {}
        self._done_s: dict[str, float] = defaultdict(
            float
        )  # of work that a checkpoint kept, as in the history
        self._live: dict[str, _Live] = {}
        self._queued: dict[str, int] = {}  # attempts in centres' own queues: when patience with each ends
        self._tries: dict[str, int] = defaultdict(int)
        self._left_after: dict[str, int] = {}
        self._open: dict[str, int] = defaultdict(int)  # by array
        self._held: dict[str, deque[str]] = defaultdict(deque)
        self._successors: dict[str, list[str]] = defaultdict(list)
        self._events: list[tuple[int, int, str]] = []
        self._looked = -step_ms
        self.course = Course()
        self._arrive()

    def _arrive(self) -> None:
        for job, past in self._pasts.items():
            before = [other for other in past.after if other in self._pasts]
            self._left_after[job] = len(before)
            for other in before:
                self._successors[other].append(job)
            if not before:
                heappush(self._events, (past.demand.submitted_at, _Kind.READY, job))
        for it in self._policy.reservations:
            for at in (it.start, it.end):
                heappush(self._events, (at, _Kind.WAKE, ""))

    def run(self, progress: Progress = no_progress) -> Course:
        """To its end: nothing runs any more and nothing that waits can start."""
        told = 0
        while self._events:
            now = max(self._events[0][0], self._looked + self._step)
            news = False
            while self._events and self._events[0][0] <= now:
                at, kind, name = heappop(self._events)
                news |= kind is not _Kind.DUE
                if kind is _Kind.END:
                    self._end(name, at)
                elif kind is _Kind.READY:
                    self._come(name, at)
            if news and len(self._backlog):
                self._looked = now
                self._plan(now)
            elif any(due <= now for due in self._queued.values()):
                self._plan(now)
            if len(self.course.runs) >= told + TELL_EVERY:
                told = len(self.course.runs)
                progress(min(told, len(self._pasts)), len(self._pasts))
        self._give_up()
        return self.course

    def _come(self, job: str, at: int) -> None:
        """It waits for a place from now on, or first for its turn in its array."""
        past = self._pasts[job]
        if past.array is not None:
            array, parallel = past.array
            if self._open[array] >= parallel:
                self._held[array].append(job)
                return
            self._open[array] += 1
        self._ready[job] = at
        self._wait(past)

    def _wait(self, past: Past, waited_at: Target | None = None) -> None:
        """With what is expected of it by then, as the live planner has it."""
        told = self._lengths.forecast(_like(past))
        known = Expected(round(told.p10), round(told.p50), round(told.p90)) if told.seen >= ENOUGH else None
        demand = replace(past.demand, expected=known)
        if waited_at is not None:
            demand = replace(demand, waited_at=waited_at, shape=None)
        self._backlog.add(demand)

    def _plan(self, now: int) -> None:
        queued = [
            Queued(self._live[attempt].placement, self._live[attempt].past.demand, due)
            for attempt, due in self._queued.items()
            if due <= now
        ]
        made = self._planner.plan(self._image, self._backlog, self._policy, self._shares, now, queued)
        for preemption in made.preemptions:
            self._stop(preemption, now)
        for assignment in made.assignments:
            self._place(assignment, now)
        for withdrawal in made.withdrawals:
            self._withdraw(withdrawal.attempt, now)
        if made.more or made.withdrawals:
            self._plan(now)

    def _place(self, it: Assignment, now: int) -> None:
        past = self._pasts[it.job]
        demand = past.demand
        self._backlog.remove(it.job)
        self._tries[it.job] += 1
        attempt = f"{it.job}/{self._tries[it.job]}"
        placement = replace(it.placement(attempt, demand, now), checkpointed=past.checkpoint)
        self._live[attempt] = _Live(past, placement, it.offer, self._work(past, it))
        ends_by = now + demand.occupies_ms
        self._shares.begin(attempt, demand.path, self._capacity.share(placement), now, ends_by)
        if it.nodes:
            self._start(attempt, now)
        else:
            self._image.occupy(placement)
            self._queue(placement, now)
            for started in self._own.arrives(placement):
                self._start(started, now)

    def _queue(self, it: Placement, now: int) -> None:
        time_s = self._live[it.attempt].past.demand.time_s
        size = (it.count, it.cpus, it.memory_mib, it.accelerator, it.accelerators)
        told_s = expected(self._image.centres[it.centre].waits, Shape(it.partition, *size, time_s))
        patience = patience_s(self._policy.centre(it.centre), told_s)
        self._queued[it.attempt] = now + patience * 1000
        heappush(self._events, (now + patience * 1000, _Kind.DUE, ""))

    def _withdraw(self, attempt: str, now: int) -> None:
        """It leaves its centre's own queue at once, and waits here again; not if it began just now, since
        another left."""
        if self._queued.pop(attempt, None) is None:
            return
        live = self._live.pop(attempt)
        self._image.release(attempt)
        self._shares.end(attempt, now)
        for started in self._own.ends(live.placement):
            self._start(started, now)
        self._wait(live.past, Target(live.placement.centre, live.placement.partition))

    def _work(self, past: Past, it: Assignment) -> float:
        """Seconds that it still takes there: at most its time limit, at which it is ended."""
        pace = self._ratings.get(it.accelerator or "", 1.0) * it.count
        then = self._ratings.get(past.model or "", 1.0) * past.count
        left = past.lasts_s - self._done_s[it.job]
        return max(1.0, min(left * then / pace, float(past.demand.time_s)))

    def _start(self, attempt: str, now: int) -> None:
        live = self._live[attempt]
        self._queued.pop(attempt, None)
        live.start = now
        past = live.past
        live.placement = replace(live.placement, started_at=now, ends_by=now + past.demand.occupies_ms)
        self._image.occupy(live.placement)
        job = past.demand.job
        self.course.waits.setdefault(job, now - self._ready[job])
        heappush(self._events, (now + int(live.left_s * 1000), _Kind.END, attempt))

    def _stop(self, it: Preemption, now: int) -> None:
        live = self._live.get(it.attempt)
        if live is None or live.placement.stopping:
            return
        self.course.preemptions += 1
        live.placement = replace(live.placement, stopping=True)
        self._image.occupy(live.placement)
        heappush(self._events, (now + (GRACE_MS if live.start is not None else 0), _Kind.END, it.attempt))

    def _end(self, attempt: str, at: int) -> None:
        live = self._live.pop(attempt, None)
        if live is None:
            return  # it was stopped before its work was done
        self._queued.pop(attempt, None)
        self._image.release(attempt)
        self._shares.end(attempt, at)
        for started in self._own.ends(live.placement):
            self._start(started, at)
        job = live.past.demand.job
        worked = (at - live.start) / 1000 if live.start is not None else 0.0
        done = worked >= live.left_s - 0.001 and live.start is not None
        if live.start is not None:
            self.course.runs.append(Run(job, live.placement, live.offer, live.start, at, done))
        if done:
            self._lengths.learn(_like(live.past), worked)
            self._release(job, at)
            return
        if live.past.checkpoint and worked:
            whole = live.past.lasts_s - self._done_s[job]
            self._done_s[job] += whole * worked / live.left_s
        self._wait(live.past)

    def _release(self, job: str, at: int) -> None:
        """Those that waited for its end, and for nothing else, are ready."""
        array = self._pasts[job].array
        if array is not None:
            self._open[array[0]] -= 1
            if held := self._held[array[0]]:
                self._come(held.popleft(), at)
        for successor in self._successors[job]:
            self._left_after[successor] -= 1
            if not self._left_after[successor]:
                ready = max(at, self._pasts[successor].demand.submitted_at)
                heappush(self._events, (ready, _Kind.READY, successor))

    def _give_up(self) -> None:
        """What still waits will wait for ever."""
        kinds = {self._backlog.line(demand.job).kind: demand for demand in self._backlog}
        told = {kind: self._explained(demand) for kind, demand in kinds.items()}
        never = {demand.job: told[self._backlog.line(demand.job).kind] for demand in self._backlog}
        blocked = (job for job, left in self._left_after.items() if left)
        self.course.never = never | dict.fromkeys(blocked, "a job that must end before it never ran")
        for held in self._held.values():
            self.course.never |= dict.fromkeys(held, "earlier elements of its array never ran")

    def _explained(self, demand: Demand) -> str:
        never = impossible(self._image, demand)
        if never is None:
            never = self._planner.explain(
                self._image, demand, self._policy, self._shares, self._backlog, StartRanges(), self._looked
            )
        return never.outcome.text


def _like(past: Past) -> Like:
    """What makes jobs run equally long."""
    demand = past.demand
    shape = (demand.nodes, demand.cpus, demand.accelerators, demand.shares)
    return Like(demand.user, past.name, shape, demand.time_s)


def simulate(
    setting: Setting,
    history: Sequence[Past],
    step_ms: int,
    ratings: Mapping[str, float],
    progress: Progress = no_progress,
) -> Course:
    """The history in this setting."""
    return Simulation(setting, history, step_ms, ratings).run(progress)
