"""A centre with a scheduler of its own: `ports.centre.Centre` over any `Engine`.

The caller's thread is never held up by the engine: `start` and `stop` note what is wanted, `observe` takes in
the answers that have come and lets a thread ask what is due next. What happened is read from the attempts'
folders and from the engine, what was wanted from the notes, so an agent that restarts finds everything again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from baygrid.centres.engine import Engine, EngineSilent, Entered, Outside
from baygrid.centres.folder import owners, secrets, staging
from baygrid.centres.folder.attached import NotThere, check_rank
from baygrid.centres.folder.endings import never_ran, word_of
from baygrid.centres.folder.environment import NotRunnable, require_image
from baygrid.centres.folder.files import Why, key_of
from baygrid.centres.folder.root import Root
from baygrid.centres.folder.sweep import Sweeper
from baygrid.centres.folder.users import User, ids_of, user_of
from baygrid.centres.queued.asking import Asking
from baygrid.centres.queued.attempt import Attempt, Forbidden, Pace, Stage
from baygrid.centres.queued.entering import Inside, Relayed
from baygrid.centres.queued.life import NEVER, Life
from baygrid.centres.queued.notes import Notes
from baygrid.centres.queued.questions import Questions
from baygrid.centres.queued.script import SCRIPT, write_task
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Fetch, Observation
from baygrid.ports.messages import WITHDRAWN, Forecast, Inquiry, Order, PartitionReport, Stop
from baygrid.ports.tunnels import Tunnel


def no_account(order: Order) -> str:
    """For an engine without users."""
    return ""


class QueuedCentre:
    """`root` holds one folder per attempt, is this centre's alone and is seen by every node under the same
    path. `path`: what jobs get as PATH, None for the node's own. `version`: of the engine. `account_of`: the
    engine's user for an order; raises NotRunnable where its project has none."""

    def __init__(
        self,
        root: Path,
        engine: Engine,
        *,
        name: str,
        path: str | None = None,
        version: str = "",
        account_of: Callable[[Order], str] = no_account,
        pace: Pace = Pace(),  # noqa: B008 - a value
    ) -> None:
        self._root = Root(root, shared=account_of is not no_account)
        self._name, self._path, self._account_of = name, path, account_of
        self.version = version
        self._engine = engine
        self._launch, self._capabilities = engine.launch, engine.capabilities() | {"secrets"}
        self._notes = Notes(self._root.path / ".notes")
        self._sweeper = Sweeper(self._root.path / ".trash")
        self._asking = Asking(pace)
        self._life = Life(self._notes, pace)
        self._questions = Questions(engine, self._life, self._notes, self._asking, pace)
        with suppress(EngineSilent):
            self._questions.take_inventory(engine.inventory())
        self._find_again()

    # The port

    @property
    def epoch(self) -> str:
        """Its tasks outlive the agent's machine."""
        return "engine"

    @property
    def trouble(self) -> str:
        """Why the engine did not answer last, or what the disk refused; "" for none."""
        return self._asking.trouble or self._life.trouble

    def fileno(self) -> int:
        """Readable when the engine has answered: tick."""
        return self._asking.fileno()

    def capabilities(self) -> frozenset[str]:
        return self._capabilities

    def inventory(self) -> tuple[PartitionReport, ...]:
        """As it was last known: also while the engine is silent."""
        return self._questions.inventory

    def ask_waits(self, asked: Sequence[Inquiry], now: Instant) -> None:
        self._questions.estimates.ask(asked if "estimate" in self._capabilities else (), now)

    def waits(self, now: Instant) -> tuple[Forecast, ...]:
        return self._questions.estimates.told(now)

    def ask_outside(self, since: Instant, until: Instant) -> None:
        self._questions.others.ask(since, until)

    def outside(self) -> Sequence[Outside] | None:
        return self._questions.others.take()

    def prepare(self, order: Order, fetch: Fetch) -> None:
        """Touches nothing but the attempt's own folder, so a thread of its own may do it."""
        staging.prepare(self._root.files(order.token), order, fetch)

    def entrust(self, order: Order, values: Mapping[str, str]) -> None:
        """As `prepare`, a thread of its own may do it."""
        secrets.keep(self._root.files(order.token), order.secrets, values)

    def enter(self, tunnel: Tunnel) -> Inside | Relayed:
        """From any thread. Raises LookupError, OSError."""
        attempt = self._life.attempts.get(key_of(tunnel.token))
        target = attempt.target if attempt is not None else None
        if attempt is None or target is None or attempt.stage is Stage.DONE:
            raise NotThere("the attempt is not running here")
        if not isinstance(self._engine, Entered):
            raise NotThere("this centre cannot run a command beside a job")
        check_rank(tunnel.rank, attempt.order.count)
        user = user_of(ids_of(attempt.account)[0]) if attempt.account else User()
        try:
            entrance = self._engine.entrance(target.id, tunnel.rank, tunnel.terminal)
        except EngineSilent as silence:
            raise NotThere(f"the centre's scheduler does not answer: {silence}") from None
        if tunnel.port:
            return Relayed(entrance, tunnel, user)
        files = attempt.files
        return Inside(
            entrance, files, tunnel, user, lambda: attempt.why is not None or files.exit() is not None
        )

    def start(self, order: Order, now: Instant) -> None:
        """It is submitted with all others that start before the next look."""
        key, files = self._root.key(order.token), self._root.files(order.token)
        if key in self._life.attempts:
            return
        attempt = Attempt(key, files, order, now)
        if files.has("claim") or files.has(SCRIPT):
            attempt.stage = Stage.SOUGHT  # an earlier life of ours was here
        if not files.has("work"):
            staging.prepare(files, order, staging.nothing_to_fetch)
        try:
            require_image(order, self._capabilities)
            attempt.account = self._account_of(order)
            if not files.has(SCRIPT):  # written last
                write_task(files, order, self._launch, self._name, self._path)
        except NotRunnable as refusal:
            if self._life.forbid(attempt, "refused", str(refusal), now):
                return
        self._notes.write(key, attempt.note())
        self._life.add(attempt)
        self._questions.soon(now)

    def stop(self, stop: Stop, now: Instant) -> None:
        """Raises OSError for one that has begun and of which nothing is noted: `observe` finds it again."""
        key = self._root.key(stop.token)
        attempt = self._life.attempts.get(key)
        if attempt is None:
            claimed = not self._root.files(stop.token).forbid("stopped", stop.reason, now)
            if claimed and stop.reason != WITHDRAWN:
                raise OSError("it has begun, and must be found again first")
        elif attempt.stage is not Stage.DONE:
            begun = attempt.claim is not None or not self._life.forbid(attempt, "stopped", stop.reason, now)
            if begun and stop.reason != WITHDRAWN:
                self._life.end(attempt, word_of(stop), stop.signal, stop.grace_s * 1000, now)
            self._questions.soon(now)

    def observe(self, orders: Sequence[Order], now: Instant) -> dict[str, Observation]:
        self._life.trouble = ""
        self._life.save_rest()
        self._questions.take(now)
        self._life.enforce(now)
        found = {}
        for order in orders:
            known = self._life.attempts.get(self._root.key(order.token)) or self._adopted(order, now)
            if known is not None:
                found[order.token] = known.seen
        self._questions.give(now)
        return found

    def read_log(self, order: Order, offset: int, limit: int) -> bytes:
        return secrets.read_log(self._root.files(order.token), offset, limit)

    def wake_at(self, now: Instant) -> Instant | None:
        due = min(self._life.due_at, self._questions.wake_at())
        return None if due == NEVER else max(due, now)

    def forget(self, order: Order) -> None:
        """Only what has ended; what may still run is kept."""
        key = self._root.key(order.token)
        attempt = self._life.attempts.get(key)
        if attempt is not None and attempt.stage is not Stage.DONE:
            return
        if attempt is not None and attempt.sight is not None:
            self._questions.over(attempt.sight)
        self._life.attempts.pop(key, None)
        self._root.forget(order.token)
        with suppress(FileNotFoundError):
            owners.take_back(self._root.path / key)
        secrets.forget(self._root.files(order.token))
        self._sweeper.throw(self._root.at(key).dir)
        self._notes.remove(key)

    @property
    def untidy(self) -> bool:
        """Whether files of forgotten attempts wait to be removed."""
        return self._sweeper.busy

    def tidy(self) -> None:
        """Removes some of them; touches nothing that any other call does."""
        self._sweeper.step()

    def close(self) -> None:
        """Lets go; jobs go on."""
        self._asking.close()

    # Finding again

    def _find_again(self) -> None:
        """All of which there is a note. What the engine says of each comes with the first look."""
        for key, note in self._notes.read_all():
            attempt = Attempt(key, self._root.at(key), note.order, note.at, id=note.id)
            attempt.stage = Stage.THERE if note.id else Stage.SOUGHT
            attempt.why = Why(note.word, note.kill_at) if note.word else None
            attempt.running_at, attempt.started_at = note.running_at, note.started_at
            attempt.nodes = note.nodes
            self._again(attempt, note.at)

    def _adopted(self, order: Order, now: Instant) -> Attempt | None:
        """One of which only the folder tells."""
        attempt = Attempt(
            self._root.key(order.token), self._root.files(order.token), order, now, Stage.SOUGHT
        )
        if not attempt.files.has("claim"):
            return None
        self._again(attempt, now)
        return attempt

    def _again(self, attempt: Attempt, now: Instant) -> None:
        """Found, and as yet known by its folder alone."""
        state, began = AttemptState.WAITING, None
        try:
            began = attempt.told(whole=False).began
            attempt.account = self._account_of(attempt.order)
        except Forbidden as word:
            self._life.withdraw(attempt.name, attempt.id)
            self._life.done(attempt, never_ran(word.word, word.detail, word.at), now)
            return
        except NotRunnable as refusal:
            if began is None and self._life.forbid(attempt, "refused", str(refusal), now):
                return
        if began is not None:
            state = AttemptState.RUNNING if attempt.why is None else AttemptState.STOPPING
        attempt.seen = Observation(state, raw="found again", started_at=began)
        self._life.add(attempt)
