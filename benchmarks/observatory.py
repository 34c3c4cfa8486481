"""A registry of 100,000 companies over ten years: every year's counts by zone, layer and field, who came and
went, and what was reported, from files to numbers; beside it the same by pandas. Both must say the same.

And what a person waits for: all figures of one zone on one day, with shares and suppression."""

from __future__ import annotations

import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from baygrid.core.indicators.figure import Period
from baygrid.observatory import indicators, sample, tables
from baygrid.observatory.frames import opened
from baygrid.observatory.invented import HERE, REST, Targets
from benchmarks.peers.observatory_pandas import Notebook

COMPANIES, ROUNDS = 100_000, 3
YEARS = range(2014, 2024)
KNOWN = date(2024, 4, 1)


def measure() -> dict[str, Any]:
    """Seconds, best of some rounds."""
    with tempfile.TemporaryDirectory(prefix="baygrid-bench-") as name:
        folder = Path(name) / "registry"
        sample.write(folder, _targets())
        ours, pandas = _best(_ours, folder), _best(_pandas, folder)
        if ours[1] != pandas[1]:
            raise RuntimeError("DuckDB and pandas count differently")
        asked = _best(_asked, folder)
        rows = {
            table: sum(1 for _ in (folder / f"{table}.csv").open()) - 1
            for table in ("bodies", "addresses", "labels", "returns")
        }
    return {
        **rows,
        "ten_years_s": round(ours[0], 2),
        "pandas_ten_years_s": round(pandas[0], 2),
        "times_pandas": round(pandas[0] / ours[0], 2),
        "all_figures_of_a_day_s": round(asked[0], 2),
    }


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


def _best(way: Any, folder: Path) -> tuple[float, Any]:
    best, answer = float("inf"), None
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = way(folder)
        best = min(best, time.perf_counter() - began)
    return best, answer


def _ours(folder: Path) -> list[Any]:
    found = []
    with opened(tables.read(folder)) as frames:
        for year in YEARS:
            first, day = date(year - 1, 12, 31), date(year, 12, 31)
            reported = {
                zone: (sum(row.companies for row in rows), int(100 * sum(row.revenue for row in rows)))
                for zone, rows in frames.reported(Period.year(year), day, KNOWN).items()
                if rows
            }
            found.append((frames.counts(day), frames.fields(day), frames.flows(first, day), reported))
    return found


def _pandas(folder: Path) -> list[Any]:
    book = Notebook(folder)
    found = []
    was = book.standing(date(YEARS[0] - 1, 12, 31))
    for year in YEARS:
        first, day = date(year - 1, 12, 31), date(year, 12, 31)
        now = book.standing(day)
        flows = book.flows(was, now, first, day)
        found.append((book.counts(now), book.fields(now, day), flows, book.reported(now, str(year), KNOWN)))
        was = now
    return found


def _asked(folder: Path) -> int:
    found = indicators.figures(tables.read(folder), HERE, date(2023, 12, 31), KNOWN)
    return len(found)
