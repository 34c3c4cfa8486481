"""The agent's brain: what a centre was asked for, what became of it, what the server must still be told.

It does no network and has no clock, thread or lock: the loop (or the simulation) brings answers, asks for
what is to be sent, and serialises. Order of work: what is desired is journaled, with one fsync for all of
an answer, *before* anything of it starts; final states and usage are journaled, with one fsync per tick,
*before* they are reported; they are reported until the server names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baygrid.centres import logs, publishing
from baygrid.centres.attempts import Attempts
from baygrid.centres.commanding import Commander
from baygrid.centres.journal import Entry, Journal
from baygrid.centres.metering import Signer
from baygrid.centres.observing import Observer
from baygrid.centres.outside import Meter
from baygrid.centres.publishing import Publication
from baygrid.centres.remembered import (
    Memory,
    Phase,
    Remembered,
    blank_order,
    order_entry,
    stays,
    stop_entry,
)
from baygrid.centres.reports import TOGETHER_MS, Reporter, clean, failed
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.links import Sample
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Centre, Estimating
from baygrid.ports.messages import Desired, DriverReport, Order, Report, ReportAnswer, Stop

USAGE_EVERY_MS = 3_600_000

NOTHING_CAME: Final[Mapping[str, int]] = {}


class Agent:
    """`epoch` names the time for which the driver's own claims are sure to last (a local driver: the boot
    id). What may have been started in another epoch, and is not known to the driver, has been
    interrupted. `driver`, `version`: what the server is told of it."""

    def __init__(
        self,
        name: str,
        centre: Centre,
        journal: Journal,
        key: Signer,
        now: Instant,
        *,
        epoch: str = "",
        usage_every: int = USAGE_EVERY_MS,
        driver: str = "",
        version: str = "",
    ) -> None:
        self.name = name
        self._centre, self._epoch = centre, epoch
        self._driver, self._version = driver, version
        memory = Memory.replay(journal.read())
        memory.incarnation = max(memory.incarnation + 1, now)
        self._reporter = Reporter(memory.incarnation, key.public_key)
        self._attempts = Attempts(memory, journal, self._reporter, now)
        self._commander = Commander(self._attempts, centre, epoch)
        self._observer = Observer(self._attempts, self._reporter, centre, key, epoch, usage_every)
        self._estimating = centre if isinstance(centre, Estimating) else None
        self._outside = Meter(centre, key, memory.outside, now)
        memory.outside = self._outside.mark
        self._describe()
        self._attempts.rewrite(now)  # the incarnation is durable before the first message

    # What the loop asks

    @property
    def incarnation(self) -> int:
        return self._attempts.memory.incarnation

    @property
    def gen(self) -> int:
        """Up to where desired is durably taken on: the `after` of the next question."""
        return self._attempts.memory.gen

    @property
    def attempts(self) -> Mapping[str, Remembered]:
        """For status pages and tests; not to be changed."""
        return self._attempts.memory.attempts

    @property
    def trouble(self) -> str:
        """Why the centre could not be asked, for the operator."""
        return self._observer.trouble

    def wants_report(self, now: Instant) -> bool:
        return now >= self._reporter.due_at

    @property
    def report_at(self) -> Instant:
        """When a report is due; 0 means now."""
        return self._reporter.due_at

    def wake_at(self, now: Instant, *, reporting: bool = True, logging: bool = True) -> Instant | None:
        """When something is due here if nothing arrives before. False: one is on its way, do not wake for
        it."""
        due = [self._centre.wake_at(now), self._attempts.again_at, self._outside.wake_at()]
        if logging:
            due.append(logs.wake_at(self._attempts.with_log()))
        if reporting:
            due.append(self._reporter.due_at)
        return min((max(at, now) for at in due if at is not None), default=None)

    # What arrives

    def take(self, desired: Desired, now: Instant) -> None:
        """Takes on an answer, durably. Nothing is started here: the next tick does."""
        entries: list[Entry] = []
        fresh: dict[str, Remembered] = {}
        stops: list[tuple[Remembered, Stop]] = []
        for order in desired.orders:
            if order.attempt not in self._attempts.memory.attempts and order.attempt not in fresh:
                fresh[order.attempt] = kept = self._new(order)
                if not kept.old:
                    entries.append(order_entry(kept))
        for stop in desired.stops:
            known = self._attempts.get(stop.attempt) or fresh.get(stop.attempt)
            if known is None:
                known = fresh[stop.attempt] = Remembered(blank_order(stop), Phase.ORDERED, adopt=True)
            elif known.order.token != stop.token or known.final is not None or stays(known.stop, stop):
                continue
            stops.append((known, stop))
            entries.append(stop_entry(stop))
        if desired.gen != self._attempts.memory.gen:
            entries.append({"t": "gen", "v": desired.gen})
            self._reporter.due_by(now + TOGETHER_MS)
        self._attempts.write(entries)
        # A server restored from a backup may be behind: its word counts, and then it tells all again.
        self._attempts.memory.gen = desired.gen
        for known, stop in stops:
            known.stop, known.retry_at, known.old = stop, 0, False
        for kept in fresh.values():
            self._attempts.add(kept)
            self._reporter.note(kept.order.attempt, now + TOGETHER_MS)
        for known, _ in stops:
            self._attempts.stops[known.order.attempt] = known
            self._reporter.note(known.order.attempt, now + TOGETHER_MS)
        if entries:
            self._attempts.wake(now)

    def answered(self, answer: ReportAnswer, now: Instant) -> None:
        """The last report arrived."""
        if self._estimating is not None:
            self._estimating.ask_waits(answer.asked, now)
        if answer.outside_taken:
            self._outside_moved(self._outside.taken(now))
            if self._outside.more:
                self._reporter.due_by(now)
        for attempt in self._reporter.answered(answer):
            kept = self._attempts.get(attempt)
            if kept is not None and kept.old:
                self._attempts.remove(kept)
        for attempt, why in answer.refused:
            if attempt in self._attempts.memory.attempts:
                self._attempts.memory.attempts[attempt].trouble = f"the server does not believe it: {why}"
        for attempt, n in answer.usage_stored:
            kept = self._attempts.get(attempt)
            if kept is not None and any(one.usage.n == n for one in kept.unstored):
                kept.unstored = [one for one in kept.unstored if one.usage.n != n]
                self._attempts.lazily([{"t": "stored", "attempt": attempt, "n": n}])
        for attempt in answer.closed:
            kept = self._attempts.get(attempt)
            if kept is not None and (kept.final is not None or kept.phase is Phase.UNKNOWN):
                kept.closed = True
                kept.log_done = kept.log_done or kept.phase is Phase.UNKNOWN
                self._forget_if_done(kept, now)

    def measured(self, sample: Sample, now: Instant) -> None:
        """The centre's link to the exchange was."""
        self._reporter.note_link(sample, now + TOGETHER_MS)

    def unanswered(self) -> None:
        """The last report, or its answer, was lost: all of it will be said again."""
        self._reporter.due_at = 0

    # One step

    def tick(self, now: Instant) -> Instant | None:
        """Starts, stops and looks, once each. Returns when it wants to run next."""
        self._attempts.begin(now)
        self._commander.start(now)
        self._commander.stop(now)
        self._observer.look(now)
        self._outside_moved(self._outside.tick(now))
        self._attempts.flush()
        for kept in (
            *self._attempts.phases[Phase.STAGE].values(),
            *self._attempts.phases[Phase.PUBLISH].values(),
        ):
            if not kept.busy:
                self._attempts.wake(kept.retry_at)
        self._attempts.compact(now)
        return self.wake_at(now)

    def report(self, now: Instant) -> Report:
        """What the server must know: what changed, all that is not acknowledged, and at times everything."""
        self._attempts.flush()
        if self._reporter.full_due(now):
            self._describe()
        if self._estimating is not None:
            self._reporter.waits = self._estimating.waits(now)
        self._reporter.outside = self._outside.page()
        return self._reporter.build(self._attempts.memory.attempts, self._attempts.memory.gen, now)

    # Bytes in

    def staging_due(self, now: Instant) -> list[Order]:
        """Orders whose bytes are to be fetched now by `centre.prepare`; each ends in `staged`."""
        return [kept.order for kept in self._attempts.due(Phase.STAGE, now)]

    def staged(
        self,
        attempt: str,
        now: Instant,
        failure: str | None = None,
        *,
        again: bool = False,
        came: Mapping[str, int] = NOTHING_CAME,
    ) -> None:
        """`failure` None: it can start. `again`: the server could not be reached, so try later. `came`: what
        came over a link this time, and its bytes."""
        kept = self._attempts.phases[Phase.STAGE].get(attempt)
        if kept is None:
            return
        kept.busy = False
        kept.came.update(came)
        if failure is None:
            self._attempts.enter(kept, Phase.READY)
        elif again:
            self._attempts.later(kept, failure, now)
        elif kept.stop is None:
            self._attempts.finish(kept, failed("staging-failed", failure), now)
        self._attempts.wake(now)

    def staging(self, attempt: str, done: int, total: int | None, note: str, now: Instant) -> None:
        """How much of its sources has come."""
        kept = self._attempts.phases[Phase.STAGE].get(attempt)
        if kept is not None:
            kept.staged_bytes, kept.staging_bytes = done, total
            kept.trouble = clean(note)
            self._reporter.note(attempt, now + TOGETHER_MS)

    def wanted(self, attempt: str) -> bool:
        """Whether it still is to run. From any thread."""
        kept = self._attempts.get(attempt)
        return kept is not None and kept.stop is None

    # Bytes out

    def blobs_due(self, now: Instant) -> list[Publication]:
        """Outputs to be packed and stored; each ends in `published` or `publishing_failed`."""
        return publishing.due(self._attempts.due(Phase.PUBLISH, now))

    def published(self, attempt: str, name: str, sha256: str, now: Instant, note: str = "") -> None:
        """`note`: what of it was left out."""
        kept = self._attempts.phases[Phase.PUBLISH].get(attempt)
        if kept is None or kept.seen is None:
            return
        kept.outputs[name] = sha256
        kept.seen = publishing.noted(kept.seen, note)
        if set(kept.outputs) >= set(kept.seen.outputs):
            self._attempts.finish(kept, kept.seen, now)

    def publishing_failed(self, attempt: str, failure: str, now: Instant, *, again: bool = False) -> None:
        kept = self._attempts.phases[Phase.PUBLISH].get(attempt)
        if kept is None or kept.seen is None:
            return
        kept.busy = False
        if again:
            self._attempts.later(kept, failure, now)
        else:
            self._attempts.finish(kept, publishing.without_outputs(kept.seen, failure), now)

    def log_chunks(self, now: Instant) -> list[tuple[str, str, int, bytes]]:
        """(attempt, token, offset, bytes) to append now; empty bytes only ask how much the server holds."""
        chunks = logs.chunks(self._attempts.with_log(), self._centre, now)
        for kept in [
            one for one in self._attempts.phases[Phase.FINAL].values() if one.closed and one.log_done
        ]:
            self._forget_if_done(kept, now)
        return chunks

    def log_stored(self, attempt: str, end: int, now: Instant) -> None:
        """The server holds this attempt's log up to `end`."""
        kept = self._attempts.get(attempt)
        if kept is not None:
            logs.stored(kept, end, now)

    def log_refused(self, attempt: str, now: Instant) -> None:
        """The server wants no more of it."""
        kept = self._attempts.get(attempt)
        if kept is not None:
            kept.log_done = True
            self._forget_if_done(kept, now)

    # Inside

    def _describe(self) -> None:
        able = tuple(sorted(self._centre.capabilities()))
        driver = DriverReport(self._driver, self._version, able) if self._driver else None
        self._reporter.describe(self._centre.inventory(), driver)

    def _new(self, order: Order) -> Remembered:
        old = order.attempt in self._attempts.memory.closed
        if old or order.state is not AttemptState.PLACED:
            return Remembered(order, Phase.UNKNOWN, adopt=True, old=old, log_offset=None)
        kept = Remembered(order, Phase.READY)
        if kept.needs_network:
            kept.phase = Phase.STAGE
        else:
            kept.go = self._epoch  # it starts in the next tick: this entry is already the permission
        return kept

    def _forget_if_done(self, kept: Remembered, now: Instant) -> None:
        """Both sides are done: the state, the usage and the whole log are at the server."""
        if kept.closed and kept.log_done and not kept.unstored:
            self._centre.forget(kept.order)
            self._attempts.close(kept, now)

    def _outside_moved(self, entries: list[Entry]) -> None:
        self._attempts.memory.outside = self._outside.mark
        self._attempts.lazily(entries)
