"""The driving application: recorded drives in; labels, events, the own way, an index, a map and a report
out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from baygrid.workloads.application import ApplicationError, Outcome, Results, Shard
from baygrid.workloads.driving import rows
from baygrid.workloads.driving.evaluation import truth
from baygrid.workloads.driving.recording import drives
from baygrid.workloads.driving.recording.defaults import LIDAR_HEIGHT
from baygrid.workloads.driving.results import index, map, page, report, sorting, statistics
from baygrid.workloads.driving.results.ego import Travelled, Ways, trajectory
from baygrid.workloads.driving.results.statistics import Tally
from baygrid.workloads.driving.results.tables import Table, written
from baygrid.workloads.driving.results.words import words
from baygrid.workloads.driving.scenarios.detection import events as scenarios
from baygrid.workloads.driving.tracking.fusion import Views
from baygrid.workloads.driving.tracking.smoothing import follow
from baygrid.workloads.driving.values import Camera, Event, Tracked
from baygrid.workloads.driving.worker import Loading
from baygrid.workloads.stages import Stages
from baygrid.workloads.whole import write_text

LIKELY_SPEED: Final = 0.012
"""km a second: how much a window holds, before it is read."""
LABELS, EVENTS, EGO, STATISTICS = "labels.parquet", "events.parquet", "ego.parquet", "statistics.json"


@dataclass(frozen=True)
class Driving:
    """`input`: an MCAP file, a minute of comma2k19, or a folder of any of these. `detector`: an ONNX model
    for the pictures (None: the default one); `cameras`: whether pictures are looked at. `lidar_height`:
    metres above the road, of a lidar whose mount the recording does not tell. `report`: the date of a report,
    None for none."""

    input: str | None
    detector: Path | None = None
    cameras: bool = True
    lidar_height: float = LIDAR_HEIGHT
    report: str | None = None

    name = "driving"
    unit = "km"
    schema = rows.FRAMES

    def __post_init__(self) -> None:
        if self.input is None:
            raise ApplicationError("--input is needed: an MCAP file, or a folder of drives")
        if not 0 <= self.lidar_height < 10:
            raise ApplicationError(f"a lidar {self.lidar_height} m above the road")

    def shards(self) -> Iterator[Shard]:
        assert self.input is not None
        for number, windows in enumerate(drives.windows(self.input, self.lidar_height)):
            for part, window in enumerate(windows):
                yield Shard(f"{number:06d}-{part:06d}", window.to_json(), window.seconds * LIKELY_SPEED)

    def loading(self) -> Loading:
        return Loading(self.detector, self.cameras)

    def finish(self, results: Results, output: Path) -> Outcome:
        """Two ways through the rows: first the own way of each drive, then what was around it."""
        stages = Stages()
        paths = {name: output / name for name in (LABELS, EVENTS, EGO, STATISTICS, index.FILE, page.FILE)}
        with written(paths[EGO], rows.EGO) as table:
            ways = Ways(table)
            with stages("ego"):
                travelled = [ways.travel(drive, parts) for drive, parts in sorting.drives(results)]
        with ExitStack() as stack:
            labels = stack.enter_context(written(paths[LABELS], rows.LABELS))
            events = stack.enter_context(written(paths[EVENTS], rows.EVENTS))
            ego = pq.ParquetFile(paths[EGO])
            with stages("tracks"):
                tallies = [
                    self._around(drive, (done.rows for _, done in parts), ego, labels, events)
                    for drive, (_, parts) in zip(travelled, sorting.drives(results), strict=True)
                ]
        labelled = pq.ParquetFile(paths[LABELS])
        for tally in tallies:
            tally.score = truth.score(tally, labelled, labels.groups.get(tally.travelled.drive, ()), ego)
        figures = statistics.of_all(tallies, {**results.totals.seconds, **stages.seconds})
        write_text(paths[STATISTICS], json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
        index.write(paths[index.FILE], tallies, paths[EVENTS], paths[LABELS], paths[EGO])
        told = words()
        write_text(paths[page.FILE], page.page(figures, self._maps(tallies, paths[EGO]), told))
        outputs = {
            "labels": paths[LABELS], "events": paths[EVENTS], "ego": paths[EGO],
            "statistics": paths[STATISTICS], "index": paths[index.FILE], "map": paths[page.FILE],
        }  # fmt: skip
        if self.report is not None:
            maps = self._maps(tallies, paths[EGO])
            evidence = report.Evidence(self.report, figures, tallies, results.totals.failed, maps)
            outputs["report"] = output / report.FILE
            write_text(outputs["report"], report.report(evidence, told))
        return Outcome(outputs, statistics.quality(tallies))

    def _around(
        self,
        travelled: Travelled,
        parts: Iterator[pa.Table],
        ego: pq.ParquetFile,
        labels: Table,
        events: Table,
    ) -> Tally:
        """Tracks and scenarios of a drive, to the tables."""
        tally = Tally(travelled)
        if travelled.group is None:
            return tally
        way = trajectory(ego, travelled.group)
        views = Views([Camera(**camera) for camera in travelled.window.cameras])
        tracked = follow(sorting.frames(parts), way, views)

        def labelled(rows: Iterator[Tracked]) -> Iterator[Tracked]:
            for row in rows:
                labels.add(travelled.drive, tally.count(row))
                yield row

        found = [*scenarios(way, labelled(tracked)), *travelled.interventions]
        tally.alone = dict(sorted(views.alone.items()))
        tally.events = sorted(found, key=lambda event: (event.begin, event.kind))
        for event in tally.events:
            events.add(travelled.drive, event, **_where(travelled, event))
        return tally

    def _maps(self, tallies: list[Tally], ego: Path) -> Iterator[tuple[str, str | None]]:
        file = pq.ParquetFile(ego)
        told = words()
        for tally in tallies[: page.MOST]:
            group = tally.travelled.group
            drawn = None
            if group is not None:
                drawn = map.svg(tally.travelled.drive, trajectory(file, group), tally.events, told)
            yield tally.travelled.drive, drawn


def _where(travelled: Travelled, event: Event) -> dict[str, Any]:
    if travelled.plane is None:
        return {"latitude": None, "longitude": None}
    (latitude,), (longitude,) = travelled.plane.to_geodetic(
        np.array([event.x]), np.array([event.y]), np.zeros(1)
    )
    return {"latitude": float(latitude), "longitude": float(longitude)}
