"""What Baygrid asks of an engine that schedules by itself: Slurm, Kubernetes, Ray.

One `QueuedCentre` (`centres/queued/`) turns any engine into a `ports.centre.Centre`. An engine is thin: pure
builders of commands or requests, pure parsers of what comes back, and this class that runs one with the
other. Engine and agent share a file system: each attempt has a folder there with its script, its claim, its
log and its exit line, so an engine is never asked for a log, and never trusted alone about an exit code.

Every call may take seconds and is made in a thread of the centre, one at a time. `EngineSilent` means that
nothing is known: not that it failed, not that it worked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from baygrid.ports.basics import Instant
from baygrid.ports.messages import Order, PartitionReport


class EngineSilent(Exception):
    """The engine could not be asked, or its answer was lost: ask again later."""


class Stand(StrEnum):
    """Where the engine says a task is, whatever its own word is."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """A word that this driver does not know: of this task alone."""


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt as an engine gets it. `name` is unique for ever and says nothing secret: it is how the
    engine's own list finds the task again when the answer to a submission was lost. `script` is what to run
    in `folder`, whose first act is the claim. `account`: the engine's user ("" where it has none)."""

    name: str
    folder: Path
    script: Path
    order: Order
    account: str


@dataclass(frozen=True, slots=True)
class Sight:
    """One task as the engine's list or accounting shows it. `cause` of an ended one, where the engine knows
    better than an exit code: out-of-memory, time-limit, preempted, interrupted (a node failed), cancelled,
    refused (it can never run: an image that is not there). `id` is the engine's own."""

    name: str
    id: str
    stand: Stand
    raw: str
    reason: str = ""
    nodes: tuple[str, ...] = ()
    exit_code: int | None = None
    cause: str | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None
    expected_at: Instant | None = None
    """When the engine itself expects to start it."""
    cpu_seconds: float = 0.0
    peak_memory_mib: int = 0


@dataclass(frozen=True, slots=True)
class Submission:
    """What came of one task of a `submit`: an id, or why the engine will never take it."""

    id: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """A job that ran at this centre without Baygrid: metered, not charged. Counted once, when it ended."""

    id: str
    account: str
    partition: str
    start: Instant
    end: Instant
    nodes: int
    cpus: int
    memory_mib: int
    accelerators: Mapping[str, int]


class Engine(Protocol):
    """The engine's side of a driver."""

    def capabilities(self) -> frozenset[str]:
        """Of `ports.messages.CAPABILITIES`: what of this engine's kind and version is there."""
        ...

    def inventory(self) -> tuple[PartitionReport, ...]:
        """What could be had if nothing ran: without nodes that are down, drained or reserved for others."""
        ...

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, Submission]:
        """By name. Tasks alike may become one request. A name that is missing from the answer is not known to
        be there: it is looked for before it is submitted again. Raises EngineSilent."""
        ...

    def look(self) -> Mapping[str, Sight]:
        """One query: all of ours that the engine still lists, by name; finished ones need not be among
        them."""
        ...

    def account(self, names: Collection[str], since: Instant) -> Mapping[str, Sight]:
        """What the engine's accounting says of those (begun after `since`). Absent: it knows nothing of it,
        which is never taken for an end."""
        ...

    def signal(self, sights: Sequence[Sight], name: str) -> None:
        """TERM, USR1, ... to the tasks; KILL ends them and what waits is withdrawn. What is gone is fine."""
        ...

    def waits(self, shapes: Sequence[Order]) -> Sequence[int | None]:
        """How many seconds one more task of this shape would wait in its partition, None where the engine
        cannot say."""
        ...

    def outside(self, since: Instant, until: Instant) -> Sequence[Outside]:
        """Jobs of others that ended in [since, until)."""
        ...
