"""The agent's outermost loop: the only place that waits.

The main thread owns the brain and the driver and never waits for the network, so a time limit is kept
while the server hangs. Other threads wait in its stead: for what is desired (parked at the server), reports,
logs, blobs, inputs from datasets and URIs, a new credential, a measurement, and the removal of old files.
Whatever arrives, ends or falls due wakes the main thread at once; nothing here polls. A fault ends the loop,
but one while staging ends that attempt.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from baygrid.centres import steps
from baygrid.centres.agent import Agent
from baygrid.centres.bringing import Bringing, Stager
from baygrid.centres.hands import Hands, Mailbox
from baygrid.centres.measuring import Measuring
from baygrid.ports.basics import Clock, Instant
from baygrid.ports.centre import Centre, Transport
from baygrid.ports.messages import Desired, Order, Refused, Renewed, ReportAnswer, Unreachable

WAIT_S = 30.0
FIRST_PAUSE_MS = 200
LONGEST_PAUSE_MS = 60_000
FETCHES = 8
"""Orders at once whose inputs come from datasets and URIs; those that wait for another's download count."""
TIDY_EVERY_MS = 30_000
"""Removing files can make the next commits on the same disk slow (100 ms were seen): rarely, then all."""


@runtime_checkable
class Watchable(Protocol):
    """A driver with a descriptor that is readable when it wants to look at something."""

    def fileno(self) -> int: ...


@runtime_checkable
class Untidy(Protocol):
    """A driver that has something to clear away, in a thread and a little at a time."""

    @property
    def untidy(self) -> bool: ...

    def tidy(self) -> None: ...


class Locked(Exception):
    """Another agent already works on this state directory."""


