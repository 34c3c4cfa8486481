"""What became of a seed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, and the last events of what it happened to. The same seed fails in the same way, with
    the same hash of all that happened."""

    seed: int
    invariant: str
    detail: str
    subject: str
    sha256: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`sha256`: of all that happened."""

    seed: int
    sha256: str
    jobs: int
    steps: int
    simulated_ms: int
    failure: Failure | None
