"""A centre that is this machine: `ports.centre.Centre` with processes.

One thread, no waiting. Each attempt is a directory and a supervisor (`supervise.sh`) that leads a
session. What happened is read from the directory and from the kernel, so an agent that restarts finds
everything again; the end of a supervisor arrives at `fileno()`, which a loop can wait for.
"""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from baygrid import __version__
from baygrid.centres.folder import owners, secrets, staging
from baygrid.centres.folder.endings import never_ran, word_of
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.folder.files import Claim, Files, Why, key_of
from baygrid.centres.folder.sweep import Sweeper
from baygrid.centres.local import processes, sessions
from baygrid.centres.local.attempt import (
    SURVIVORS_MS,
    Attempt,
    Facts,
    Stage,
    running,
    verdict,
)
from baygrid.centres.local.beside import Beside
from baygrid.centres.local.nodes import this_machine
from baygrid.centres.local.ports import Connection
from baygrid.centres.local.share import NoRoom, Share, Shares
from baygrid.centres.local.spawn import SUPERVISOR, environment, spawn
from baygrid.centres.local.supervisors import Supervisors
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Fetch, Observation, StagingFailed
from baygrid.ports.messages import WITHDRAWN, Order, PartitionReport, Stop
from baygrid.ports.tunnels import Tunnel

HALF_CLAIM_MS = 5_000  # a claim is one write: when it is still half after this, its writer died
ENDING_POLL_MS = 20
FIRST_SAMPLE_MS = 100  # soon, so that a short job's memory is seen, but not in the way of its start
NEVER: Instant = 1 << 62
CAPABILITIES = frozenset({"gang", "out-of-memory", "accelerators", "parts", "checkpoint", "secrets", "exec"})


