"""Carbon intensity of electricity grids over time, from parquet files (needs the extra `replay`).

Columns as in the series of OpenDC: `timestamp` (UTC) and `carbon_intensity` (gCO2/kWh), one file a grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from baygrid.replay.outcome import BadTrace

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

COLUMNS: Final = ("timestamp", "carbon_intensity")
WATTS: Final = 10.0
"""Of one busy processor. What it really is makes no difference to what share of carbon is saved."""
JOULES_A_KWH: Final = 3.6e6


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One grid. `at`: seconds since 1970, ascending; `intensity`: gCO2/kWh from then to the next. Before the
    first and after the last time the nearest value holds. `grams` sums over time."""

    path: Path
    at: Ints
    intensity: Floats

    def starting(self, begin: int, span: int) -> Series:
        """The series with its zero at `begin` (seconds since 1970), or at the same day and hour of the first
        of its own years that has `span` seconds from there on. Raises `BadTrace` where none has."""
        years = np.arange("1970", "2100", dtype="datetime64[Y]")
        day = np.datetime64(begin, "s") - np.datetime64(begin, "s").astype("datetime64[Y]")
        candidates = [begin, *(years + day).astype("datetime64[s]").astype(np.int64).tolist()]
        for zero in candidates:
            if self.at[0] <= zero and zero + span <= self.at[-1] + self._step:
                return Series(self.path, self.at - zero, self.intensity)
        days = span / 86_400
        told = f"{self.path}: in no year does it cover the {days:.1f} days of the log from the same date on"
        raise BadTrace(f"{told}: name a longer series")

    @property
    def _step(self) -> int:
        return int(self.at[-1] - self.at[-2])

    def index(self, now: float) -> int:
        """Of the value that holds at `now`."""
        return max(0, int(np.searchsorted(self.at, now, side="right")) - 1)

    def grams(self, start: Ints, end: Ints, width: Ints) -> Floats:
        """gCO2 of jobs of `width` processors from `start` to `end`, all of one shape."""
        edges = np.append(self.at, self.at[-1] + 10**9)
        total = np.append(0.0, np.cumsum(self.intensity * np.diff(edges)))
        both = np.interp(end, edges, total) - np.interp(start, edges, total)
        before = np.minimum(end, edges[0]) - np.minimum(start, edges[0])  # interp answers a constant there
        grams: Floats = (both + before * self.intensity[0]) * width * WATTS / JOULES_A_KWH
        return grams


class Grids:
    """Which grid feeds which site: the sites by capacity (ties: as in the log), dealt out in turn."""

    def __init__(self, series: Sequence[Series], capacity: Ints) -> None:
        self._series = series
        self._of = np.empty(len(capacity), dtype=np.int64)
        self._of[np.argsort(-capacity, kind="stable")] = np.arange(len(capacity)) % len(series)
        self._seen: list[int] = []
        self._now = np.empty(0)

    def intensity(self, now: float) -> Floats:
        """What each site's electricity causes now, gCO2/kWh."""
        seen = [each.index(now) for each in self._series]
        if seen != self._seen:
            here = zip(self._series, seen, strict=True)
            self._seen = seen
            self._now = np.array([each.intensity[at] for each, at in here])[self._of]
        return self._now

    def kilograms(self, site: Ints, start: Ints, end: Ints, width: Ints) -> float:
        """CO2 of jobs of `width` processors at sites (by index) from `start` to `end`, all of one shape."""
        grid = self._of[site]
        total = 0.0
        for number, each in enumerate(self._series):
            here = grid == number
            total += float(each.grams(start[here], end[here], width[here]).sum())
        return total / 1000


def read(paths: Sequence[Path]) -> list[Series]:
    """Every file, and of a folder every `carbon_*.parquet` in order of name. Raises `BadTrace`;
    ModuleNotFoundError where there is no pyarrow."""
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob("carbon_*.parquet")) if path.is_dir() else [path]
        if not found:
            raise BadTrace(f"{path}: no carbon_*.parquet in this folder: name the files with --carbon FILE")
        files += found
    return [_read(path) for path in files]


def _read(path: Path) -> Series:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table

    try:
        table = read_table(path)
    except (ArrowException, OSError) as error:
        raise BadTrace(f"{path}: {error}: expected parquet") from error
    if not set(COLUMNS) <= set(table.column_names):
        raise BadTrace(f"{path}: expected the columns {' and '.join(COLUMNS)}")
    at, intensity = (table.column(name).to_numpy() for name in COLUMNS)
    try:
        seconds = at.astype("datetime64[s]").astype(np.int64)
        values = intensity.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise BadTrace(f"{path}: expected times and numbers: {error}") from error
    if len(seconds) < 2 or (np.diff(seconds) <= 0).any() or not (values >= 0).all():
        raise BadTrace(f"{path}: expected at least two rows, times that ascend, and no intensity below zero")
    return Series(path, seconds, values)
