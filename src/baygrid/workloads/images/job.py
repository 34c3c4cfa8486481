"""What a run is asked for and what it reports: plain values, no third-party package."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

CENTRE_IMAGES_PER_HOUR = 1_600_000_000
"""Images an hour of the 500 PFLOP/s centre: its operator's plan for its completion, not a measurement."""

CENTRE_STATUS = "planned, on completion"


class ImagesError(Exception):
    """The run cannot start, in words for whoever asked for it."""


def allotted_cpus() -> int:
    """CPUs this process may use (a container's or scheduler's share, not what the machine has)."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class ImagesJob:
    """`count` pictures (None: each one once) from `folder` (None: the photographs of scikit-image), in turn
    until there are enough. Each of `workers` threads decodes and infers. Results go into the folder `out`."""

    out: Path
    count: int | None = None
    folder: Path | None = None
    workers: int = field(default_factory=allotted_cpus)

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise ImagesError(f"count is {self.count}; at least 1 picture is needed")
        if self.workers < 1:
            raise ImagesError(f"workers is {self.workers}; at least 1 is needed")


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` pictures went through; `rate_per_hour` counts those classified since the start."""

    done: int
    total: int
    rate_per_hour: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one run did. `seconds` is wall-clock time from the first picture read to the last label written;
    reading the model is not in it. `decode_share` is the part of the workers' time (0 to 1) that went into
    reading and decoding pictures."""

    pictures: str
    distinct: int
    count: int
    failed: int
    seconds: float
    workers: int
    batch: int
    provider: str
    decode_share: float

    @property
    def classified(self) -> int:
        """Pictures with a label."""
        return self.count - self.failed

    @property
    def rate_per_hour(self) -> float:
        """Images classified an hour."""
        return self.classified / self.seconds * 3600

    @property
    def share_of_centre(self) -> float:
        """This run's rate as a part of the centre's planned rate (1.0 would be all of it)."""
        return self.rate_per_hour / CENTRE_IMAGES_PER_HOUR
