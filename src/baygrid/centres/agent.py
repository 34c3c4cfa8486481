"""The agent's brain: what a centre was asked for, what became of it, what the server must still be told.

It does no network and has no clock, thread or lock: the loop (or the simulation) brings answers, asks for
what is to be sent, and serialises. Order of work: what is desired is journaled, with one fsync for all of
an answer, *before* anything of it starts; final states and usage are journaled, with one fsync per tick,
*before* they are reported; they are reported until the server names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from baygrid.centres import logs
from baygrid.centres.held import (
    Held,
    Memory,
    Phase,
    blank_order,
    final_entry,
    order_entry,
    stop_entry,
    usage_entry,
)
from baygrid.centres.journal import Entry, Journal
from baygrid.centres.metering import Signer, stretches
from baygrid.centres.reports import Reporter, clean, failed, final_report
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Centre, Observation, StagingFailed
from baygrid.ports.messages import Desired, Order, Report, ReportAnswer, Stop

USAGE_EVERY_MS = 3_600_000
STARTS_PER_TICK = 64
MAX_START_TRIES = 8
COMPACT_AFTER = 20_000

_LOOKED_AT = (Phase.CHECK, Phase.ORDERED, Phase.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Publication:
    """An output that waits to be packed and stored."""

    attempt: str
    name: str
    path: Path


class Agent:
    """`epoch` names the time for which the driver's own claims are sure to last (a local driver: the boot
    id). What may have been started in another epoch, and is not known to the driver, has been
    interrupted."""

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
    ) -> None:
        self.name = name
        self.trouble = ""  # why the centre could not be asked, for the operator
        self._centre, self._journal, self._key = centre, journal, key
        self._epoch, self._usage_every = epoch, usage_every
        self._memory = Memory.replay(journal.read())
        self._memory.incarnation = max(self._memory.incarnation + 1, now)
        self._phases: dict[Phase, dict[str, Held]] = {phase: {} for phase in Phase}
        self._stops: dict[str, Held] = {}  # not yet passed on to the centre
        for held in self._memory.held.values():
            self._index(held)
        self._batch: list[Entry] = []  # must be durable before the next report
        self._lazy: list[Entry] = []  # harmless to lose: goes with the next batch
        self._again_at: Instant | None = now
        self._reporter = Reporter(self.incarnation, key.public_key)
        self._reporter.describe(centre.inventory())
        journal.rewrite(list(self._memory.dump(now)))  # the incarnation is durable before the first message

    # What the loop asks

    @property
    def incarnation(self) -> int:
        return self._memory.incarnation

    @property
    def gen(self) -> int:
        """Up to where desired is durably taken on: the `after` of the next question."""
        return self._memory.gen

    @property
    def attempts(self) -> Mapping[str, Held]:
        """For status pages and tests; not to be changed."""
        return self._memory.held

    def wants_report(self, now: Instant) -> bool:
        return now >= self._reporter.due_at

    @property
    def report_at(self) -> Instant:
        """When a report is due; 0 means now."""
        return self._reporter.due_at

    def wake_at(self, now: Instant, *, reporting: bool = True, logging: bool = True) -> Instant | None:
        """When something is due here if nothing arrives before. False: one is on its way, do not wake for
        it."""
        due = [self._centre.wake_at(now), self._again_at]
        if logging:
            due.append(logs.wake_at(self._with_log()))
        if reporting:
            due.append(self._reporter.due_at)
        return min((max(at, now) for at in due if at is not None), default=None)

    # What arrives

    def take(self, desired: Desired, now: Instant) -> None:
        """Takes on an answer, durably. Nothing is started here: the next tick does."""
        entries: list[Entry] = []
        fresh: dict[str, Held] = {}
        stops: list[tuple[Held, Stop]] = []
        for order in desired.orders:
            if order.attempt not in self._memory.held and order.attempt not in fresh:
                fresh[order.attempt] = held = self._new(order)
                if not held.old:
                    entries.append(order_entry(held))
        for stop in desired.stops:
            known = self._memory.held.get(stop.attempt) or fresh.get(stop.attempt)
            if known is None:
                known = fresh[stop.attempt] = Held(blank_order(stop), Phase.ORDERED, adopt=True)
            elif known.order.token != stop.token or known.stop is not None or known.final is not None:
                continue
            stops.append((known, stop))
            entries.append(stop_entry(stop))
        if desired.gen != self._memory.gen:
            entries.append({"t": "gen", "v": desired.gen})
            self._reporter.due_at = 0
        self._write(entries)
        # A server restored from a backup may be behind: its word counts, and then it tells all again.
        self._memory.gen = desired.gen
        for known, stop in stops:
            known.stop, known.retry_at, known.old = stop, 0, False
        for held in fresh.values():
            self._memory.held[held.order.attempt] = held
            self._index(held)
            self._reporter.note(held.order.attempt)
        for known, _ in stops:
            self._stops[known.order.attempt] = known
            self._reporter.note(known.order.attempt)
        if entries:
            self._wake(now)

    def answered(self, answer: ReportAnswer, now: Instant) -> None:
        """The last report arrived."""
        for attempt in self._reporter.answered(answer):
            held = self._memory.held.get(attempt)
            if held is not None and held.old:
                self._remove(held)
        for attempt, why in answer.refused:
            if attempt in self._memory.held:
                self._memory.held[attempt].trouble = f"the server does not believe it: {why}"
        for attempt, n in answer.usage_stored:
            held = self._memory.held.get(attempt)
            if held is not None and any(one.usage.n == n for one in held.unstored):
                held.unstored = [one for one in held.unstored if one.usage.n != n]
                self._lazy.append({"t": "stored", "attempt": attempt, "n": n})
        for attempt in answer.closed:
            held = self._memory.held.get(attempt)
            if held is not None and (held.final is not None or held.phase is Phase.UNKNOWN):
                held.closed = True
                held.log_done = held.log_done or held.phase is Phase.UNKNOWN
                self._forget_if_done(held, now)

    def unanswered(self) -> None:
        """The last report, or its answer, was lost: all of it will be said again."""
        self._reporter.due_at = 0

    # One step

    def tick(self, now: Instant) -> Instant | None:
        """Starts, stops and looks, once each. Returns when it wants to run next."""
        self._again_at = None
        self._start(now)
        self._stop(now)
        self._observe(now)
        self._flush()
        for held in (*self._phases[Phase.STAGE].values(), *self._phases[Phase.PUBLISH].values()):
            if not held.busy:
                self._wake(held.retry_at)
        if self._journal.appended > COMPACT_AFTER + 4 * len(self._memory.held):
            self._lazy = []
            self._journal.rewrite(list(self._memory.dump(now)))
        return self.wake_at(now)

    def report(self, now: Instant) -> Report:
        """What the server must know: what changed, all that is not acknowledged, and at times everything."""
        self._flush()
        if self._reporter.full_due(now):
            self._reporter.describe(self._centre.inventory())
        return self._reporter.build(self._memory.held, self._memory.gen, now)

    # Bytes in

    def staging_due(self, now: Instant) -> list[Order]:
        """Orders whose bytes are to be fetched now by `centre.prepare`; each ends in `staged`."""
        return [held.order for held in self._due(Phase.STAGE, now)]

    def staged(self, attempt: str, now: Instant, failure: str | None = None, *, again: bool = False) -> None:
        """`failure` None: it can start. `again`: the server could not be reached, so try later."""
        held = self._phases[Phase.STAGE].get(attempt)
        if held is None:
            return
        held.busy = False
        if failure is None:
            self._enter(held, Phase.READY)
        elif again:
            self._later(held, failure, now)
        else:
            self._finish(held, failed("staging-failed", failure), now)
        self._wake(now)

    # Bytes out

    def blobs_due(self, now: Instant) -> list[Publication]:
        """Outputs to be packed and stored; each ends in `published` or `publishing_failed`."""
        return [
            Publication(held.order.attempt, name, path)
            for held in self._due(Phase.PUBLISH, now)
            if held.seen is not None
            for name, path in sorted(held.seen.outputs.items())
            if name not in held.outputs
        ]

    def published(self, attempt: str, name: str, sha256: str, now: Instant) -> None:
        held = self._phases[Phase.PUBLISH].get(attempt)
        if held is None or held.seen is None:
            return
        held.outputs[name] = sha256
        if set(held.outputs) >= set(held.seen.outputs):
            self._finish(held, held.seen, now)

    def publishing_failed(self, attempt: str, failure: str, now: Instant, *, again: bool = False) -> None:
        held = self._phases[Phase.PUBLISH].get(attempt)
        if held is None or held.seen is None:
            return
        held.busy = False
        if again:
            self._later(held, failure, now)
        else:
            seen = held.seen
            self._finish(held, failed("publishing-failed", failure, seen.started_at, seen.ended_at), now)

    def log_chunks(self, now: Instant) -> list[tuple[str, str, int, bytes]]:
        """(attempt, token, offset, bytes) to append now; empty bytes only ask how much the server holds."""
        chunks = logs.chunks(self._with_log(), self._centre, now)
        for held in [one for one in self._phases[Phase.FINAL].values() if one.closed and one.log_done]:
            self._forget_if_done(held, now)
        return chunks

    def log_stored(self, attempt: str, end: int, now: Instant) -> None:
        """The server holds this attempt's log up to `end`."""
        held = self._memory.held.get(attempt)
        if held is not None:
            logs.stored(held, end, now)

    def log_refused(self, attempt: str, now: Instant) -> None:
        """The server wants no more of it."""
        held = self._memory.held.get(attempt)
        if held is not None:
            held.log_done = True
            self._forget_if_done(held, now)

    # Inside

    def _new(self, order: Order) -> Held:
        old = order.attempt in self._memory.closed
        if old or order.state is not AttemptState.PLACED:
            return Held(order, Phase.UNKNOWN, adopt=True, old=old, log_offset=None)
        held = Held(order, Phase.READY)
        if held.needs_network:
            held.phase = Phase.STAGE
        else:
            held.go = self._epoch  # it starts in the next tick: this entry is already the permission
        return held

    def _start(self, now: Instant) -> None:
        ready = [held for held in self._phases[Phase.READY].values() if held.stop is None]
        for held in ready:
            if held.retry_at > now:
                self._wake(held.retry_at)
        ready = [held for held in ready if held.retry_at <= now]
        if len(ready) > STARTS_PER_TICK:
            ready = ready[:STARTS_PER_TICK]
            self._wake(now)
        late = [held for held in ready if held.go is None]
        for held in late:
            held.go = self._epoch
        self._write([{"t": "go", "attempt": held.order.attempt, "epoch": held.go} for held in late])
        for held in ready:
            try:
                if not held.needs_network:
                    self._centre.prepare(held.order, _no_fetch)
                self._centre.start(held.order, now)
            except StagingFailed as failure:
                self._finish(held, failed("staging-failed", str(failure)), now)
            except OSError as error:
                self._later(held, str(error), now)
                if held.tries >= MAX_START_TRIES:
                    held.stop = Stop(held.order.attempt, held.order.token, "it could not be started", 0)
                    held.refused = True
                    self._stops[held.order.attempt] = held
            else:
                held.trouble = ""
                self._enter(held, Phase.ORDERED)

    def _stop(self, now: Instant) -> None:
        """Passes stops on. The centre is told even of what never started: it then refuses to start it."""
        for attempt, held in list(self._stops.items()):
            if held.stop is None or held.phase in (Phase.PUBLISH, Phase.FINAL):
                del self._stops[attempt]
            elif held.phase is Phase.STAGE and held.busy:
                continue  # its files are being written; `staged` comes
            elif now < held.retry_at and not held.refused:
                self._wake(held.retry_at)
            else:
                try:
                    self._centre.stop(held.stop, now)
                except OSError as error:
                    self._later(held, str(error), now)
                    continue
                del self._stops[attempt]
                held.stop_told = True
                self._enter(held, Phase.ORDERED)

    def _observe(self, now: Instant) -> None:
        asked = [held for phase in _LOOKED_AT for held in self._phases[phase].values() if not held.old]
        try:
            seen = self._centre.observe([held.order for held in asked], now)
        except OSError as error:
            self.trouble = str(error)
            self._wake(now + 1_000)
            return
        self.trouble = ""
        for held in asked:
            one = seen.get(held.order.token)
            if one is None:
                self._saw_nothing(held, now)
            else:
                self._saw(held, one, now)

    def _saw(self, held: Held, seen: Observation, now: Instant) -> None:
        for signed in stretches(held, seen, self._usage_every, now, self._key):
            self._batch.append(usage_entry(signed))
            self._reporter.note(held.order.attempt)
        if not seen.state.final:
            if held.phase is not Phase.ORDERED or not _same(held.seen, seen):
                self._enter(held, Phase.ORDERED)
            held.seen = seen
        elif seen.state is AttemptState.SUCCEEDED and seen.outputs:
            held.seen = seen
            self._enter(held, Phase.PUBLISH)
        elif held.refused and seen.started_at is None:
            self._finish(held, failed("refused", held.trouble, ended_at=seen.ended_at), now)
        else:
            self._finish(held, seen, now)

    def _saw_nothing(self, held: Held, now: Instant) -> None:
        """The centre does not know the token: never "completed"."""
        if held.go is not None and held.go != self._epoch and held.seen is None:
            self._finish(held, failed("interrupted", "the machine restarted before it was seen to run"), now)
        elif held.stop_told and held.seen is None:
            self._finish(held, Observation(AttemptState.CANCELLED, raw="never started here"), now)
        elif held.phase is Phase.CHECK and held.stop is None:
            if not held.adopt:
                held.log_offset = 0
            # Permission to start came after staging. It may have been started, so it must not fail here
            # without the centre's word: starting again asks the centre.
            fresh = Phase.STAGE if held.needs_network and held.go is None else Phase.READY
            self._enter(held, Phase.UNKNOWN if held.adopt else fresh)
            self._wake(now)
        elif held.phase is Phase.ORDERED:
            gone = Observation(
                AttemptState.UNKNOWN,
                raw="no longer known here",
                started_at=held.seen.started_at if held.seen is not None else None,
            )
            if held.seen != gone:
                held.seen = gone
                self._reporter.note(held.order.attempt)

    def _finish(self, held: Held, seen: Observation, now: Instant) -> None:
        """Final. It is journaled with this step's batch, before any report can carry it."""
        held.final = final_report(held, seen, now)
        held.log_at = now
        self._batch.append(final_entry(held.final))
        self._enter(held, Phase.FINAL)
        self._wake(now)

    def _forget_if_done(self, held: Held, now: Instant) -> None:
        """Both sides are done: the state, the usage and the whole log are at the server."""
        if held.closed and held.log_done and not held.unstored:
            self._centre.forget(held.order)
            self._remove(held)
            self._memory.closed[held.order.attempt] = now
            self._lazy.append({"t": "closed", "at": [(held.order.attempt, now)]})

    def _due(self, phase: Phase, now: Instant) -> list[Held]:
        """Attempts in `phase` whose turn it is, marked busy, since they are handed out."""
        found = [
            held
            for held in self._phases[phase].values()
            if not held.busy and held.retry_at <= now and (held.stop is None or phase is Phase.PUBLISH)
        ]
        for held in found:
            held.busy = True
        return found

    def _index(self, held: Held) -> None:
        self._phases[held.phase][held.order.attempt] = held
        if held.stop is not None and held.final is None:
            self._stops[held.order.attempt] = held

    def _enter(self, held: Held, phase: Phase) -> None:
        if phase is not held.phase:
            del self._phases[held.phase][held.order.attempt]
            held.phase, held.busy, held.retry_at, held.tries = phase, False, 0, 0
            self._phases[phase][held.order.attempt] = held
        self._reporter.note(held.order.attempt)

    def _remove(self, held: Held) -> None:
        attempt = held.order.attempt
        del self._memory.held[attempt]
        del self._phases[held.phase][attempt]
        self._stops.pop(attempt, None)
        self._reporter.drop(attempt)

    def _with_log(self) -> Iterable[Held]:
        for phase in (Phase.FINAL, Phase.PUBLISH, Phase.ORDERED):
            yield from self._phases[phase].values()

    def _later(self, held: Held, trouble: str, now: Instant) -> None:
        held.tries += 1
        held.trouble = clean(trouble)
        held.retry_at = now + back_off(held.tries)
        self._wake(held.retry_at)

    def _wake(self, at: Instant) -> None:
        self._again_at = at if self._again_at is None else min(self._again_at, at)

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        self._write(batch)

    def _write(self, entries: list[Entry]) -> None:
        if entries:
            lazy, self._lazy = self._lazy, []
            self._journal.append([*lazy, *entries])


def _same(one: Observation | None, other: Observation) -> bool:
    """Whether the server would be told the same: use counts on, and goes into its own records."""
    return one is other or (
        one is not None
        and one.state is other.state
        and one.raw == other.raw
        and one.detail == other.detail
        and one.started_at == other.started_at
    )


def back_off(tries: int) -> int:
    """Milliseconds until the next try."""
    return int(min(60_000, 500 * 2 ** min(tries, 10)))


def _no_fetch(sha256: str) -> Iterator[bytes]:
    raise StagingFailed(f"nothing was to be fetched, but {sha256} is asked for")
