"""A registry of 100,000 companies over ten years: every year's counts by zone, layer and field, who came and
went, and what was reported, from files to numbers; beside it the same by pandas. Both must say the same.

And what a person waits for: all figures of one zone on one day, with shares and suppression."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from baygrid.core.indicators.figure import Period
from baygrid.observatory import indicators, sample, tables
from baygrid.observatory.frames import Frames, opened
from baygrid.observatory.invented import HERE, REST, Targets
from benchmarks.peers.observatory_pandas import Notebook

COMPANIES, ROUNDS = 100_000, 3
YEARS = range(2014, 2024)
KNOWN = date(2024, 4, 1)


def measure() -> dict[str, Any]:
    """Seconds of the process's own processor time, so that neighbours count little: best of some rounds, ours
    and pandas' in turn. `read` is from files to what can be asked, `count` the ten years."""
    with tempfile.TemporaryDirectory(prefix="baygrid-bench-") as name:
        folder = Path(name) / "registry"
        sample.write(folder, _targets())
        ours, pandas, asked = Clock(), Clock(), Clock()
        for _ in range(ROUNDS):
            if _ours(folder, ours) != _pandas(folder, pandas):
                raise RuntimeError("DuckDB and pandas count differently")
        with asked.of("day"):
            indicators.figures(tables.read(folder), HERE, date(2023, 12, 31), KNOWN)
        rows = {
            table: sum(1 for _ in (folder / f"{table}.csv").open()) - 1
            for table in ("bodies", "addresses", "labels", "returns")
        }
    return {
        **rows,
        **{f"{way}_cpu_s": round(ours.best[way], 2) for way in ("read", "count")},
        **{f"pandas_{way}_cpu_s": round(pandas.best[way], 2) for way in ("read", "count")},
        "count_times_pandas": round(pandas.best["count"] / ours.best["count"], 2),
        "ten_years_times_pandas": round(sum(pandas.best.values()) / sum(ours.best.values()), 2),
        "all_figures_of_a_day_cpu_s": round(asked.best["day"], 2),
    }


class Clock:
    """The least processor time, of all threads, that each way took."""

    def __init__(self) -> None:
        self.best: dict[str, float] = {}

    @contextmanager
    def of(self, way: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.best[way] = min(time.process_time() - began, self.best.get(way, float("inf")))


def _targets() -> Targets:
    """Growing to 100,000; a tenth in the zone."""
    found = {}
    for number, year in enumerate(YEARS):
        whole = COMPANIES * (number + 4) // (len(YEARS) + 3)
        here = whole // 10
        found[year] = {place: _layers(count) for place, count in ((HERE, here), (REST, whole - here))}
    return found


def _layers(count: int) -> tuple[int, int, int]:
    base, technology = count * 8 // 100, count * 17 // 100
    return base, technology, count - base - technology


def _ours(folder: Path, clock: Clock) -> list[Any]:
    with ExitStack() as until:
        with clock.of("read"):
            frames = until.enter_context(opened(tables.read(folder)))
        with clock.of("count"):
            return [_year(frames, year) for year in YEARS]


def _year(frames: Frames, year: int) -> tuple[Any, ...]:
    first, day = date(year - 1, 12, 31), date(year, 12, 31)
    reported = {
        zone: (sum(row.companies for row in rows), int(100 * sum(row.revenue for row in rows)))
        for zone, rows in frames.reported(Period.year(year), day, KNOWN).items()
        if rows
    }
    return frames.counts(day), frames.fields(day), frames.flows(first, day), reported


def _pandas(folder: Path, clock: Clock) -> list[Any]:
    with clock.of("read"):
        book = Notebook(folder)
    found = []
    with clock.of("count"):
        was = book.standing(date(YEARS[0] - 1, 12, 31))
        for year in YEARS:
            first, day = date(year - 1, 12, 31), date(year, 12, 31)
            now = book.standing(day)
            flows = book.flows(was, now, first, day)
            reported = book.reported(now, str(year), KNOWN)
            found.append((book.counts(now), book.fields(now, day), flows, reported))
            was = now
    return found
