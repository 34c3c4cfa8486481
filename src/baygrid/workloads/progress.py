"""How far a run is: a bar for a person at a terminal, lines of JSON once a second for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol, TextIO

from baygrid.workloads.running import Progress


class Showing(Protocol):
    def __call__(self, progress: Progress) -> None: ...

    def close(self) -> None: ...


def showing(out: TextIO, unit: str, clock: Callable[[], float]) -> Showing:
    return OnABar(out, unit) if out.isatty() else OnceASecond(out, clock)


class OnABar:
    """Done, rate and the time that is left."""

    def __init__(self, out: TextIO, unit: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=Console(file=out),
        )
        self._task = self._bar.add_task(f"no {words(unit)} yet", total=None)
        self._unit = unit
        self._bar.start()

    def __call__(self, progress: Progress) -> None:
        rate = "" if progress.rate is None else f", {figure(progress.rate)} an hour"
        said = f"{figure(progress.done)} of {figure(progress.total)} {words(self._unit)}{rate}"
        self._bar.update(self._task, completed=progress.done, total=progress.total, description=said)

    def close(self) -> None:
        self._bar.stop()


class OnceASecond:
    """The first report, and then no more than one a second, as what reads a job's log understands it."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._next = float("-inf")

    def __call__(self, progress: Progress) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + 1
        rate = None if progress.rate is None else round(progress.rate, 1)
        told = {"done": round(progress.done, 4), "total": round(progress.total, 4), "rate_per_hour": rate}
        self._out.write(f"BAYGRID_PROGRESS {json.dumps(told)}\n")
        self._out.flush()

    def close(self) -> None: ...


def figure(amount: float) -> str:
    """Whole from a thousand on, and where it is whole; else three digits that count."""
    return f"{amount:,.0f}" if amount >= 1000 or amount == int(amount) else f"{amount:.3g}"


def words(unit: str) -> str:
    """A unit for people: "hours of audio"."""
    return "hours of audio" if unit == "audio_hours" else unit
