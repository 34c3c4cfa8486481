"""What an agent needs: a centre (the driver's side) and a way to the server (the transport's side)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.messages import (
    Desired,
    Forecast,
    Inquiry,
    Order,
    Outside,
    PartitionReport,
    Report,
    ReportAnswer,
    Source,
    Stop,
)


@dataclass(frozen=True, slots=True)
class Observation:
    """What the centre knows of one attempt now. Final ones carry exit code, times, measured use and how long
    the log has become, in bytes. `nodes`: all that the centre's own scheduler chose, once it has;
    `expected_at`: when it thinks that it will start."""

    state: AttemptState
    raw: str = ""
    exit_code: int | None = None
    cause: str | None = None
    detail: str = ""
    started_at: Instant | None = None
    ended_at: Instant | None = None
    cpu_seconds: float = 0.0
    peak_memory_mib: int = 0
    log_size: int = 0
    outputs: dict[str, Path] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()
    expected_at: Instant | None = None


class Centre(Protocol):
    """A driver. Every call is one bounded step; none waits for a job.

    Exactly-once start rests on the claim that the started wrapper takes first, never on the agent's memory:
    `start` may be repeated for the same token and starts the command at most once.
    """

    def capabilities(self) -> frozenset[str]:
        """Of `ports.messages.CAPABILITIES`."""
        ...

    def inventory(self) -> tuple[PartitionReport, ...]: ...

    def prepare(self, order: Order, fetch: Fetch) -> None:
        """Fetches and unpacks workdir and inputs. Repeatable. Raises StagingFailed."""
        ...

    def entrust(self, order: Order, values: Mapping[str, str]) -> None:
        """Its secrets by name, after `prepare` and before `start`, where the order has some. Repeatable.
        None is left at the centre when the attempt has ended, and `read_log` shows none."""
        ...

    def start(self, order: Order, now: Instant) -> None: ...

    def stop(self, stop: Stop, now: Instant) -> None:
        """Signals, KILL after the grace; an attempt that never started can never start after this. With the
        reason `messages.WITHDRAWN` one that has started is left alone."""
        ...

    def observe(self, orders: Sequence[Order], now: Instant) -> dict[str, Observation]:
        """One query for all, by token. A token that the centre does not know is absent."""
        ...

    def read_log(self, order: Order, offset: int, limit: int) -> bytes: ...

    def wake_at(self, now: Instant) -> Instant | None:
        """When the driver itself must act next (a time limit, a kill after grace)."""
        ...

    def forget(self, order: Order) -> None:
        """The server has everything: the attempt's files may go."""
        ...


@runtime_checkable
class Estimating(Protocol):
    """A centre whose own scheduler can be asked how long something would wait (capability `estimate`)."""

    def ask_waits(self, asked: Sequence[Inquiry], now: Instant) -> None:
        """Rarely, from now on; not for long if nobody asks again."""
        ...

    def waits(self, now: Instant) -> tuple[Forecast, ...]:
        """What it said last, if that was just now: the same value until it says something else."""
        ...


@runtime_checkable
class Metered(Protocol):
    """A centre that can tell what ran there without Baygrid (capability `outside-usage`)."""

    def ask_outside(self, since: Instant, until: Instant) -> None:
        """For the jobs of others that ended in [since, until)."""
        ...

    def outside(self) -> Sequence[Outside] | None:
        """The answer, once; None: there is none yet."""
        ...


class Fetch(Protocol):
    """Bytes of a blob from the server."""

    def __call__(self, sha256: str, /) -> Iterator[bytes]: ...


@runtime_checkable
class Places(Protocol):
    """A `Fetch` that brings what a source names, too."""

    def place(self, source: Source, into: Path) -> None:
        """Makes and fills the folder `into`. Raises StagingFailed, OSError, or what ends the staging."""
        ...


class StagingFailed(Exception):
    """What could not be fetched or unpacked, in one sentence."""


class Transport(Protocol):
    """An agent's way to the server. Each call may raise Unreachable (try again) or Refused (do not)."""

    def report(self, report: Report) -> ReportAnswer: ...

    def desired(self, incarnation: int, after: int, wait_s: float) -> Desired:
        """Parked at the server until something newer than `after` exists or `wait_s` passed."""
        ...

    def append_log(self, attempt: str, token: str, offset: int, data: bytes) -> int:
        """Returns how many bytes the server now holds: more than sent is fine, less means send from there."""
        ...

    def secrets(self, attempt: str, token: str) -> Mapping[str, str]:
        """Of an attempt that is about to start: values by name."""
        ...

    def put_blob(self, sha256: str, path: Path) -> None: ...

    def fetch_blob(self, sha256: str) -> Iterator[bytes]: ...
