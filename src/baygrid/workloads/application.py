"""What an application is to that which runs it: shards in, rows out, and what a person gets in the end.

An application cuts its input into shards, each small enough to be lost: a few seconds to a minute of work. A
worker, loaded once in each process that works, makes a shard's rows. It decodes and infers in one place: no
decoded picture, sound or sweep goes through an engine. Which engine runs the workers, in which order, and how
often a run was interrupted changes nothing in the rows; `finish` sees all of them, in the shards' order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa


class ApplicationError(Exception):
    """The run cannot start, or cannot go on, in words for whoever asked for it."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the input. `id` is unique in the run, fit for a file's name, and sorts in the order of
    results; `work` is JSON that only the application reads; `units` is how much it holds, as far as is known
    before it is read."""

    id: str
    work: str
    units: float

    def following(self, work: str, units: float) -> Shard:
        """What is left of this one: its id sorts directly behind, before that of the next shard."""
        first, _, number = self.id.partition(".")
        return Shard(f"{first}.{int(number or 0) + 1:08}", work, units)


@dataclass(frozen=True, slots=True)
class Failed:
    """An input of which no rows could be made, and why. The rest of its shard goes on."""

    input: str
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """What a worker made of a shard: `rows` of the application's schema, `units` of work really done (images,
    hours of audio, km), what failed, and the CPU seconds by stage ("decode", "infer", ...). `facts` are JSON
    values that `finish` needs beside the rows. A shard whose rows would be too many at once does the first of
    them, and leaves the `rest` to another one (see `Shard.following`)."""

    rows: pa.Table
    units: float
    failed: tuple[Failed, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    rest: Shard | None = None


class Worker(Protocol):
    """Has its models loaded. A damaged input ends in `Failed`, never in an exception."""

    def __call__(self, shard: Shard) -> Done: ...


class Loading(Protocol):
    """How a worker comes to be in a process of its own: a frozen dataclass of plain values (pickled)."""

    def __call__(self) -> Worker: ...


@dataclass(frozen=True, slots=True)
class Totals:
    """A run in numbers. `units` and CPU `seconds` by stage are of all shards; `wall` is the time, in seconds,
    in which this start of the run did `fresh` of these units: what an earlier start did is not done again."""

    units: float
    fresh: float
    wall: float
    seconds: Mapping[str, float]
    failed: tuple[Failed, ...]
    shards: int
    resumed: int
    workers: int
    engine: str

    @property
    def units_per_hour(self) -> float | None:
        """None where this start found nothing left to do."""
        return self.fresh / self.wall * 3600 if self.fresh and self.wall else None


class Results(Protocol):
    """All shards of a run, done. No more than one shard's rows are in memory at a time."""

    @property
    def totals(self) -> Totals: ...

    def __iter__(self) -> Iterator[tuple[Shard, Done]]:
        """The shards with what was made of them, in the order of their ids."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run leaves for people: files by what they are ("labels", "sheet", "map", ...), and figures of
    quality (None where a figure cannot be given for this input)."""

    outputs: Mapping[str, Path]
    quality: Mapping[str, Any] = field(default_factory=dict)


class Application(Protocol):
    """One application with its options, before a model is loaded or an input is opened."""

    @property
    def name(self) -> str:
        """images, speech, driving."""
        ...

    @property
    def unit(self) -> str:
        """images, audio_hours, km."""
        ...

    @property
    def schema(self) -> pa.Schema: ...

    def shards(self) -> Iterator[Shard]:
        """The input, cut. Reads names, sizes and indexes only. ApplicationError where there is no input."""
        ...

    def loading(self) -> Loading: ...

    def finish(self, results: Results, output: Path) -> Outcome:
        """Writes what people look at into the folder `output`, each file whole or not at all."""
        ...
