"""What the leader keeps in memory: the queue, the live attempts and the image of the region, fed by rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from baygrid.app.catalogue import Prices, RegionCopy
from baygrid.app.demand import centre_view, demand_of, placement_of, silent_s
from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.jobs.spec import parse
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Image
from baygrid.core.placement.policy import UNDECLARED
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, JobRecord, Want


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued job as placement and commit need it; `version` is the one it was read at."""

    demand: Demand
    version: int


class RegionImage:
    """Taking in the same row twice changes nothing; an older row never comes, since rows are read afresh."""

    def __init__(self) -> None:
        self.image = Image()
        self.queue: dict[str, Waiting] = {}
        self.live: dict[str, AttemptRecord] = {}
        self.policy = UNDECLARED
        self._active: dict[str, Demand] = {}  # of the jobs that have a live attempt
        self._organisations: Mapping[str, str] = {}
        self.seen: Mapping[str, Instant | None] = {}
        self.lost_after: dict[str, int | None] = {}  # seconds, by job; asked for when a centre falls silent
        self._prices: Prices | None = None
        self._fresh: dict[str, None] = {}  # queued since the last plan
        self._roomier = True  # since the last plan something became free, reachable or cheaper

    def take_region(self, region: RegionCopy, seen: Mapping[str, Instant | None], now: Instant) -> None:
        """Centres with how long they have been silent, and offers at the rates in force."""
        self.seen = seen
        self._organisations = region.organisations
        policy = region.policy(now)
        self._roomier |= policy != self.policy
        self.policy = policy
        for name, centre in region.centres.items():
            view = centre_view(centre, region.partitions[name], seen.get(name), now)
            before = self.image.centres.get(name)
            if before != view:
                self._roomier |= before is None or view.silent_s is None
                self.image.set_centre(view)
        prices = region.prices(now)
        if prices is not self._prices:
            self.image.set_offers(prices.views)
            self._prices = prices
            self._roomier = True

    def take_jobs(self, jobs: Iterable[JobRecord]) -> None:
        for record in jobs:
            self.queue.pop(record.id, None)
            self._fresh.pop(record.id, None)
            if record.state is JobState.ACTIVE:
                self._active[record.id] = self._demand(record)
            elif record.state is JobState.QUEUED:
                demand = self._demand(record)
                if demand.max_cost_minor is None:  # prices may have risen since the money was held
                    demand = replace(demand, max_cost_minor=record.hold, shape=None)
                self.queue[record.id] = Waiting(demand, record.version)
                self._fresh[record.id] = None

    def _demand(self, record: JobRecord) -> Demand:
        organisation = self._organisations.get(record.project, "")
        spec = parse(record.spec)
        return demand_of(
            record.id, record.currency, spec, organisation, record.submitted_by, record.submitted_at
        )

    def take_attempts(self, attempts: Iterable[AttemptRecord]) -> None:
        """One that its centre may still run has its place, whatever we call it."""
        for attempt in attempts:
            if attempt.want is Want.NOTHING:
                self.image.release(attempt.id)
                self._active.pop(attempt.job, None)
                self._roomier |= self.live.pop(attempt.id, None) is not None
                self.lost_after.pop(attempt.job, None)
            else:
                self.image.occupy(placement_of(attempt, self._active.get(attempt.job)))
                self.live[attempt.id] = attempt

    def to_plan(self) -> list[Demand]:
        """The jobs that a plan may place now: all, or only the new ones where nothing has become free since
        the last plan, since what had to wait then still has to."""
        demands = [self.queue[id].demand for id in (self.queue if self._roomier else self._fresh)]
        self._fresh.clear()
        self._roomier = False
        return demands

    def plan_all(self) -> None:
        """The next plan looks at the whole queue."""
        self._roomier = True

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
