"""The driver of a simulated centre: `ports.centre.Centre` over a `Machine`, with a memory that dies with its
agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from baygrid.core.jobs.checkpoint import OUTPUT
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Fetch, Observation, StagingFailed
from baygrid.ports.messages import WITHDRAWN, Order, PartitionReport, Stop
from baygrid.sim.faults import Failpoints, Faults
from baygrid.sim.machine import Machine, Run

LOOK_MS = 1_000
OUTPUTS = Path("/outputs")


class SimDriver:
    """Claims are the only durable memory: after a restart an attempt whose wrapper has not claimed yet is not
    known here, though it may still begin."""

    def __init__(self, machine: Machine, failpoints: Failpoints, faults: Faults) -> None:
        self._machine = machine
        self._failpoints = failpoints
        self._faults = faults
        self._spawned: set[str] = set()

    def capabilities(self) -> frozenset[str]:
        return frozenset({"gang", "accelerators", "checkpoint"})

    def inventory(self) -> tuple[PartitionReport, ...]:
        return self._machine.inventory()

    def prepare(self, order: Order, fetch: Fetch) -> None:
        self._machine.folders.add(order.token)
        for sha256 in (order.workdir, order.restore, *order.inputs.values()):
            if sha256 is not None:
                try:
                    b"".join(fetch(sha256))
                except KeyError:
                    raise StagingFailed(f"{sha256} cannot be fetched") from None

    def entrust(self, order: Order, values: Mapping[str, str]) -> None:
        self._machine.folders.add(order.token)

    def start(self, order: Order, now: Instant) -> None:
        self._error("start")
        self._failpoints.disk("driver.start.before")
        if order.token in self._spawned or order.token in self._machine.disk:
            return
        self._machine.folders.add(order.token)
        self._machine.spawn(order)
        self._failpoints.disk("driver.start.after")
        self._spawned.add(order.token)

    def stop(self, stop: Stop, now: Instant) -> None:
        self._error("stop")
        self._failpoints.disk("driver.stop.before")
        run = self._machine.disk.get(stop.token)
        if run is None:
            # Whoever claims first wins: no wrapper can begin after this.
            self._machine.folders.add(stop.token)
            self._machine.disk[stop.token] = Run(None, now, ended_at=now, stopped=stop.reason)
            self._machine.admit()
        elif run.alive and not run.stopped and stop.reason != WITHDRAWN:
            run.stopped = "" if run.limited else stop.reason  # the first reason is the one that is told
            self._machine.terminate(stop.token, stop.grace_s * 1000)
        self._failpoints.disk("driver.stop.after")

    def observe(self, orders: Sequence[Order], now: Instant) -> dict[str, Observation]:
        self._error("observe")
        self._enforce(now)
        seen = {}
        for order in orders:
            run = self._machine.disk.get(order.token)
            if run is not None:
                seen[order.token] = self._observed(order, run)
            elif order.token in self._spawned:
                seen[order.token] = Observation(AttemptState.WAITING, raw="spawned")
        return seen

    def _observed(self, order: Order, run: Run) -> Observation:
        if run.alive:
            now = AttemptState.STOPPING if run.kill_at is not None else AttemptState.RUNNING
            nodes = run.nodes if self._machine.own_queue else ()
            return Observation(now, raw="alive", started_at=run.started_at, nodes=nodes)
        if run.started_at is None:
            return Observation(AttemptState.CANCELLED, raw="never started", ended_at=run.ended_at)
        state: AttemptState = AttemptState.SUCCEEDED
        cause: str | None = None
        if run.exit_code is None:
            state, cause = AttemptState.FAILED, "interrupted"
        elif run.limited:
            state, cause = AttemptState.FAILED, "time-limit"
        elif run.stopped:
            state = AttemptState.PREEMPTED if run.stopped == "preempted" else AttemptState.CANCELLED
        elif run.exit_code:
            state, cause = AttemptState.FAILED, "exit-code"
        # The centre's own note of the order: the agent may know no more than a stop.
        names: tuple[str, ...] = run.order.outputs if run.order is not None else ()
        if state is not AttemptState.SUCCEEDED:
            kept = state is AttemptState.PREEMPTED or cause == "interrupted"
            names = (OUTPUT,) if kept and run.order is not None and run.order.checkpoint else ()
        outputs = {name: OUTPUTS / order.token / name for name in names}
        return Observation(
            state,
            raw="exited",
            exit_code=run.exit_code,
            cause=cause,
            started_at=run.started_at,
            ended_at=run.ended_at,
            cpu_seconds=((run.ended_at or run.started_at) - run.started_at) / 1000,
            peak_memory_mib=64,
            outputs=outputs,
            nodes=run.nodes if self._machine.own_queue and order.count else (),
        )

    def _enforce(self, now: Instant) -> None:
        """Time limits, and KILL where the grace is over."""
        for token, run in list(self._machine.disk.items()):
            if not run.alive or run.order is None or run.started_at is None:
                continue
            if run.kill_at is not None:
                if now >= run.kill_at:
                    self._machine.kill(token)
            elif now - run.started_at >= run.order.time_s * 1000:
                run.limited = True
                self._machine.terminate(token, run.order.grace_s * 1000)

    def read_log(self, order: Order, offset: int, limit: int) -> bytes:
        return self._machine.log(order.token)[offset : offset + limit]

    def wake_at(self, now: Instant) -> Instant | None:
        disk = self._machine.disk
        if any(token not in disk for token in self._spawned) or any(run.alive for run in disk.values()):
            return now + LOOK_MS
        return None

    def forget(self, order: Order) -> None:
        self._failpoints.disk("driver.forget.before")
        self._spawned.discard(order.token)
        self._machine.forget(order.token)
        self._failpoints.disk("driver.forget.after")

    def _error(self, what: str) -> None:
        if self._machine.world.chance(self._faults.centre_error):
            raise OSError(f"the centre does not answer ({what})")