class StateLock:
    """Held as long as the process lives: two agents on one state directory would start everything twice."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Locked(f"another agent already works on {directory}") from None

    def release(self) -> None:
        os.close(self._descriptor)


class Pause:
    """Exponential back-off. `jitter` gives a number from 0 to 1, so that a region does not come back at
    once."""

    def __init__(self, jitter: Callable[[], float], longest_ms: int = LONGEST_PAUSE_MS) -> None:
        self._jitter, self._longest, self._tries = jitter, longest_ms, 0

    def longer(self) -> int:
        span = min(self._longest, FIRST_PAUSE_MS << min(self._tries, 20))
        self._tries += 1
        return int(span * (0.5 + self._jitter() / 2))

    def reset(self) -> None:
        self._tries = 0


class Loop:
    """`run` works until `stop`, or until the server refuses this agent, and returns why it ended. `renew`
    makes the agent a new credential when the server asks for it, in a thread; raises as a transport does.
    `measuring`: of the link to the exchange; None: never."""

    def __init__(
        self,
        agent: Agent,
        centre: Centre,
        transport: Transport,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        wait_s: float = WAIT_S,
        transfers: int = 2,
        stager: Stager | None = None,
        note: Callable[[str], None] = lambda text: None,
        renew: Callable[[], None] | None = None,
        measuring: Measuring | None = None,
    ) -> None:
        self._agent, self._centre, self._transport = agent, centre, transport
        self._clock, self._wait_s, self._note = clock, wait_s, note
        self._mailbox = Mailbox()
        self._asking = Hands("desired", 1, self._mailbox)
        self._reporting = Hands("report", 1, self._mailbox)
        self._logging = Hands("log", 1, self._mailbox)
        self._moving = Hands("blob", transfers, self._mailbox)
        self._staging = Hands("stage", FETCHES if stager is not None else 0, self._mailbox)
        self._stager = stager
        self._tidying = Hands("tidy", 1, self._mailbox)
        self._renewing = Hands("renew", 1, self._mailbox)
        self._renew, self._renewing_now = renew, False
        self._measuring = Hands("measure", 0 if measuring is None else 1, self._mailbox)
        self._measure = measuring
        self._carrying = 0  # orders and outputs whose bytes are on their way
        self._untidy = centre if isinstance(centre, Untidy) else None
        self._tidying_now = False
        self._tidy_at: Instant = clock() + TIDY_EVERY_MS
        self._ask_pause, self._report_pause = Pause(jitter), Pause(jitter)
        self._log_pause = Pause(jitter)
        self._ask_at: Instant | None = 0  # None: on its way
        self._report_at: Instant | None = 0
        self._log_at: Instant | None = 0
        self._welcome = False
        self._silent = False
        self._end: str | None = None

    def stop(self) -> None:
        """From any thread, or a signal's handler. Jobs go on running."""
        self._end = self._end or "stopped"
        self._mailbox.ring()

    def run(self) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(self._mailbox, selectors.EVENT_READ)
            if isinstance(self._centre, Watchable):
                selector.register(self._centre, selectors.EVENT_READ)
            try:
                while self._end is None:
                    self._step()
                    selector.select(self._until_next())
                    for kind, about, result in self._mailbox.take():
                        self._arrived(kind, about, result)
            finally:
                for hands in (
                    self._asking,
                    self._reporting,
                    self._logging,
                    self._moving,
                    self._staging,
                    self._tidying,
                    self._renewing,
                    self._measuring,
                ):
                    hands.stop(0)
        return self._end

    def _step(self) -> None:
        """One tick, and everything that can be sent now is handed to the threads."""
        agent, now = self._agent, self._clock()
        agent.tick(now)
        if self._ask_at is not None and now >= self._ask_at:
            self._ask_at, after = None, agent.gen
            self._asking.give(
                "desired", None, lambda: self._transport.desired(agent.incarnation, after, self._wait_s)
            )
        if self._report_at is not None and now >= self._report_at and agent.wants_report(now):
            self._report_at, report = None, agent.report(now)
            self._reporting.give("report", None, lambda: self._transport.report(report))
        for order in agent.staging_due(now):
            by = self._staging if order.sources and self._stager is not None else self._moving
            self._carrying += 1
            by.give("staged", order, self._bringing(order))
        for work in agent.blobs_due(now):
            self._carrying += 1
            self._moving.give("published", work, self._publishing(work))
        if self._log_at is not None and now >= self._log_at:
            chunks = agent.log_chunks(now)
            if chunks:
                self._log_at = None
                self._logging.give("logs", len(chunks), lambda: steps.send_logs(self._transport, chunks))

        if self._measure is not None and (at := self._measure_at()) is not None and now >= at:
            self._measure.begin()
            self._measuring.give("measured", None, self._measurement(self._measure))

        due = now >= self._tidy_at and not self._tidying_now
        if self._untidy is not None and due and self._untidy.untidy:
            self._tidying_now = True
            self._tidying.give("tidied", None, self._untidy.tidy)

    def _bringing(self, order: Order) -> Callable[[], steps.Outcome]:
        def tell(done: int, total: int | None, note: str) -> None:
            self._mailbox.put("staging", order.attempt, (done, total, note))

        fetch = Bringing(
            order,
            self._transport.fetch_blob,
            self._stager,
            self._clock,
            tell,
            lambda: self._agent.wanted(order.attempt),
        )
        return lambda: steps.stage(self._centre, self._transport, order, fetch)

    def _measure_at(self) -> Instant | None:
        """None: not as long as bytes of jobs are on their way, or the server is not there."""
        free = self._welcome and not self._silent and not self._carrying
        return self._measure.due_at if self._measure is not None and free else None

    def _measurement(self, measuring: Measuring) -> Callable[[], Any]:
        return lambda: measuring.make(lambda: self._carrying > 0 or self._end is not None)

    def _publishing(self, work: Any) -> Callable[[], steps.Outcome]:
        return lambda: steps.publish(self._transport, work)

    def _until_next(self) -> float | None:
        """Seconds, or None to wait for something to happen."""
        now = self._clock()
        logging = self._log_at is not None and self._log_at <= now
        brain = self._agent.wake_at(now, reporting=False, logging=logging)
        due = [brain, self._ask_at, self._measure_at()]
        if not logging:
            due.append(self._log_at)
        if self._report_at is not None:
            due.append(max(self._report_at, self._agent.report_at))
        first = min((at for at in due if at is not None), default=None)
        return None if first is None else max(0.0, (first - now) / 1000)

    def _arrived(self, kind: str, about: Any, result: Any) -> None:
        now = self._clock()
        if kind == "desired":
            self._got_desired(result, now)
        elif kind == "report":
            self._got_answer(result, now)
        elif kind == "renewed":
            self._renewed(result)
        elif kind == "measured":
            self._measured(result, now)
        elif kind == "staged":
            self._carrying -= 1
            steps.staged(self._agent, about, self._outcome(about, result), now)
        elif isinstance(result, Exception):
            self._stop_for(result)
        elif kind == "tidied":
            self._tidying_now = False
            if self._untidy is not None and not self._untidy.untidy:
                self._tidy_at = now + TIDY_EVERY_MS
        elif kind == "staging":
            done, total, note = result
            self._agent.staging(about, done, total, note, now)
        elif kind == "published":
            self._carrying -= 1
            steps.published(self._agent, about, result, now)
        else:
            steps.logs_sent(self._agent, result, now)
            if len(result) == about:
                self._log_pause.reset()
                self._log_at = now
            else:
                self._log_at = now + self._log_pause.longer()

    def _outcome(self, order: Order, result: Any) -> steps.Outcome:
        """A fault while staging ends that attempt only: an agent that began anew would stage it again."""
        if isinstance(result, Exception):
            self._note(f"staging {order.attempt}: {''.join(traceback.format_exception(result))}")
            return steps.Outcome(f"the agent failed to stage it ({type(result).__name__}: {result})")
        outcome: steps.Outcome = result
        return outcome

    def _got_desired(self, result: Any, now: Instant) -> None:
        if isinstance(result, Desired):
            self._ask_pause.reset()
            self._agent.take(result, now)
            self._ask_at = now
        else:
            self._ask_at = now + self._ask_pause.longer()
            self._failed(result)

    def _got_answer(self, result: Any, now: Instant) -> None:
        if isinstance(result, ReportAnswer):
            self._report_pause.reset()
            self._agent.answered(result, now)
            self._report_at = now
            if not self._welcome or self._silent:
                self._note("the server answers")
            self._welcome, self._silent = True, False
            if result.renew and self._renew is not None and not self._renewing_now:
                self._renewing_now = True
                self._renewing.give("renewed", None, self._renew)
        else:
            self._agent.unanswered()
            self._report_at = now + self._report_pause.longer()
            self._failed(result)

    def _renewed(self, result: Any) -> None:
        """The server asks again until the new credential is used."""
        self._renewing_now = False
        if result is None:
            self._note("the agent has a new credential")
            self._agent.unanswered()  # it is used at once, which ends the old one
        elif isinstance(result, Unreachable | Refused):
            self._note(f"no new credential yet: {result}")
        else:
            self._stop_for(result)

    def _measured(self, result: Any, now: Instant) -> None:
        sample = self._measure.ended(result, now) if self._measure is not None else None
        if sample is not None:
            self._agent.measured(sample, now)

    def _failed(self, result: Any) -> None:
        """A server that is silent or unwilling is no reason to leave running jobs unwatched; being replaced,
        never having been welcome, or having no valid credential any more is one to end."""
        if isinstance(result, Renewed):
            self._note("a request was under way with the old credential, and is made again with the new one")
        elif isinstance(result, Unreachable):
            if not self._silent:
                self._note(f"the server cannot be reached: {result}")
            self._silent = True
        elif isinstance(result, Refused):
            if result.status == 409:
                self._end = f"another agent has taken over: {result.detail}"
            elif result.code == "unauthorized":
                self._end = f"the server refuses this agent, whose jobs go on running: {result.detail}"
            elif not self._welcome and result.status in (401, 403):
                self._end = f"the server refuses this agent: {result.detail}"
            else:
                self._note(f"the server refuses: {result}")
        else:
            self._stop_for(result)

    def _stop_for(self, error: Any) -> None:
        """A fault of ours: ending lets a supervisor start the agent anew from its journal."""
        raise error
