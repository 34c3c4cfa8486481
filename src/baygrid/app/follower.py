"""One server's image of the region, kept up with what happens by the stream of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from baygrid.app.catalogue import Catalogue, RegionCopy
from baygrid.app.estimates import FRESH_MS
from baygrid.app.links import MEASURED, measured
from baygrid.app.region_image import RegionImage
from baygrid.core.placement.links import Measured
from baygrid.core.reasons import Explanation
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Forecast
from baygrid.ports.records import AttemptRecord, Cursor, JobRecord
from baygrid.ports.store import Store, Tx
from baygrid.ports.trading import Open

EVENTS_AT_ONCE = 5_000
SAID_MS: Final = 2_000
REMEMBERED = 20_000
"""Ended attempts that a server which begins takes into its fair shares, the newest first."""
REMEMBERED_HALF_LIVES = 6
"""What was used longer ago weighs less than a sixtieth."""


@dataclass(frozen=True, slots=True)
class News:
    """What happened since the last look, as rows read afresh. `measured`: of the links, if that is news."""

    cursor: Cursor
    more: bool
    jobs: tuple[JobRecord, ...]
    attempts: tuple[AttemptRecord, ...]
    region: RegionCopy
    opened: Sequence[Open]
    seen: Mapping[str, Instant | None]
    told: Mapping[str, Sequence[Forecast]]
    measured: Mapping[str, Measured] | None
    law: bool


LAW: Final = ("party-", "contract-", "labels-")
"""How the kinds of events begin that may change what the law says of a job's datasets."""


class Follower:
    """The leader plans on it, and every server explains with it: whoever uses it holds `lock`."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self.lock = Lock()
        self.region = RegionImage()
        self.law_changed = False  # of what jobs' datasets are judged by, since somebody asked
        self._loaded = False
        self._store = store
        self._catalogue = catalogue
        self._cursor = Cursor()
        self._explained: dict[str, Explanation] = {}
        self._explained_of: tuple[Cursor, Instant] = (self._cursor, 0)

    def load(self, now: Instant) -> None:
        """Everything anew. The cursor is read first, so what happens meanwhile is only taken in twice."""
        read = self._store.read
        self.region = RegionImage()
        self._cursor = read(lambda tx: tx.events.end())
        region, opened, seen, told, self.region.measured = read(
            lambda tx: (
                self._catalogue.at(tx),
                tx.trading.open(),
                tx.region.seen(),
                tx.estimates.told(now - FRESH_MS),
                measured(tx),
            )
        )
        self.region.take_region(region, seen, now, told)
        self.region.take_trades(opened, now)
        since = now - REMEMBERED_HALF_LIVES * self.region.policy.half_life_s * 1000
        ended = read(lambda tx: tx.attempts.ended(since, REMEMBERED))
        for start in range(0, len(ended), EVENTS_AT_ONCE):
            part = ended[start : start + EVENTS_AT_ONCE]
            jobs_of = [attempt.job for attempt in part]
            self.region.remember(part, read(lambda tx, jobs_of=jobs_of: tx.jobs.get(jobs_of)))  # type: ignore[misc]
        live, theirs = read(_live)
        self.region.take(theirs, live)
        jobs = read(lambda tx: tx.jobs.queued(None, EVENTS_AT_ONCE))
        while jobs:
            self.region.take_jobs(jobs)
            last = jobs[-1].id
            jobs = read(lambda tx, last=last: tx.jobs.queued(last, EVENTS_AT_ONCE))  # type: ignore[misc]
        self._loaded = True

    def catch_up(self, now: Instant) -> RegionImage:
        """The region as it is now."""
        if not self._loaded:
            self.load(now)
        while self.follow(now):
            pass
        return self.region

    def explain(self, jobs: Iterable[str], now: Instant) -> dict[str, Explanation]:
        """Why each of these waits, of those that do. What was said a moment ago holds while nothing happens:
        many look at one queue."""
        region = self.catch_up(now)
        cursor, at = self._explained_of
        if cursor != self._cursor or not 0 <= now - at < SAID_MS:
            self._explained, self._explained_of = {}, (self._cursor, now)
        jobs = list(jobs)
        fresh = [job for job in jobs if job not in self._explained]
        if fresh:
            self._explained |= region.explain_waiting(fresh, now)
        return {job: self._explained[job] for job in jobs if job in self._explained}

    def follow(self, now: Instant) -> bool:
        """Takes in the news. True: there is more."""
        cursor = self._cursor

        def load(tx: Tx) -> News:
            events = tx.events.after(cursor, EVENTS_AT_ONCE)
            jobs = sorted({e.job for _, e in events if e.job is not None})
            attempts = sorted({e.attempt for _, e in events if e.attempt is not None})
            return News(
                events[-1][0] if events else cursor,
                len(events) == EVENTS_AT_ONCE,
                tuple(tx.jobs.get(jobs).values()) if jobs else (),
                tuple(tx.attempts.get(attempts).values()) if attempts else (),
                region := self._catalogue.at(tx),
                tx.trading.open() if region.sells else (),
                tx.region.seen(),
                tx.estimates.told(now - FRESH_MS),
                measured(tx) if any(e.kind == MEASURED for _, e in events) else None,
                any(e.kind.startswith(LAW) for _, e in events),
            )

        news = self._store.read(load)
        self._cursor = news.cursor
        self.law_changed |= news.law
        if news.measured is not None:
            self.region.measured = news.measured
        self.region.take_region(news.region, news.seen, now, news.told)
        self.region.take_trades(news.opened, now)
        self.region.take(news.jobs, news.attempts)
        return news.more


def _live(tx: Tx) -> tuple[list[AttemptRecord], list[JobRecord]]:
    attempts = tx.attempts.live()
    return attempts, list(tx.jobs.get(sorted({attempt.job for attempt in attempts})).values())
