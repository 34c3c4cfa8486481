"""What Baygrid asks of an engine that schedules by itself: Slurm, Kubernetes, Ray.

One `QueuedCentre` (`centres/queued/`) turns any engine into a `ports.centre.Centre`. An engine is thin: pure
builders of commands or requests, pure parsers of what comes back, and this class that runs one with the
other. Engine and agent share a file system: each attempt has a folder there with its script, its claim, its
log and its exit line, so an engine is never asked for a log, and never trusted alone about an exit code.

Every call may take seconds and is made in a thread of the centre, one at a time. `EngineSilent` means that
nothing is known: not that it failed, not that it worked. A call that cannot end (a command that hangs) is
given up by the engine itself, as silence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from baygrid.ports.basics import Instant
from baygrid.ports.messages import Order, PartitionReport
from baygrid.ports.messages import Outside as Outside

NAME: Final = "bg-"
"""How the names of all our tasks begin at an engine."""

DUPLICATE: Final = 73
"""The exit code of a task's script that found its attempt claimed: another task of that name runs it."""

NO_FOLDER: Final = 74
"""Its exit code where the node cannot enter the attempt's folder."""


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
class Launch:
    """What of a task's script differs between engines: texts for a POSIX shell, evaluated in the task.

    `id`: a word that gives what `Sight.id` will be; "" where names are unique. `head`: a word that gives the
    first node's address, `rank` one that gives a rank's number. `each`: a command that runs
    `sh "$_bg_script" rank` once on each of "$_bg_ranks" nodes with the environment as it is, ends all when
    one fails and returns when all have ended; only gangs use it. `keep`: patterns of the engine's variables
    that a job may see; all others are unset. `forward`: `Engine.signal` reaches the script's own process
    only, which then tells its process group (all but INT, which a shell keeps from what runs beside it);
    `forward_ranks`: the same of what `each` starts on each node.
    """

    id: str = ""
    head: str = "127.0.0.1"
    rank: str = "0"
    each: str = ""
    keep: tuple[str, ...] = ("CUDA_VISIBLE_DEVICES",)
    forward: bool = False
    forward_ranks: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt as an engine gets it. `name` is unique for ever and says nothing secret: it is how the
    engine's own list finds the task again when the answer to a submission was lost. `script` is for /bin/sh,
    takes no argument, needs no working directory, and opens the attempt's log itself: what the engine keeps
    of standard output goes elsewhere. `order.count` nodes; `order.nodes` is empty. `limit_s`: the engine's
    own time limit, above the centre's. `account`: the engine's user ("" where it has none)."""

    name: str
    folder: Path
    script: Path
    order: Order
    limit_s: int
    account: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """One task as the engine's list or accounting shows it, under its `name`: two may have one, when a submit
    was repeated whose answer had been lost. `cause` of an ended one, where the engine knows better than an
    exit code: out-of-memory, time-limit, preempted, interrupted (a node failed), cancelled, unlaunched
    (cancelled where it already had a node: by that node, if its command never began), refused (it can never
    run: an image that is not there). `id` is the engine's own."""

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
class Entrance:
    """A command of the agent's machine, with its environment: the words that follow it are run once on the
    node of a rank of a running task, as part of that task. Standard input, output and errors pass through as
    they are, a terminal with its size, and so does the exit code; TERM ends it there, too, and it does not
    outlive the task. What `environ` has may be seen by what it runs."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]


@runtime_checkable
class Entered(Protocol):
    """An engine whose tasks can be entered: it has the capability "exec"."""

    def entrance(self, id: str, rank: int, terminal: bool) -> Entrance:
        """`id`: of a `Sight`. From any thread. Raises LookupError where it does not run, with the reason, and
        EngineSilent."""
        ...


class Engine(Protocol):
    """The engine's side of a driver."""

    @property
    def launch(self) -> Launch: ...

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

    def look(self) -> Sequence[Sight]:
        """One query: all of ours that the engine still lists. Of ended ones only those of which it can say
        all that it will ever say (times, cause, use): the others are left out, and `account` is asked."""
        ...

    def account(self, names: Collection[str], since: Instant) -> Sequence[Sight]:
        """What the engine's accounting says of those (submitted after `since`); it may lag. Absent: it knows
        nothing of it, which is never taken for an end."""
        ...

    def signal(self, sights: Sequence[Sight], name: str) -> None:
        """TERM, USR1, ... to every process of the tasks (see `Launch.forward`); KILL ends them, and withdraws
        what waits. What is gone is fine."""
        ...

    def forget(self, sights: Sequence[Sight]) -> None:
        """These have ended and all of it is stored elsewhere: what the engine keeps of them may go, so that
        its list does not grow for ever."""
        ...

    def waits(self, shapes: Sequence[Order]) -> Sequence[int | None]:
        """How many seconds one more task of this shape would wait in its partition, None where the engine
        cannot say."""
        ...

    def outside(self, since: Instant, until: Instant) -> Sequence[Outside]:
        """Jobs of others that ended in [since, until)."""
        ...