class LocalCentre:
    """`root` holds one directory per attempt and must be this driver's alone. `path` is what jobs get as
    PATH. `account_of`: the user that an order's job runs as, which only root can do; raises NotRunnable where
    its project has none. Left out: all run as the caller's own."""

    def __init__(
        self,
        root: Path,
        partitions: tuple[PartitionReport, ...] | None = None,
        *,
        name: str = "local",
        path: str | None = None,
        account_of: Callable[[Order], str] | None = None,
        sample_ms: int = 1_000,
    ) -> None:
        self._root = root.resolve()
        # Users whose jobs run here pass through it, and list nothing.
        mode = 0o700 if account_of is None else 0o711
        self._root.mkdir(mode=mode, parents=True, exist_ok=True)
        if stat.S_IMODE(self._root.stat().st_mode) != mode:
            self._root.chmod(mode)
        self._account_of, self._supervisor = account_of, SUPERVISOR
        if account_of is not None:  # who may not read our installation can read this one
            copied = self._root / ".supervise.sh"
            copied.write_bytes(Path(SUPERVISOR).read_bytes())
            copied.chmod(0o644)
            self._supervisor = str(copied)
        self._partitions = this_machine() if partitions is None else partitions
        self._name = name
        self._path = path if path is not None else os.environ.get("PATH", os.defpath)
        self._boot = processes.boot_id()
        self._shares = Shares(self._partitions)
        self._sweeper = Sweeper(self._root / ".trash")
        self._supervisors = Supervisors()
        self._attempts: dict[str, Attempt] = {}
        self._keys: dict[str, str] = {}  # token -> key, to hash each once
        self._restless: dict[str, Attempt] = {}  # STARTING or ENDING: looked at until it settles
        self._alive: dict[str, Attempt] = {}
        self._sample_ms = sample_ms
        self._sample_at: Instant = 0
        self._due_at: Instant = NEVER
        self._find_again()

    # The port

    @property
    def epoch(self) -> str:
        """For how long claims are sure to last: a power cut may lose the youngest."""
        return self._boot

    @property
    def version(self) -> str:
        """Of Baygrid: there is nothing else between it and the processes."""
        return __version__

    def fileno(self) -> int:
        """Readable when a supervisor ended: wait for it and tick."""
        return self._supervisors.fileno()

    def capabilities(self) -> frozenset[str]:
        return CAPABILITIES if self._account_of is None else CAPABILITIES | {"accounts"}

    def inventory(self) -> tuple[PartitionReport, ...]:
        return self._partitions

    def prepare(self, order: Order, fetch: Fetch) -> None:
        """Touches nothing but the attempt's own directory, so a thread of its own may do it."""
        staging.prepare(self._files(order.token), order, fetch)

    def entrust(self, order: Order, values: Mapping[str, str]) -> None:
        """As `prepare`, a thread of its own may do it."""
        secrets.keep(self._files(order.token), order.secrets, values)

    def enter(self, tunnel: Tunnel) -> Beside | Connection:
        """From any thread: it asks the attempt's folder and the kernel. Raises NotThere, OSError."""
        files = self._files(tunnel.token)
        return Connection(files, tunnel.port) if tunnel.port else Beside(files, tunnel)

    def start(self, order: Order, now: Instant) -> None:
        key = self._key(order.token)
        if key in self._attempts:
            return
        files = self._files(order.token)
        attempt = Attempt(key, files, Facts.of(order))
        if files.has("claim"):
            self._settle(attempt, now)
            return
        if not files.has("work"):
            staging.prepare(files, order, _nothing)
        try:
            if order.image and "image" not in self.capabilities():
                raise NotRunnable(f"this centre cannot run anything inside an image, such as {order.image}")
            account = self._account_of(order) if self._account_of is not None else ""
            share = self._shares.choose(order)
            environ = environment(files, order, share, self._name, self._path)
            given = {"order": attempt.facts.to_json(), "share": share.to_json()}
            claim = orjson.dumps(given).decode()
            attempt.pid = spawn(files, order, share, environ, claim, self._supervisor, account)
        except (NoRoom, NotRunnable) as refusal:
            self._forbid(attempt, "refused", str(refusal), now)
            return
        attempt.look_at = now + 2
        self._take(attempt, share)
        self._attempts[key] = self._restless[key] = attempt
        # Our child: its pid is its own until we wait for it.
        self._supervisors.watch(attempt, os.pidfd_open(attempt.pid))

    def stop(self, stop: Stop, now: Instant) -> None:
        attempt = self._attempts.get(self._key(stop.token))
        if attempt is None:
            attempt = Attempt(self._key(stop.token), self._files(stop.token))
        if attempt.stage is Stage.STARTING and not self._forbid(attempt, "stopped", stop.reason, now):
            if stop.reason != WITHDRAWN:
                attempt.stop = stop  # claimed: it is running, or just about to
            self._settle(attempt, now)
        elif attempt.stage is Stage.RUNNING and stop.reason != WITHDRAWN:
            self._end(attempt, word_of(stop), stop.signal, stop.grace_s * 1000, now)

    def observe(self, orders: Sequence[Order], now: Instant) -> dict[str, Observation]:
        for attempt in self._supervisors.ended():
            self._ended(attempt, now)
        for attempt in list(self._restless.values()):
            if attempt.look_at <= now:
                self._settle(attempt, now) if attempt.stage is Stage.STARTING else self._outlive(attempt, now)
        if self._alive and now >= self._sample_at:
            self._sample(now)
        if now >= self._due_at:
            self._enforce(now)
        attempts, keys = self._attempts, self._keys
        found = {}
        for order in orders:
            known = attempts.get(keys.get(order.token) or self._key(order.token))
            if known is not None:
                found[order.token] = known.seen
        return found

    def read_log(self, order: Order, offset: int, limit: int) -> bytes:
        return secrets.read_log(self._files(order.token), offset, limit)

    def wake_at(self, now: Instant) -> Instant | None:
        due = min((attempt.look_at for attempt in self._restless.values()), default=NEVER)
        due = min(due, self._due_at, self._sample_at if self._alive else NEVER)
        return None if due == NEVER else max(due, now)

    def forget(self, order: Order) -> None:
        """Only what has ended; a running attempt is kept."""
        key = self._key(order.token)
        attempt = self._attempts.get(key)
        if attempt is not None and attempt.stage is not Stage.DONE:
            return
        self._attempts.pop(key, None)
        self._keys.pop(order.token, None)
        secrets.forget(self._files(order.token))
        self._sweeper.throw(f"{self._root}/{key}")

    @property
    def untidy(self) -> bool:
        """Whether files of forgotten attempts wait to be removed."""
        return self._sweeper.busy

    def tidy(self) -> None:
        """Removes some of them. Meant for a thread of the loop: it takes as long as some starts, and touches
        nothing that any other call does."""
        self._sweeper.step()

    def close(self) -> None:
        """Lets go; jobs go on running."""
        self._supervisors.close()

    # What happens to an attempt

    def _find_again(self) -> None:
        """All that was claimed under this root, whoever started it."""
        with os.scandir(self._root) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
        for name in names:
            files = Files(f"{self._root}/{name}")
            if files.has("claim"):
                self._settle(Attempt(name, files), files.last_sign())

    def _settle(self, attempt: Attempt, now: Instant) -> None:
        """Finds out who has the claim, and goes on accordingly."""
        self._attempts[attempt.key] = self._restless[attempt.key] = attempt
        try:
            claim = attempt.files.claim("order", "share")
        except ValueError:
            if now - attempt.files.last_sign() > HALF_CLAIM_MS:
                self._done(attempt, verdict(attempt, None, attempt.files.last_sign()))
                return
            claim = None
        if claim is None:
            attempt.looks += 1
            attempt.look_at = now + min(100, 1 << min(attempt.looks, 10))
        elif claim.pid is None:
            self._done(attempt, never_ran(claim.word, claim.detail, claim.at))
        else:
            self._claimed(attempt, claim, claim.pid, now)

    def _claimed(self, attempt: Attempt, claim: Claim, pid: int, now: Instant) -> None:
        attempt.started_at, attempt.start, attempt.why = claim.at, claim.start, attempt.files.why()
        attempt.facts = Facts.from_json(claim.given["order"])
        self._take(attempt, Share.from_json(claim.given["share"]))
        if claim.boot != self._boot:
            ended = attempt.files.exit()
            if attempt.facts.outputs:
                ended = None  # a power cut may have taken what was written last
            self._done(attempt, verdict(attempt, ended, attempt.files.last_sign()))
            return
        if pid != attempt.pid:  # found again, or another supervisor was faster than ours
            descriptor = processes.hold(pid, claim.start)
            if descriptor is not None and not self._is_its_own(attempt, pid):
                os.close(descriptor)
                if attempt.descriptor is None:
                    self._done(attempt, verdict(attempt, attempt.files.exit(), now))
                    return
            else:
                self._supervisors.let_go(attempt)
                attempt.pid = pid
                if descriptor is None:
                    self._leaderless(attempt, now)
                    return
                self._supervisors.watch(attempt, descriptor)
        attempt.stage = Stage.RUNNING
        self._restless.pop(attempt.key, None)
        if not self._alive:
            self._sample_at = max(self._sample_at, now + min(self._sample_ms, FIRST_SAMPLE_MS))
        self._alive[attempt.key] = attempt
        attempt.seen = running(attempt)
        if attempt.stop is not None:
            stop = attempt.stop
            self._end(attempt, word_of(stop), stop.signal, stop.grace_s * 1000, now)
        due = attempt.limit_at if attempt.why is None else attempt.why.kill_at
        self._due_at = min(self._due_at, NEVER if due is None else due)

    def _is_its_own(self, attempt: Attempt, pid: int) -> bool:
        """Where jobs have accounts, a job could have written another process into its claim, for us to end
        it. Whom we have just started is then still its supervisor."""
        return self._account_of is None or processes.owner(pid) == os.stat(attempt.files.dir).st_uid  # noqa: PTH116

    def _end(self, attempt: Attempt, word: str, name: str, grace_ms: int, now: Instant) -> None:
        """The signal of this name now, KILL after the grace. The first reason is the one that is told."""
        if attempt.files.exit() is not None:
            return  # it has just ended by itself
        kill_at = now + grace_ms
        if attempt.why is None:
            attempt.why = Why(word, kill_at)
            attempt.files.write_once("why", f"{word} {kill_at}".encode())
        elif kill_at < attempt.why.kill_at:
            attempt.why = Why(attempt.why.word, kill_at)
        if grace_ms <= 0:
            processes.signal_group(attempt.pid, signal.SIGKILL)
        else:
            processes.signal_group(attempt.pid, getattr(signal, f"SIG{name}", signal.SIGTERM))
        self._due_at = min(self._due_at, attempt.why.kill_at)
        attempt.seen = running(attempt)

    def _enforce(self, now: Instant) -> None:
        """Time limits, and kills after the grace."""
        self._due_at = NEVER
        for attempt in list(self._alive.values()):
            if attempt.stage is not Stage.RUNNING:
                continue
            limit = attempt.limit_at
            if attempt.why is None and limit is not None and limit <= now:
                self._end(attempt, "time-limit", attempt.facts.signal, attempt.facts.grace_ms, now)
            if attempt.why is not None and attempt.why.kill_at <= now:
                processes.signal_group(attempt.pid, signal.SIGKILL)
                attempt.why = Why(attempt.why.word, now + 1_000)  # and again, should it take long to die
            due = limit if attempt.why is None else attempt.why.kill_at
            self._due_at = min(self._due_at, NEVER if due is None else due)

    def _ended(self, attempt: Attempt, now: Instant) -> None:
        """Its supervisor has ended."""
        descriptor = attempt.descriptor
        if attempt.stage is Stage.STARTING:
            if self._forbid(attempt, "refused", "its supervisor ended before it began", now):
                return
            self._settle(attempt, now)
            if attempt.descriptor != descriptor:
                return  # it was a duplicate: another supervisor has the claim
        if attempt.stage is Stage.STARTING:
            self._supervisors.let_go(attempt)  # half a claim: whose it is will be seen
        elif attempt.stage is Stage.RUNNING:
            self._supervisors.let_go(attempt, stray=False)
            spent = processes.reap(attempt.pid)
            attempt.cpu_seconds = max(attempt.cpu_seconds, round(spent or 0.0, 3))
            self._leaderless(attempt, now)

    def _leaderless(self, attempt: Attempt, now: Instant) -> None:
        """Its supervisor is no more. What it left behind must go before the end is told."""
        attempt.stage = Stage.ENDING
        self._alive.pop(attempt.key, None)
        others = any(pid != attempt.pid and processes.look(pid) is not None for pid in attempt.members)
        if not others and not processes.group_exists(attempt.pid):
            self._conclude(attempt, now)
            return
        self._restless[attempt.key] = attempt
        attempt.seen = running(attempt)
        attempt.kill_at = now
        if attempt.why is not None and attempt.files.exit() is not None:
            attempt.kill_at = attempt.why.kill_at  # they were told with the rest, and have the same grace
        elif attempt.files.exit() is not None:  # not killed itself: the others may end well, too
            attempt.kill_at += min(attempt.facts.grace_ms, SURVIVORS_MS)
            for process in sessions.members(attempt):
                processes.signal_one(process, signal.SIGTERM)
        self._outlive(attempt, now)

    def _outlive(self, attempt: Attempt, now: Instant) -> None:
        """Waits, a look at a time, until nothing of its session is left."""
        survivors = sessions.members(attempt)
        if not survivors:
            self._conclude(attempt, now)
            return
        if attempt.kill_at <= now:
            for process in survivors:
                processes.signal_one(process, signal.SIGKILL)
        attempt.look_at = now + ENDING_POLL_MS

    def _conclude(self, attempt: Attempt, now: Instant) -> None:
        if self._account_of is not None:
            owners.take_back(Path(attempt.files.dir))
        ended = attempt.files.exit()
        alone = ended is not None and attempt.kill_at == 0
        self._done(attempt, verdict(attempt, ended, ended.at if ended is not None and alone else now))

    def _done(self, attempt: Attempt, seen: Observation) -> None:
        secrets.settle(attempt.files)
        attempt.stage, attempt.seen = Stage.DONE, seen
        self._attempts[attempt.key] = attempt
        self._restless.pop(attempt.key, None)
        self._alive.pop(attempt.key, None)
        self._supervisors.let_go(attempt)
        if attempt.share is not None:
            self._shares.release(attempt.share)
            attempt.share = None
        attempt.members = {}

    def _forbid(self, attempt: Attempt, word: str, detail: str, now: Instant) -> bool:
        """True: nobody ran it, and nobody ever will."""
        if not attempt.files.forbid(word, detail, now):
            return False
        self._done(attempt, never_ran(word, detail, now))
        return True

    # Counting

    def _sample(self, now: Instant) -> None:
        """Memory and cpu time of all that run, and the end of those that take too much."""
        self._sample_at = now + self._sample_ms
        for attempt in sessions.sample(self._alive.values()):
            if attempt.why is None:
                self._end(attempt, "out-of-memory", "KILL", 0, now)
        for attempt in self._alive.values():
            attempt.seen = running(attempt)

    def _take(self, attempt: Attempt, share: Share) -> None:
        if attempt.share is not None:
            self._shares.release(attempt.share)
        attempt.share = share
        self._shares.take(share)

    def _key(self, token: str) -> str:
        key = self._keys.get(token)
        if key is None:
            key = self._keys[token] = key_of(token)
        return key

    def _files(self, token: str) -> Files:
        return Files(f"{self._root}/{key_of(token)}")


def _nothing(sha256: str) -> Iterator[bytes]:
    raise StagingFailed(f"{sha256} was not fetched before the start")
