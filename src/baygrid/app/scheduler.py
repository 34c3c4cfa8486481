"""The leader: keeps an image of the region in memory, plans on it, commits what still holds.

`Scheduler.step` is one bounded step; it says when it wants to run next. Events wake it earlier.
"""

from __future__ import annotations

from datetime import date

from baygrid.app import allocations, budgets, renewals
from baygrid.app.estimates import ASK_EVERY_MS
from baygrid.app.jobs import lose, stop_for_money
from baygrid.app.placing import Fenced, commit, make_room, withdraw
from baygrid.app.platform import Platform
from baygrid.app.rejudging import rejudge
from baygrid.app.releases import end_back_off
from baygrid.app.trade_ends import close_periods
from baygrid.core.days import day_of
from baygrid.core.jobs.spec import parse
from baygrid.core.pricing.months import Month
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord
from baygrid.ports.store import Tx

LEASE_MS = 4_000
IDLE_MS = 1_000
COMMIT_AT_ONCE = 250
PERIODS_MS = 60_000
"""How often it is asked which periods of trades are over."""
TEND_EVERY_MS = 5_000
"""How often it is looked whether something is to be done for accounts."""


class Scheduler:
    """One per server; only the leader's plans. `holder` names this server in the term row."""

    def __init__(self, platform: Platform, holder: str) -> None:
        self.term: int | None = None
        self._platform = platform
        self._holder = holder
        self._renewed: Instant = 0
        self._inquire_at: Instant = 0
        self._rested: Instant = 0  # when it was last asked whose back-off has ended
        self._periods: Instant = 0
        self._tended: Instant = 0
        self._turned: dict[str, Month] = {}  # by project the last one that its budget was tended for
        self._judged: date | None = None  # the day by which waiting jobs were judged
        self._judging: str | None = None  # beyond which job that goes on
        self._follower = platform.follower

    def step(self, now: Instant) -> Instant:
        """Leads if nobody else does, takes in what happened, places what fits. Returns when to run next."""
        with self._follower.lock:
            return self._step(now)

    def _step(self, now: Instant) -> Instant:
        if not self._lead(now):
            return now + IDLE_MS
        try:
            self._end_back_offs(now)
            self._close_periods(now)
            self._tend_accounts(now)
            self._rejudge(now)
            more = self._follower.follow(now)
            placed = self._place(now)
            self._inquire(now)
            self._stop_at_limits(now)
            self._lose_silent(now)
        except Fenced:
            self.term = None
            return now
        except Exception:
            self.term = None  # what was done is not known: take everything in anew
            raise
        return now if more or placed else now + IDLE_MS

    def resign(self) -> None:
        """Lets another server lead at once."""
        if self.term is not None:
            term, self.term = self.term, None
            self._platform.store.write(lambda tx: tx.leadership.resign(term, self._holder))

    def _lead(self, now: Instant) -> bool:
        """Campaigns where nobody leads and renews the lease in time. Every commit renews it too."""
        if self.term is not None and now - self._renewed < LEASE_MS // 3:
            return True
        term = self._platform.store.write(lambda tx: tx.leadership.campaign(self._holder, now, LEASE_MS))
        if term is not None and term != self.term:
            self._follower.load(now)
        self.term = term
        self._renewed = now
        return term is not None

    def _place(self, now: Instant) -> bool:
        """Plans the queue and commits in parts, so that the first jobs need not wait for the last."""
        known = self._follower.region
        if self.term is None or not known.has_news(now):
            return False
        made = known.plan(now)
        if made.preemptions:
            stopping = make_room(self._platform, self.term, self._holder, LEASE_MS, made.preemptions, now)
            known.makes_room(made.preemptions, stopping)
        for start in range(0, len(made.assignments), COMMIT_AT_ONCE):
            part = [(a, known.waiting(a.job)) for a in made.assignments[start : start + COMMIT_AT_ONCE]]
            attempts = commit(self._platform, self.term, self._holder, LEASE_MS, part, now)
            self._renewed = now
            known.placed(attempts)
            for assignment, _ in part:  # one that dropped has changed: the stream tells how it stands
                known.forget(assignment.job)
            if len(attempts) < len(part):
                known.plan_again()  # what was kept for it is free
        if made.withdrawals:
            asked = withdraw(self._platform, self.term, self._holder, LEASE_MS, made.withdrawals, now)
            known.take_attempts(asked)
        if made.more:
            known.plan_again()
        else:
            known.foresee(now)
        return bool(made.assignments)

    def _inquire(self, now: Instant) -> None:
        """Rarely: what the schedulers of centres are to be asked, so that any server can pass it on."""
        if now < self._inquire_at:
            return
        self._inquire_at = now + ASK_EVERY_MS
        asked = self._follower.region.inquiries(now)
        if asked:
            self._platform.store.write(lambda tx: tx.estimates.ask(asked, now))

    def _end_back_offs(self, now: Instant) -> None:
        if now < self._rested + IDLE_MS:
            return
        self._rested = now
        if not self._platform.store.read(lambda tx: tx.jobs.rested(now, 1)):
            return

        def apply(tx: Tx) -> None:
            self._fence(tx, now)
            end_back_off(tx, now)

        self._platform.store.write(apply)

    def _close_periods(self, now: Instant) -> None:
        if now < self._periods + PERIODS_MS:
            return
        self._periods = now
        if not any(self._platform.store.read(lambda tx: tx.trading.due(now))):
            return

        def apply(tx: Tx) -> None:
            self._fence(tx, now)
            close_periods(self._platform, tx, now)

        self._platform.store.write(apply)

    def _tend_accounts(self, now: Instant) -> None:
        """Now and then: allocations and contracts that begin, are warned of or end; monthly budgets."""
        if now < self._tended + TEND_EVERY_MS:
            return
        more = budgets.tend(self._platform, self._fence, self._turned, now)
        more |= renewals.tend(self._platform, self._fence, now)
        if not allocations.tend(self._platform, self._fence, now) and not more:
            self._tended = now

    def _rejudge(self, now: Instant) -> None:
        """Where the law lets datasets of waiting jobs go, on a new day or by new facts."""
        today = day_of(now)
        if self._judged != today or self._follower.law_changed:
            self._judged, self._judging, self._follower.law_changed = today, "", False
        if self._judging is not None:
            self._judging = rejudge(self._platform, self._fence, self._judging, now)

    def _fence(self, tx: Tx, now: Instant) -> None:
        """Raises Fenced unless this server still leads."""
        if self.term is None or not tx.leadership.fence(self.term, self._holder, now, LEASE_MS):
            raise Fenced

    def _stop_at_limits(self, now: Instant) -> None:
        """Attempts that would pass their hold if they ended later than now."""
        known, term = self._follower.region, self.term
        due = known.limits.due(now)
        if not due or term is None:
            return

        def apply(tx: Tx) -> list[AttemptRecord]:
            self._fence(tx, now)
            return stop_for_money(self._platform, tx, due, now, term)

        stopped = self._platform.store.write(apply)
        for attempt in due:  # of one that need not stop any more the stream tells
            known.limits.drop(attempt)
        known.take_attempts(stopped)

    def _lose_silent(self, now: Instant) -> None:
        """Attempts whose job said after how much silence it counts as lost."""
        known = self._follower.region
        silent = known.silent_attempts(now)
        unknown = [attempt.job for attempt in silent if attempt.job not in known.lost_after]
        if unknown:
            for record in self._platform.store.read(lambda tx: tx.jobs.get(unknown)).values():
                known.lost_after[record.id] = parse(record.spec).lost_after
        overdue = [attempt.id for attempt in silent if known.is_overdue(attempt, known.seen, now)]
        if not overdue:
            return

        def apply(tx: Tx) -> None:
            self._fence(tx, now)
            seen = tx.region.seen()  # it may have come back meanwhile
            attempts = tx.attempts.get(overdue).values()
            due = [a for a in attempts if not a.state.final and known.is_overdue(a, seen, now)]
            if due:
                lose(self._platform, tx, due, "its centre was silent for longer than lost_after", now)

        self._platform.store.write(apply)
