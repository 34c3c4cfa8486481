"""The live view of a job on a terminal: why there, how far, what it says, how fast, what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from baygrid.cli.explained import BRIEF, rows
from baygrid.cli.shapes import local, money, span, staged
from baygrid.client.watch import STAGES, TAIL, Watch
from baygrid.client.wire import seconds

if TYPE_CHECKING:
    from baygrid.client.wire import Explanation

_STYLE: Final = {
    "done": "green",
    "failed": "red",
    "cancelled": "yellow",
    "unknown": "yellow",
    "stopping": "yellow",
}
_VERDICT: Final = {"chosen": "green", "possible": "", "busy": "yellow", "no": "dim"}
MOST_CANDIDATES: Final = 10


class LiveDisplay:
    """Redraws one block in place; the log's last lines are in it, the whole log is `baygrid logs`."""

    ticks = True

    def __init__(self, watch: Watch, console: Console, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._live = Live(
            console=console, get_renderable=lambda: view(watch, clock(), console.height), refresh_per_second=4
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def stage(self, watch: Watch, stage: str, at: str) -> None:
        """Seen at the next refresh."""

    def log(self, watch: Watch, data: bytes, lines: list[str]) -> None:
        """Seen at the next refresh."""

    def waiting(self, watch: Watch) -> None:
        """Seen at the next refresh."""

    def staging(self, watch: Watch) -> None:
        """Seen at the next refresh."""

    def lost(self, watch: Watch) -> None:
        """Seen at the next refresh."""

    def refresh(self, watch: Watch) -> None:
        """Live refreshes by itself."""


def view(watch: Watch, now: float, height: int = 40) -> RenderableType:
    """All of it, for one moment. On a low terminal there are fewer candidates and fewer lines of the log, so
    that how far it is and what it costs stay in sight."""
    job = watch.job
    head = Text.assemble((job["name"], "bold"), f"  {job['id']}  project {job['project']}")
    parts: list[RenderableType] = [head]
    why = watch.why
    if why is not None:
        parts += [Text(why["text"]), candidates(why, max(1, min(MOST_CANDIDATES, height // 5)))]
    parts += [stages(watch, now)]
    if watch.tail:
        room = max(1, min(TAIL, height - 18))
        parts += [Text("")] + [
            Text(_printable(line), style="dim", no_wrap=True, overflow="ellipsis")
            for line in list(watch.tail)[-room:]
        ]
    speed = throughput(watch)
    if speed is not None:
        parts += [Text(""), speed]
    parts += [Text(f"cost {watch.cost(now)}   held {money(watch.held)}")]
    if watch.lost:
        parts += [Text("the server does not answer; trying again (the job goes on)", "yellow")]
    return Group(*parts)


def candidates(explanation: Explanation, most: int) -> Table:
    """The table behind the sentence; the first ones, `baygrid explain` has all."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in BRIEF:
        wide = column == "reason"
        table.add_column(
            column, overflow="fold" if wide else "ellipsis", ratio=1 if wide else None, no_wrap=not wide
        )
    all_rows = rows(explanation, BRIEF)
    for row in all_rows[:most]:
        table.add_row(*(Text(_printable(cell)) for cell in row), style=_VERDICT.get(row[3], ""))
    if len(all_rows) > most:
        table.add_row(f"and {len(all_rows) - most} more")
    return table


def stages(watch: Watch, now: float) -> Table:
    """Each stage with its time and how long it took; those to come are dim."""
    table = Table(box=None, pad_edge=False, show_header=False)
    reached = list(watch.stages.items())
    over = any(stage in watch.stages for stage in ("failed", "cancelled", "done"))
    for number, (stage, at) in enumerate(reached):
        last = number == len(reached) - 1
        until = now if last else seconds(reached[number + 1][1])
        lasted = "" if last and over else span(until - seconds(at))
        mark = "●" if last and not over else "✓" if stage not in ("failed", "cancelled") else "✗"
        style = _STYLE.get(stage, "bold" if last else "")
        coming = staged(watch.last_attempt) if last else ""
        table.add_row(Text(mark, style), Text(stage, style), local(at), f"{lasted}  {coming}".rstrip())
    if not over:
        for stage in STAGES[1:]:
            if stage not in watch.stages:
                table.add_row("", Text(stage, "dim"), "", "")
    return table


def throughput(watch: Watch) -> RenderableType | None:
    """How far and how fast, as the job itself reports it."""
    progress = watch.log.progress
    if progress is None:
        return None
    table = Table.grid(padding=(0, 1))
    bar = (
        ProgressBar(total=1.0, completed=progress.share, width=30) if progress.share is not None else Text("")
    )
    table.add_row(bar, Text(progress_text(watch)))
    return table


def progress_text(watch: Watch) -> str:
    """The same in words."""
    progress = watch.log.progress
    if progress is None:
        return ""
    parts = []
    if progress.done is not None:
        of = f" of {progress.total:,.0f}" if progress.total else ""
        parts.append(f"{progress.done:,.0f}{of}")
    if progress.share is not None:
        parts.append(f"{progress.share:.0%}")
    if progress.rate_per_hour is not None:
        parts.append(f"{progress.rate_per_hour:,.0f} an hour")
    return "  ".join(parts)


def _printable(text: str) -> str:
    """A job's log cannot move the cursor or colour what is not its own."""
    return "".join(c if c.isprintable() else " " for c in text.replace("\t", "    "))
