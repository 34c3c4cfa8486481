"""What happens to attempts: seen, ended, forbidden, done. Nothing here asks the engine; what it must be told
is left for `questions`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from baygrid.centres.engine import Sight, Stand
from baygrid.centres.folder import owners, secrets
from baygrid.centres.folder.endings import left_behind, never_ran
from baygrid.centres.folder.files import Why
from baygrid.centres.queued.attempt import Attempt, Forbidden, Pace, Stage
from baygrid.centres.queued.notes import Notes
from baygrid.centres.queued.verdict import Told, verdict
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation

KILL_AGAIN_MS = 10_000
NEVER: Instant = 1 << 62


class Life:
    """`attempts` by key, `open` those that have not ended by the name of their task. `withdrawn`: tasks that
    may wait at the engine for nothing, since their claim is taken: name -> id or "". `kills`: tasks without
    an attempt that are to end, by id. `trouble`: what the folder could not be asked for."""

    def __init__(self, notes: Notes, pace: Pace) -> None:
        self._notes, self._pace = notes, pace
        self.attempts: dict[str, Attempt] = {}
        self.open: dict[str, Attempt] = {}
        self.withdrawn: dict[str, str] = {}
        self.kills: dict[str, Sight] = {}
        self.due_at: Instant = NEVER
        self.trouble = ""
        self._unsaved: dict[str, Attempt] = {}

    def add(self, attempt: Attempt) -> None:
        self.attempts[attempt.key] = self.open[attempt.name] = attempt
        self._due(attempt)

    def there(self, attempt: Attempt, sight: Sight) -> None:
        """It is at the engine, whatever became of the answer to its submission."""
        attempt.sight = sight
        if attempt.stage is not Stage.THERE or attempt.id != sight.id:
            attempt.stage, attempt.id = Stage.THERE, sight.id
            self.save(attempt)

    def judge(self, attempt: Attempt, now: Instant, *, silent: bool = False) -> None:
        """Joins what is known of it. `silent`: the engine does not answer, so its last word is old."""
        try:
            self._judge(attempt, now, silent)
        except Forbidden as word:
            self.done(attempt, never_ran(word.word, word.detail, word.at), now)
        except OSError as error:  # of this one: the others go on
            self.trouble = str(error)

    def end(self, attempt: Attempt, word: str, signal: str, grace_ms: int, now: Instant) -> None:
        """The signal of this name now, KILL after the grace. The first reason is the one that is told."""
        if attempt.files.exit() is not None:  # it has just ended by itself
            attempt.ending_at = attempt.ending_at if attempt.ending_at is not None else now
            return
        kill_at = now + grace_ms
        if attempt.why is None:
            attempt.why = Why(word, kill_at)
        elif kill_at < attempt.why.kill_at:
            attempt.why = Why(attempt.why.word, kill_at)
        attempt.signal = "KILL" if grace_ms <= 0 else signal
        self.save(attempt)
        self._due(attempt)
        if attempt.seen.state is AttemptState.RUNNING:
            attempt.seen = replace(attempt.seen, state=AttemptState.STOPPING, raw=attempt.why.word)

    def enforce(self, now: Instant) -> None:
        """Time limits, and kills after the grace."""
        if now < self.due_at:
            return
        self.due_at = NEVER
        for attempt in self.open.values():
            limit, order = attempt.limit_at, attempt.order
            if attempt.why is None and limit is not None and limit <= now:
                self.end(attempt, "time-limit", order.signal, order.grace_s * 1000, now)
            if attempt.why is not None and attempt.why.kill_at <= now:
                attempt.signal = "KILL"
                attempt.why = Why(attempt.why.word, now + KILL_AGAIN_MS)
            self._due(attempt)

    def forbid(self, attempt: Attempt, word: str, detail: str, now: Instant) -> bool:
        """True: nobody ran it, and nobody ever will. Raises OSError."""
        if not attempt.files.forbid(word, detail, now):
            return False
        if attempt.stage in (Stage.SOUGHT, Stage.THERE):
            self.withdraw(attempt.name, attempt.id)
        self.done(attempt, never_ran(word, detail, now), now)
        return True

    def refuse(self, attempt: Attempt, why: str, now: Instant) -> None:
        """The engine will never take it. Where that cannot be written down, it is asked again."""
        try:
            self.forbid(attempt, "refused", why, now)
        except OSError as error:
            self.trouble = str(error)

    def withdraw(self, name: str, task: str) -> None:
        """It may wait at the engine for nothing."""
        self.withdrawn[name] = task
        if task:
            self.kills[task] = Sight(name, task, Stand.UNKNOWN, "")

    def done(self, attempt: Attempt, seen: Observation, now: Instant) -> None:
        """Final."""
        outputs = dict[str, Path]()
        if attempt.account:
            with suppress(FileNotFoundError):
                owners.take_back(Path(attempt.files.dir))
        secrets.settle(attempt.files)
        if seen.state is AttemptState.SUCCEEDED or seen.started_at is not None:
            order = attempt.order
            outputs = left_behind(attempt.files, seen.state, seen.cause, order.outputs, order.checkpoint)
        ended_at = seen.ended_at if seen.ended_at is not None else now
        size = attempt.files.log_size()
        attempt.seen = replace(seen, ended_at=ended_at, log_size=size, outputs=outputs)
        attempt.stage, attempt.signal = Stage.DONE, None
        self.attempts[attempt.key] = attempt
        self.open.pop(attempt.name, None)
        self._unsaved.pop(attempt.key, None)

    def save(self, attempt: Attempt) -> None:
        """Now, or when the disk has room again."""
        try:
            self._notes.write(attempt.key, attempt.note())
            self._unsaved.pop(attempt.key, None)
        except OSError as error:
            self._unsaved[attempt.key] = attempt
            self.trouble = str(error)

    def save_rest(self) -> None:
        """What could not be saved before."""
        for attempt in list(self._unsaved.values()):
            self.save(attempt)

    def _judge(self, attempt: Attempt, now: Instant, silent: bool) -> None:
        sight = attempt.sight
        told = _told(attempt, silent)
        ended = sight is not None and sight.stand is Stand.ENDED
        if attempt.ending_at is None and (ended or told.exit is not None):
            attempt.ending_at = now
        patient = now < self._patient_until(attempt, told, ended=ended, silent=silent)
        if not (patient or attempt.listed or ended or silent):
            sight = None  # the accounting may say for ever that it runs
        if ended and told.began is None:
            assert sight is not None
            if not attempt.files.forbid(_word(sight), sight.reason or sight.raw, now):
                return  # the claim is there, only not seen yet
        seen = verdict(told, sight, attempt.why.word if attempt.why is not None else None, patient=patient)
        if seen is None:
            return
        if len(seen.nodes) != attempt.order.count:
            seen = replace(seen, nodes=())
        if attempt.nodes and seen.nodes != attempt.nodes:  # an engine may call a node otherwise one day
            seen = replace(seen, nodes=attempt.nodes)
        if seen.state.final:
            if attempt.listed and not ended and sight is not None:
                self.kills[sight.id] = sight  # nothing of it may go on after its last line
            self.done(attempt, seen, now)
        else:
            self._seen(attempt, seen, now)

    def _patient_until(self, attempt: Attempt, told: Told, *, ended: bool, silent: bool) -> Instant:
        """Until when a better word may come."""
        pace = self._pace
        if attempt.ending_at is not None and ended:
            return attempt.ending_at + pace.settle
        if attempt.ending_at is not None and told.exit is not None:
            return attempt.ending_at + (pace.lag if attempt.asked and not silent else pace.silent)
        if attempt.absent_at is None or not attempt.asked:
            return NEVER
        return attempt.absent_at + pace.lag

    def _seen(self, attempt: Attempt, seen: Observation, now: Instant) -> None:
        attempt.seen = seen
        if seen.started_at is None or seen.state is AttemptState.UNKNOWN:
            return
        first = attempt.running_at is None
        by_engine = attempt.sight.started_at if attempt.sight is not None else None
        dated = attempt.started_at is None and by_engine is not None
        if first or dated or seen.nodes != attempt.nodes:
            attempt.running_at = now if first else attempt.running_at
            attempt.started_at = by_engine if first or dated else attempt.started_at
            attempt.nodes = seen.nodes
            self.save(attempt)
        self._due(attempt)

    def _due(self, attempt: Attempt) -> None:
        due = attempt.due_at
        self.due_at = min(self.due_at, NEVER if due is None else due)


def _told(attempt: Attempt, silent: bool) -> Told:
    """Of the folder only what may have changed: thousands may wait. Raises Forbidden."""
    stand = attempt.sight.stand if attempt.sight is not None else None
    if not attempt.listed or silent:
        return attempt.told(whole=True)
    if stand is Stand.WAITING and attempt.claim is None:
        return Told()
    return attempt.told(whole=stand is not Stand.RUNNING)


def _word(sight: Sight) -> str:
    """For a claim that forbids what the engine says is over."""
    return sight.cause if sight.cause in ("refused", "preempted", "cancelled") else "interrupted"
