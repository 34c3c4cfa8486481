"""A run: cut, do what is not done yet, and finish. Every shard once, whatever is killed when."""

from __future__ import annotations

import time
from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from baygrid.workloads import result
from baygrid.workloads.application import (
    Application,
    ApplicationError,
    Done,
    Failed,
    Outcome,
    Shard,
    Totals,
)
from baygrid.workloads.engines.working import Engine, WorkerDied
from baygrid.workloads.parts import Parts, pack
from baygrid.workloads.whole import sync_all

GIVE_UP: Final = 3
"""Shards that may bring down a worker that had nothing else to do; more, and it is not the input's fault."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of about `total` units; `rate`: units an hour of this start (None before its first shard)."""

    done: float
    total: float
    rate: float | None


@dataclass
class _Clock:
    """The time in which this start did its work. It begins with the first shard, not with the loading of
    models: a shard that took `busy` seconds began so long before it was done."""

    began: float | None = None
    last: float = 0.0
    fresh: float = 0.0

    def count(self, units: float, busy: float) -> None:
        self.last = time.perf_counter()
        self.began = self.last - busy if self.began is None else min(self.began, self.last - busy)
        self.fresh += units

    @property
    def wall(self) -> float:
        return 0.0 if self.began is None else self.last - self.began

    @property
    def rate(self) -> float | None:
        return self.fresh / self.wall * 3600 if self.wall else None


@dataclass(frozen=True, slots=True)
class _Results:
    totals: Totals
    _shards: Sequence[Shard]
    _parts: Parts

    def __iter__(self) -> Iterator[tuple[Shard, Done]]:
        return ((shard, self._parts.read(shard)) for shard in self._shards)


@dataclass
class _Run:
    application: Application
    engine: Engine
    parts: Parts
    report: Callable[[Progress], None]
    shards: list[Shard]
    """In the order of their ids; what shards leave to others comes to it."""
    done: float = 0.0
    total: float = 0.0
    clock: _Clock = field(default_factory=_Clock)

    def work(self) -> int:
        """Does what is missing; answers how many shards an earlier start had done."""
        self.total = sum(shard.units for shard in self.shards)
        left = self._missing()
        resumed = len(self.shards) - len(left)
        self.done = self.total - sum(shard.units for shard in left.values())
        alone = False
        deaths: Counter[str] = Counter()
        while left:
            before = len(left)
            first = next(iter(left.values()))
            try:
                self._some(left, [first] if alone else list(left.values()))
                alone = False
            except WorkerDied as died:
                # Which of those that were in work was it? Where none came through, they go one by one.
                if len(left) == before and alone:
                    deaths[first.id] += 1
                    if len(deaths) > GIVE_UP:
                        raise ApplicationError(f"workers keep dying: {died}") from died
                    if deaths[first.id] == 2:
                        self._give_up(left.pop(first.id))
                alone = len(left) == before
        return resumed

    def _missing(self) -> dict[str, Shard]:
        """The shards without a part, those among them that others left."""
        left: dict[str, Shard] = {}
        cut, self.shards = self.shards, []
        for shard in cut:
            following: Shard | None = shard
            while following is not None:
                self.shards.append(following)
                if not self.parts.has(following):
                    left[following.id] = following
                    break
                following = self.parts.about(following).rest
        return left

    def _some(self, left: dict[str, Shard], shards: Sequence[Shard]) -> None:
        with closing(self.engine(self.application.loading(), shards)) as answers:
            for answer in answers:
                shard = left.pop(answer.id)
                self.parts.keep(shard, answer.part)
                self.done += shard.units
                about = self.parts.about(shard)
                if (rest := about.rest) is not None:
                    left[rest.id] = rest
                    insort(self.shards, rest, key=lambda each: each.id)
                    self.done -= rest.units
                self.clock.count(about.units, answer.busy)
                self.report(Progress(self.done, self.total, self.clock.rate))

    def _give_up(self, shard: Shard) -> None:
        rows = self.application.schema.empty_table()
        failed = Failed(f"shard {shard.id}: {shard.work:.200}", "a worker died of it, twice")
        self.parts.keep(shard, pack(Done(rows, 0.0, (failed,))))

    def totals(self, resumed: int) -> Totals:
        seconds: dict[str, float] = {}
        failed: list[Failed] = []
        units = 0.0
        for shard in self.shards:
            about = self.parts.about(shard)
            units += about.units
            failed.extend(about.failed)
            for stage, spent in about.seconds.items():
                seconds[stage] = seconds.get(stage, 0.0) + spent
        workers = min(self.engine.workers, max(1, len(self.shards)))
        return Totals(
            units=units, fresh=self.clock.fresh, wall=self.clock.wall, seconds=seconds, failed=tuple(failed),
            shards=len(self.shards), resumed=resumed, workers=workers, engine=self.engine.name,
        )  # fmt: skip


def run(
    application: Application, output: Path, engine: Engine, report: Callable[[Progress], None]
) -> tuple[Totals, Outcome]:
    """Runs `application` into the folder `output`; begun again after any interruption, it goes on.

    `report` is called after every shard. Raises ApplicationError where the run cannot start or cannot go on
    (no input, no model, no room on the disk); what was done stays. All shards are in memory, some hundred
    bytes to some kilobytes each: more than a few million of them want several runs, an array of jobs."""
    shards = _ordered(application)
    parts = Parts(application, output)
    with parts.held(), _disk(output):
        running = _Run(application, engine, parts, report, shards)
        resumed = running.work()
        totals = running.totals(resumed)
        outcome = application.finish(_Results(totals, running.shards, parts), output)
        result.write(output / result.FILE, result.result(application, totals, outcome))
        sync_all([*outcome.outputs.values(), output / result.FILE])
        parts.drop()
    return totals, outcome


@contextmanager
def _disk(output: Path) -> Iterator[None]:
    """A disk that is full, a name that is too long: told in words, not as a defect."""
    try:
        yield
    except OSError as error:
        raise ApplicationError(f"{error.filename or output}: {error.strerror or error}") from error


def _ordered(application: Application) -> list[Shard]:
    shards = sorted(application.shards(), key=lambda shard: shard.id)
    if len({shard.id for shard in shards}) < len(shards):
        raise AssertionError(f"{application.name} gave two shards one id")
    return shards
