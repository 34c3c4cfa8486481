"""How long one more job would wait: asked of the engine rarely, and only while somebody wants to know."""

from __future__ import annotations

from collections.abc import Sequence

from baygrid.centres.engine import Engine
from baygrid.centres.queued.asking import Errand
from baygrid.centres.queued.life import NEVER
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Forecast, Inquiry, Order

WANTED_MS = 60_000
"""Each answer of the server asks again; an agent that hears none does not go on asking its engine."""
FRESH_MS = 60_000
MOST = 8
"""The engine plans once for each."""


class Estimates:
    def __init__(self, engine: Engine, every: int) -> None:
        self._engine, self._every = engine, every
        self._asked: tuple[Inquiry, ...] = ()
        self._until: Instant = 0
        self._next: Instant = 0
        self._told: tuple[Forecast, ...] = ()
        self._told_at: Instant = 0

    def ask(self, asked: Sequence[Inquiry], now: Instant) -> None:
        self._asked, self._until = tuple(asked[:MOST]), now + WANTED_MS

    def told(self, now: Instant) -> tuple[Forecast, ...]:
        return self._told if now - self._told_at <= FRESH_MS else ()

    @property
    def due_at(self) -> Instant:
        return self._next if self._asked and self._next < self._until else NEVER

    def errand(self, now: Instant) -> Errand | None:
        if self.due_at > now:
            return None
        asked = self._asked
        return Errand("waits", asked, lambda: self._engine.waits([_order(one) for one in asked]))

    def answered(self, asked: Sequence[Inquiry], waits: Sequence[int | None] | None, now: Instant) -> None:
        """None: the engine was silent."""
        self._next = now + self._every
        if waits is not None:
            self._told = tuple(Forecast(one, wait) for one, wait in zip(asked, waits, strict=True))
            self._told_at = now


def _order(one: Inquiry) -> Order:
    """What an order of that shape would be, with nothing in it that could be run."""
    return Order(
        attempt="",
        token="",
        job="",
        project=one.project,
        state=AttemptState.PLACED,
        partition=one.partition,
        nodes=(),
        count=one.count,
        cpus=one.cpus,
        memory_mib=one.memory_mib,
        accelerator=one.accelerator,
        accelerators=one.accelerators,
        time_s=one.time_s,
        grace_s=0,
        setup="",
        run="",
        envs={},
        workdir=None,
        inputs={},
        outputs=(),
    )
