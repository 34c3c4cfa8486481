"""What happens to attempts, from the start of their supervisors until nothing of them is left.

Nothing waits here: each look takes what the directories and the kernel say by then. An attempt is STARTING
until it is known who has its claim, RUNNING while that supervisor lives, ENDING while others of its session
do, then DONE.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from baygrid.centres.folder import owners, secrets
from baygrid.centres.folder.endings import never_ran, word_of
from baygrid.centres.folder.files import Claim, Why
from baygrid.centres.local import inside, processes, sessions
from baygrid.centres.local.attempt import SURVIVORS_MS, Attempt, Facts, Stage, running, verdict
from baygrid.centres.local.podman import Podman
from baygrid.centres.local.share import Share, Shares
from baygrid.centres.local.supervisors import Supervisors
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation
from baygrid.ports.messages import WITHDRAWN, Stop

HALF_CLAIM_MS = 5_000  # a claim is one write: when it is still half after this, its writer died
ENDING_POLL_MS = 20
FIRST_SAMPLE_MS = 100  # soon, so that a short job's memory is seen, but not in the way of its start
NEVER: Instant = 1 << 62


class Lifecycle:
    """`attempts` by key. `boot`: in which the claims were made that can still run. `accounts`: jobs run as
    users of their own."""

    def __init__(
        self, shares: Shares, boot: str, podman: Podman | None = None, *, accounts: bool, sample_ms: int
    ) -> None:
        self.attempts: dict[str, Attempt] = {}
        self._shares, self._boot, self._accounts, self._podman = shares, boot, accounts, podman
        self._supervisors = Supervisors()
        self._restless: dict[str, Attempt] = {}  # STARTING or ENDING: looked at until it settles
        self._alive: dict[str, Attempt] = {}
        self._sample_ms = sample_ms
        self._sample_at: Instant = 0
        self._due_at: Instant = NEVER

    def fileno(self) -> int:
        """Readable when a supervisor ended."""
        return self._supervisors.fileno()

    def begin(self, attempt: Attempt, share: Share, now: Instant) -> None:
        """Its supervisor is our child, just made."""
        attempt.look_at = now + 2
        self._take(attempt, share)
        self.attempts[attempt.key] = self._restless[attempt.key] = attempt
        # Our child: its pid is its own until we wait for it.
        self._supervisors.watch(attempt, os.pidfd_open(attempt.pid))

    def stop(self, attempt: Attempt, stop: Stop, now: Instant) -> None:
        if attempt.stage is Stage.STARTING and not self.forbid(attempt, "stopped", stop.reason, now):
            if stop.reason != WITHDRAWN:
                attempt.stop = stop  # claimed: it is running, or just about to
            self.settle(attempt, now)
        elif attempt.stage is Stage.RUNNING and stop.reason != WITHDRAWN:
            self._end(attempt, word_of(stop), stop.signal, stop.grace_s * 1000, now)

    def look(self, now: Instant) -> None:
        """Takes in what happened, and enforces what is due."""
        for attempt in self._supervisors.ended():
            self._ended(attempt, now)
        for attempt in list(self._restless.values()):
            if attempt.look_at <= now:
                self.settle(attempt, now) if attempt.stage is Stage.STARTING else self._outlive(attempt, now)
        if self._alive and now >= self._sample_at:
            self._sample(now)
        if now >= self._due_at:
            self._enforce(now)

    def wake_at(self, now: Instant) -> Instant | None:
        """When the next look is due."""
        due = min((attempt.look_at for attempt in self._restless.values()), default=NEVER)
        due = min(due, self._due_at, self._sample_at if self._alive else NEVER)
        return None if due == NEVER else max(due, now)

    def close(self) -> None:
        """Lets go; jobs go on running."""
        self._supervisors.close()

    def settle(self, attempt: Attempt, now: Instant) -> None:
        """Finds out who has the claim, and goes on accordingly."""
        self.attempts[attempt.key] = self._restless[attempt.key] = attempt
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
            ended = attempt.exit()
            if attempt.facts.image and self._podman is not None:
                self._podman.remove(inside.name_of(attempt.key))
            if attempt.facts.outputs:
                ended = None  # a power cut may have taken what was written last
            self._done(attempt, verdict(attempt, ended, attempt.files.last_sign()))
            return
        if pid != attempt.pid:  # found again, or another supervisor was faster than ours
            descriptor = processes.hold(pid, claim.start)
            if descriptor is not None and not self._is_its_own(attempt, pid):
                os.close(descriptor)
                if attempt.descriptor is None:
                    self._done(attempt, verdict(attempt, attempt.exit(), now))
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
        return not self._accounts or processes.owner(pid) == os.stat(attempt.files.dir).st_uid  # noqa: PTH116

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
            sessions.signal_all(attempt, signal.SIGKILL)
        else:
            sessions.signal_all(attempt, getattr(signal, f"SIG{name}", signal.SIGTERM))
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
                sessions.signal_all(attempt, signal.SIGKILL)
                attempt.why = Why(attempt.why.word, now + 1_000)  # and again, should it take long to die
            due = limit if attempt.why is None else attempt.why.kill_at
            self._due_at = min(self._due_at, NEVER if due is None else due)

    def _ended(self, attempt: Attempt, now: Instant) -> None:
        """Its supervisor has ended."""
        descriptor = attempt.descriptor
        if attempt.stage is Stage.STARTING:
            if self.forbid(attempt, "refused", "its supervisor ended before it began", now):
                return
            self.settle(attempt, now)
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
        # One that was killed with Podman may go on inside, or be about to begin.
        over = not attempt.facts.image or inside.is_over(attempt.files)
        attempt.removing = not over and self._podman is not None
        if over and not others and not processes.group_exists(attempt.pid):
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
        if attempt.removing and (not survivors or attempt.kill_at <= now) and self._podman is not None:
            attempt.removing = not self._podman.remove(inside.name_of(attempt.key))
        if not survivors and not attempt.removing:
            self._conclude(attempt, now)
            return
        if attempt.kill_at <= now:
            for process in survivors:
                processes.signal_one(process, signal.SIGKILL)
        attempt.look_at = now + ENDING_POLL_MS

    def _conclude(self, attempt: Attempt, now: Instant) -> None:
        if self._accounts:
            owners.take_back(Path(attempt.files.dir))
        ended = attempt.exit()
        alone = ended is not None and attempt.kill_at == 0
        self._done(attempt, verdict(attempt, ended, ended.at if ended is not None and alone else now))

    def _done(self, attempt: Attempt, seen: Observation) -> None:
        secrets.settle(attempt.files)
        attempt.stage, attempt.seen = Stage.DONE, seen
        self.attempts[attempt.key] = attempt
        self._restless.pop(attempt.key, None)
        self._alive.pop(attempt.key, None)
        self._supervisors.let_go(attempt)
        if attempt.share is not None:
            self._shares.release(attempt.share)
            attempt.share = None
        attempt.members = {}

    def forbid(self, attempt: Attempt, word: str, detail: str, now: Instant) -> bool:
        """True: nobody ran it, and nobody ever will."""
        if not attempt.files.forbid(word, detail, now):
            return False
        self._done(attempt, never_ran(word, detail, now))
        return True

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
