"""Until a job has ended: how it stands is told to whoever asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from baygrid.client.errors import NotYet
from baygrid.client.follow import follow
from baygrid.client.watch import Watch
from baygrid.client.wire import Array, Job

if TYPE_CHECKING:
    from baygrid.client.connection import Connection

ASK_EVERY: Final = 2.0
"""Seconds between two questions how an array stands."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands that is waited for. `done` of `total` and `rate_per_hour` are as it reports them
    (None: it does not); `share` from 0 to 1; `why` it waits; `lost`: the server does not answer now."""

    job: str
    stage: str
    done: float | None = None
    total: float | None = None
    share: float | None = None
    rate_per_hour: float | None = None
    why: str | None = None
    lost: bool = False


Told = Callable[[Standing], None]


class _Telling:
    """A display that tells one function what has changed, and gives up in time."""

    ticks = True

    def __init__(self, tell: Told, seconds: float | None) -> None:
        self._tell = tell
        self._told: Standing | None = None
        self._seconds = seconds
        self._until = None if seconds is None else time.monotonic() + seconds

    def stage(self, watch: Watch, stage: str, at: str) -> None:
        """Told at the next refresh, as all else."""

    def log(self, watch: Watch, data: bytes, lines: list[str]) -> None:
        """Of the log only reports of progress are told."""

    def waiting(self, watch: Watch) -> None:
        """Told at the next refresh."""

    def staging(self, watch: Watch) -> None:
        """Told at the next refresh."""

    def lost(self, watch: Watch) -> None:
        """Told at the next refresh."""

    def refresh(self, watch: Watch) -> None:
        now = standing(watch)
        if now != self._told:
            self._told = now
            self._tell(now)
        if self._seconds is not None and self._until is not None and time.monotonic() > self._until:
            raise NotYet(watch.job["id"], self._seconds)


def standing(watch: Watch) -> Standing:
    """What of a watched job is worth telling."""
    known, waits = watch.log.progress, watch.why_waiting
    return Standing(
        watch.job["id"],
        watch.stage,
        known.done if known else None,
        known.total if known else None,
        known.share if known else None,
        known.rate_per_hour if known else None,
        waits["text"] if waits and watch.stage in ("submitted", "held", "queued again") else None,
        watch.lost,
    )


def to_the_end(connection: Connection, job: Job, tell: Told, seconds: float | None) -> Watch:
    """Returns when the job is final. Raises NotYet after `seconds`; the job goes on."""
    watch = Watch(job)
    follow(connection, watch, _Telling(tell, seconds))
    return watch


def array_to_the_end(
    connection: Connection, id: str, tell: Callable[[Array], None], seconds: float | None = None
) -> Array:
    """Tells how an array stands, whenever that has changed, until its last element has ended."""
    until = None if seconds is None else time.monotonic() + seconds
    told: dict[str, int] | None = None
    while True:
        array = connection.array(id)
        if array["states"] != told:
            told = array["states"]
            tell(array)
        if not array["left"]:
            return array
        if seconds is not None and until is not None and time.monotonic() > until:
            raise NotYet(id, seconds)
        time.sleep(ASK_EVERY)
