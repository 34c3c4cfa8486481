"""The own way of each drive, from all its readings, and how it compares with a reference in the recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from baygrid.workloads.driving.ego.motion import Motion, motion
from baygrid.workloads.driving.ego.readings import TICK, Gathering
from baygrid.workloads.driving.extraction import gather, values_of
from baygrid.workloads.driving.geometry.geodesy import Plane
from baygrid.workloads.driving.recording.window import Window
from baygrid.workloads.driving.results.sorting import Part
from baygrid.workloads.driving.results.tables import Table
from baygrid.workloads.driving.rows import BLIND, MANUAL, PICTURE, PLACE, SWEEP
from baygrid.workloads.driving.values import Event, Floats, Trajectory

INTERVENTION: Final = "intervention"
COLUMNS: Final = tuple(Trajectory.__dataclass_fields__)


@dataclass
class Travelled:
    """What is known of a drive after its readings were gone through. `paths` are its files (of comma2k19 its
    folder), in order. `row_kinds`: what its rows are, see rows.FRAMES. `group` is its row group in
    ego.parquet, None where there is no way; lengths in km, times in seconds. `blind` is why nothing was seen
    in its pictures."""

    drive: str
    window: Window
    paths: list[str] = field(default_factory=list)
    seconds: float = 0.0
    km: float = 0.0
    sweeps: int = 0
    pictures: int = 0
    blind: str = ""
    row_kinds: frozenset[str] = frozenset()
    group: int | None = None
    plane: Plane | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    interventions: list[Event] = field(default_factory=list)
    engaged_km: float | None = None


class Ways:
    """Writes ego.parquet, a row group for each drive that has a way."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._groups = 0

    def travel(self, drive: str, parts: Iterator[Part]) -> Travelled:
        gathering, places, drivers = Gathering(), [], []
        found: Travelled | None = None
        begin, end = np.inf, -np.inf
        for window, done in parts:
            found = found or Travelled(drive, window)
            found.window = found.window if found.window.cameras else window
            if window.path not in found.paths[-1:]:
                found.paths.append(window.path)
            gather(gathering, done.rows)
            places.append(values_of(done.rows, PLACE).reshape(-1, 4))
            drivers.append(values_of(done.rows, MANUAL).reshape(-1, 2))
            what = done.rows["what"].to_pylist()
            found.sweeps += what.count(SWEEP)
            found.pictures += what.count(PICTURE)
            found.blind = found.blind or str(done.facts.get(BLIND, ""))
            found.row_kinds |= {*what}
            if done.rows.num_rows:
                begin, end = min(begin, done.rows["t"][0].as_py()), max(end, done.rows["t"][-1].as_py())
        assert found is not None
        found.seconds = max(0.0, end - begin)
        readings = gathering.readings()
        way = motion(readings)
        if way is not None:
            found.seconds = len(way.trajectory) * TICK
            self._keep(found, way)
            _compare(found, way, np.concatenate(places))
            _who_drove(found, way, np.concatenate(drivers))
        return found

    def _keep(self, found: Travelled, way: Motion) -> None:
        columns = {name: getattr(way.trajectory, name) for name in COLUMNS}
        nothing = [None] * len(way.trajectory)
        latitude, longitude = (
            way.plane.to_geodetic(way.trajectory.x, way.trajectory.y, way.trajectory.z)
            if way.plane is not None
            else (nothing, nothing)
        )
        self._table.whole(found.drive, {**columns, "latitude": latitude, "longitude": longitude})
        found.group, self._groups = self._groups, self._groups + 1
        found.km, found.plane = way.length / 1000, way.plane
        found.figures.update(
            fixes=way.fixes,
            fixes_refused=way.refused,
            longest_time_without_fix_s=round(way.longest_gap, 2),
            position_sd_mean_m=round(float(way.trajectory.sd.mean()), 3),
            position_sd_max_m=round(float(way.trajectory.sd.max()), 3),
        )


def _compare(found: Travelled, way: Motion, places: Floats) -> None:
    """Position against the recording's own reference, as it is, and with the mean difference taken away."""
    if not len(places) or way.plane is None:
        return
    t = places[:, 0]
    inside = (t >= way.trajectory.t[0]) & (t <= way.trajectory.t[-1])
    if inside.sum() < 2:
        return
    t, true = t[inside], way.plane.of_earth_centred(places[inside, 1:])
    off = (
        np.column_stack([np.interp(t, way.trajectory.t, v) for v in (way.trajectory.x, way.trajectory.y)])
        - true[:, :2]
    )
    length = float(np.linalg.norm(np.diff(true, axis=0), axis=1).sum())
    speed = np.interp(t, way.trajectory.t, np.abs(way.trajectory.speed))
    own = float(np.sum((speed[1:] + speed[:-1]) / 2 * np.diff(t)))
    found.figures["reference"] = {
        "position_rms_m": round(float(np.sqrt(np.mean(np.sum(off**2, axis=1)))), 3),
        "position_rms_without_mean_m": round(
            float(np.sqrt(np.mean(np.sum((off - off.mean(axis=0)) ** 2, axis=1)))), 3
        ),
        "position_max_m": round(float(np.hypot(*off.T).max()), 3),
        "distance_m": round(own, 1),
        "reference_distance_m": round(length, 1),
        "distance_error": round(abs(own / length - 1), 6) if length > 0 else None,
    }


def _who_drove(found: Travelled, way: Motion, drivers: Floats) -> None:
    """Interventions: a person takes over from the system. Nothing is told where the system never drove."""
    if not len(drivers) or not (drivers[:, 1] == 0).any():
        return
    drivers = drivers[np.argsort(drivers[:, 0], kind="stable")]
    t, manual = drivers[:, 0], drivers[:, 1] > 0
    trajectory = way.trajectory
    at = np.clip(np.searchsorted(t, trajectory.t, side="right") - 1, 0, len(t) - 1)
    found.engaged_km = float(np.sum(np.abs(trajectory.speed[~manual[at]])) * TICK) / 1000
    taken = np.flatnonzero(manual[1:] & ~manual[:-1]) + 1
    for k in taken:
        back = np.flatnonzero(~manual[k:])
        end = float(t[k + back[0]] if len(back) else t[-1])
        pose = trajectory.at(float(t[k]))
        found.interventions.append(
            Event(INTERVENTION, float(t[k]), end, None, end - float(t[k]), pose.x, pose.y)
        )


def trajectory(file: pq.ParquetFile, group: int) -> Trajectory:
    """The way of a drive out of ego.parquet."""
    table: pa.Table = file.read_row_group(group, columns=list(COLUMNS))
    return Trajectory(*(table[name].to_numpy().astype(np.float64) for name in COLUMNS))
