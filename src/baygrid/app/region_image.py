"""What the leader keeps in memory: the queue, the live attempts and the image of the region, fed by rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from baygrid.app.catalogue import Prices, RegionCopy
from baygrid.app.deals import in_force, with_deals
from baygrid.app.demand import centre_view, demand_of, in_steps, placement_of, silent_s, told_wait_s
from baygrid.app.durations import Durations, alike
from baygrid.app.estimates import NOTHING_TOLD, inquiries_of, waits_of
from baygrid.app.limits import Held, Limits
from baygrid.app.starts import Starts
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.jobs.spec import parse
from baygrid.core.placement.demand import Bar, Demand
from baygrid.core.placement.image import Image, Placement
from baygrid.core.placement.links import Measured
from baygrid.core.placement.plan import Plan, Planner, Preemption
from baygrid.core.placement.policy import UNDECLARED
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Capacity, Shares
from baygrid.core.placement.timeline.predict import Like
from baygrid.core.placement.timeline.start_range import Told
from baygrid.core.placement.withdrawing import Queued, patience_s
from baygrid.core.reasons import Explanation
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Forecast, Inquiry
from baygrid.ports.records import AttemptRecord, JobRecord, Want
from baygrid.ports.trading import Open

NOT_ASKED = frozenset({"name", "project", "run", "setup", "envs", "workdir", "inputs", "outputs"})
"""Fields of a job file that say nothing about where it can run, or when."""
LIKES_KEPT = 50_000
COUNTED_KEPT = 50_000
"""An attempt's last change is heard of once or twice, soon after each other."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued job as placement and commit need it; `version` is the one it was read at, `told` when it was
    foreseen to start, if it was."""

    demand: Demand
    version: int
    told: Told | None = None


class RegionImage:
    """Taking in the same row twice changes nothing; an older row never comes, since rows are read afresh."""

    def __init__(self) -> None:
        self.image = Image()
        self.backlog = Backlog()
        self.versions: dict[str, int] = {}  # of each waiting job's row, as it was read
        self.live: dict[str, AttemptRecord] = {}
        self.seen: Mapping[str, Instant | None] = {}
        self.measured: Mapping[str, Measured] = {}  # links, by centre
        self.policy = UNDECLARED
        self.shares = Shares(UNDECLARED)
        self.lost_after: dict[str, int | None] = {}  # seconds, by job; asked for when a centre falls silent
        self.limits = Limits()
        self._planner = Planner()
        self._active: dict[str, Demand] = {}  # of the jobs that have a live attempt
        self._stopping_for: dict[str, str] = {}  # attempt: the job that takes its place
        self._due: dict[str, Instant] = {}  # attempts in centres' own queues: when patience with each ends
        self._counted: dict[str, None] = {}  # attempts that are over
        self._durations = Durations()
        self.starts = Starts()
        self._organisations: Mapping[str, str] = {}
        self._likes: dict[tuple[str, int, int, str, str, tuple[Bar, ...]], Demand] = {}
        self._words: dict[str, str] = {}
        self._capacity = Capacity(0, 0, 0)
        self._open: tuple[Open, ...] = ()  # trades in their period, and spot
        self._open_at: Instant = 0  # what of their time is left then
        self._prices: Prices | None = None
        self._planned_at: Instant = 0
        self._news = True  # since the last plan a job came, or something became free, reachable or cheaper

    def take_region(
        self,
        region: RegionCopy,
        seen: Mapping[str, Instant | None],
        now: Instant,
        told: Mapping[str, Sequence[Forecast]] = NOTHING_TOLD,
    ) -> None:
        """Centres with how long they have been silent, and what the schedulers of some have `told` lately;
        offers at the rates in force."""
        self.seen = seen
        self.limits.follow(region.offers, self.live.values())
        self._organisations = region.organisations
        policy, changed = region.policy(now), False
        if policy != self.policy:
            self.policy, self._news, changed = policy, True, True
            self.shares.follow(policy, now)
            for attempt in self.live.values():
                self._await(attempt)
        for name, centre in region.centres.items():
            waits, link = waits_of(told.get(name, ())), self.measured.get(name)
            view = centre_view(centre, region.partitions[name], seen.get(name), now, waits, link)
            before = self.image.centres.get(name)
            if before != view:
                self._news |= before is None or view.silent_s is None
                self.image.set_centre(view)
                changed |= before is None or before.partitions != view.partitions
        prices = region.prices(now)
        if prices is not self._prices:
            self.image.set_offers(prices.views)
            self._prices = prices
            self._news = True
        if changed:
            self._capacity = Capacity.of(self.image, self.policy)

    def take_trades(self, opened: Sequence[Open], now: Instant) -> None:
        """What is free of what was bought ahead, and of spot."""
        before, after = self._open, in_force(opened, now)
        if before == after and (self._open_at or not after):
            return
        self._open, self._open_at = after, now
        whose = {it.project for it in (*before, *after)}
        for demand in list(self.backlog):
            if demand.project in whose or demand.spot:
                self.backlog.add(self._dealt(demand))
        self._news = True

    def _dealt(self, demand: Demand) -> Demand:
        return with_deals(demand, self._open, self._open_at) if self._open or demand.deals else demand

    def take(self, jobs: Iterable[JobRecord], attempts: Iterable[AttemptRecord]) -> None:
        """What changed in one stretch of time: every attempt comes with the row of its job."""
        jobs, attempts = list(jobs), list(attempts)
        self.take_jobs(jobs)
        self.remember(attempts, {record.id: record for record in jobs})
        self.take_attempts(attempts)

    def take_jobs(self, jobs: Iterable[JobRecord]) -> None:
        for record in jobs:
            if record.state is JobState.QUEUED:
                self.backlog.add(self.demand(record))
                self.versions[record.id] = record.version
                self._news = True
                continue
            self.forget(record.id)
            if record.state is JobState.ACTIVE:
                demand = self._active[record.id] = self.demand(record)
                self.limits.hold(record.id, Held(record.hold, demand.time_s, record.input_bytes))
            else:
                self._active.pop(record.id, None)
                self.limits.hold(record.id, None)
                self.starts.ranges.drop(record.id)

    def waiting(self, job: str) -> Waiting:
        return Waiting(self.backlog.get(job), self.versions[job], self.starts.ranges.told(job))

    def forget(self, job: str) -> None:
        """It waits no more."""
        self.backlog.remove(job)
        self.versions.pop(job, None)

    def demand(self, record: JobRecord) -> Demand:
        """What a job asks for, at no more than what is held for it."""
        project = self._word(record.project)
        found = replace(
            self._template(record),
            job=record.id,
            project=project,
            organisation=self._organisations.get(project, ""),
            user=self._word(record.submitted_by),
            submitted_at=record.submitted_at,
            expected=self._durations.expected(self._alike(record)),
        )
        return self._dealt(found)

    def imagined(self, demand: Demand, name: str) -> Demand:
        """A job that is not there, with what is expected of it."""
        return self._dealt(replace(demand, expected=self._durations.expected(alike(demand, name))))

    def _alike(self, record: JobRecord) -> Like:
        like = self._template(record)
        return alike(like, record.name)._replace(user=self._word(record.submitted_by))

    def _template(self, record: JobRecord) -> Demand:
        """The demand of any job whose file differs only in what placement does not ask: a job file is read
        once for all its likes."""
        asks = str([item for item in record.spec.items() if item[0] not in NOT_ASKED])
        bytes = in_steps(record.input_bytes)
        # Of one that is placed, as if it were queued again: it holds less now than it would ask for then.
        holds = record.hold if record.state is JobState.QUEUED else record.asked
        bars = record.bars or ()
        key = (record.currency, holds, bytes, asks, record.waited_at, bars)
        like = self._likes.get(key)
        if like is None:
            if len(self._likes) >= LIKES_KEPT:
                self._likes.clear()
            like = demand_of(
                "",
                record.currency,
                parse(record.spec),
                input_bytes=bytes,
                waited_at=record.waited_at,
                bars=bars,
            )
            if like.max_cost_minor is None:  # prices may have risen since the money was held
                like = replace(like, max_cost_minor=holds, held=True, shape=None)
            self._likes[key] = like
        return like

    def _word(self, text: str) -> str:
        """One string for all that are equal: there are a million jobs of a few thousand users."""
        return self._words.setdefault(text, text)

    def take_attempts(self, attempts: Iterable[AttemptRecord]) -> None:
        """One that its centre may still run has its place, whatever we call it."""
        for attempt in attempts:
            if attempt.want is Want.NOTHING:
                self.image.release(attempt.id)
                self._news |= self.live.pop(attempt.id, None) is not None
                self._stopping_for.pop(attempt.id, None)
                self._due.pop(attempt.id, None)
                self.limits.drop(attempt.id)
                self.lost_after.pop(attempt.job, None)
                if attempt.ended_at is not None:
                    self.shares.end(attempt.id, attempt.ended_at)
            else:
                placement = placement_of(attempt, self._active.get(attempt.job))
                self.image.occupy(placement)
                if attempt.id not in self.live:
                    self.starts.learn(attempt)
                self._news |= self._left_queue(attempt)
                self.live[attempt.id] = attempt
                self._book(placement)
                self._await(attempt)
                self.limits.take(attempt)

    def _await(self, attempt: AttemptRecord) -> None:
        """What its centre's own queue has, and we want there, has until then to begin."""
        there = self.policy.centre(attempt.centre)
        if attempt.state is AttemptState.WAITING and attempt.want is Want.RUN and not there.managed:
            patience = patience_s(there, told_wait_s(attempt))
            self._due[attempt.id] = attempt.placed_at + patience * 1000
        else:
            self._due.pop(attempt.id, None)

    def _left_queue(self, attempt: AttemptRecord) -> bool:
        """Whether it has begun just now at a centre with a queue of its own, which may take one more then."""
        before = self.live.get(attempt.id)
        waited = before is not None and before.started_at is None and attempt.started_at is not None
        return waited and not self.policy.centre(attempt.centre).managed

    def remember(self, attempts: Iterable[AttemptRecord], jobs: Mapping[str, JobRecord]) -> None:
        """Attempts that ran and are over: their users had them, and the like of them will run as long. Each
        counts once, whenever this server hears of it."""
        for attempt in attempts:
            over = attempt.want is Want.NOTHING and attempt.started_at is not None
            if not over or attempt.ended_at is None or attempt.id in self._counted or attempt.job not in jobs:
                continue
            self._counted[attempt.id] = None
            if len(self._counted) > COUNTED_KEPT:
                self._counted.pop(next(iter(self._counted)))
            record = jobs[attempt.job]
            self._durations.learn(self._alike(record), attempt)
            if attempt.id not in self.live:
                self.starts.learn(attempt)
            self._book(placement_of(attempt, self.demand(record)))
            self.shares.end(attempt.id, attempt.ended_at)

    def makes_room(self, preemptions: Iterable[Preemption], stopping: Iterable[AttemptRecord]) -> None:
        """Attempts that are to stop for others now."""
        stopping = list(stopping)
        whose = {one.attempt: one.job for one in preemptions}
        self._stopping_for |= {attempt.id: whose[attempt.id] for attempt in stopping}
        self.take_attempts(stopping)

    def stopping_for(self, job: str) -> int:
        """How many attempts still stop for it, as far as this server asked for it."""
        return list(self._stopping_for.values()).count(job)

    def placed(self, attempts: Iterable[AttemptRecord]) -> None:
        """Attempts that were made of waiting jobs just now."""
        for attempt in attempts:
            self._active[attempt.job] = self.backlog.get(attempt.job)
            self.take_attempts([attempt])

    def _book(self, placement: Placement) -> None:
        """Its user has had a turn."""
        began = placement.started_at or placement.placed_at
        share = self._capacity.share(placement)
        self.shares.begin(placement.attempt, placement.path, share, began, placement.ends_by or began)

    def has_news(self, now: Instant) -> bool:
        """Whether a plan may place something that the last one could not. Asking ends the news."""
        turned = any(
            self._planned_at < edge <= now
            for each in self.policy.reservations
            for edge in (each.start, each.end)
        )
        overdue = [due for due in self._due.values() if due <= now]
        news = self._news or turned or any(self._planned_at < due for due in overdue)
        self._news, self._planned_at = False, now
        return news and (len(self.backlog) > 0 or len(overdue) > 0)

    def plan(self, now: Instant) -> Plan:
        queued = [
            Queued(self.image.live[attempt], self._active[self.live[attempt].job], due)
            for attempt, due in self._due.items()
            if due <= now and self.live[attempt].job in self._active
        ]
        return self._planner.plan(self.image, self.backlog, self.policy, self.shares, now, queued)

    def foresee(self, now: Instant) -> None:
        """When some of those that wait will start, to learn from what comes of it. Not each time, and not
        all: it must not cost more where many wait."""
        if len(self.backlog) and self.starts.due(now):
            told = self.starts.ranges
            guesses = self._planner.foresee(self.image, self.backlog, self.policy, self.shares, told, now)
            self.starts.tell(guesses, now)

    def inquiries(self, now: Instant) -> dict[str, tuple[Inquiry, ...]]:
        """What to ask the schedulers of centres with queues of their own."""
        if all(self.policy.centre(name).managed for name in self.image.centres):
            return {}
        found = self._planner.inquiries(self.image, self.backlog, self.policy, now)
        return {centre: inquiries_of(shapes) for centre, shapes in found.items()}

    def explain(self, demand: Demand, now: Instant) -> Explanation:
        """Of a waiting job, or of one that is only imagined."""
        ranges = self.starts.ranges
        return self._planner.explain(self.image, demand, self.policy, self.shares, self.backlog, ranges, now)

    def explain_waiting(self, jobs: Iterable[str], now: Instant) -> dict[str, Explanation]:
        """Of those that wait, of some at once."""
        found = [job for job in jobs if job in self.backlog]
        ranges = self.starts.ranges
        return self._planner.explain_all(
            self.image, found, self.policy, self.shares, self.backlog, ranges, now
        )

    def plan_again(self) -> None:
        """What was thought to be taken is free, or to be free is taken, or the last plan did not come to the
        end of the queue."""
        self._news, self._open_at = True, 0

    def silent_attempts(self, now: Instant) -> list[AttemptRecord]:
        """Attempts that are not final, at centres that count as unreachable."""
        silent = {name for name, seen_at in self.seen.items() if silent_s(seen_at, now) is not None}
        if not silent:
            return []
        return [a for a in self.live.values() if a.centre in silent and not a.state.final]

    def is_overdue(self, attempt: AttemptRecord, seen: Mapping[str, Instant | None], now: Instant) -> bool:
        """Whether its centre has been silent for longer than its job waits."""
        after = self.lost_after.get(attempt.job)
        since = seen[attempt.centre] or attempt.placed_at
        return after is not None and now - since > after * 1000
