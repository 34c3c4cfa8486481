"""What ran at the engine without Baygrid: asked when somebody wants to know, until it has answered."""

from __future__ import annotations

from collections.abc import Sequence

from baygrid.centres.engine import Engine, Outside
from baygrid.centres.queued.asking import Errand
from baygrid.centres.queued.life import NEVER
from baygrid.ports.basics import Instant


class Others:
    """`pause`: milliseconds after the engine did not answer."""

    def __init__(self, engine: Engine, pause: int) -> None:
        self._engine, self._pause = engine, pause
        self._asked: tuple[Instant, Instant] | None = None
        self._not_before: Instant = 0
        self._answer: Sequence[Outside] | None = None

    def ask(self, since: Instant, until: Instant) -> None:
        self._asked, self._answer, self._not_before = (since, until), None, 0

    def take(self) -> Sequence[Outside] | None:
        answer, self._answer = self._answer, None
        return answer

    @property
    def due_at(self) -> Instant:
        return NEVER if self._asked is None else self._not_before

    def errand(self, now: Instant) -> Errand | None:
        if self._asked is None or now < self._not_before:
            return None
        since, until = self._asked
        return Errand("outside", self._asked, lambda: self._engine.outside(since, until))

    def answered(self, asked: tuple[Instant, Instant], jobs: Sequence[Outside] | None, now: Instant) -> None:
        """None: the engine was silent."""
        if asked != self._asked:
            return
        if jobs is None:
            self._not_before = now + self._pause
        else:
            self._asked, self._answer = None, jobs
