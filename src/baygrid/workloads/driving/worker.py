"""What a worker makes of a window of a drive: a row for each frame, for each thing in it, for each
reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from baygrid.workloads.application import Done, Failed, Shard
from baygrid.workloads.driving import rows
from baygrid.workloads.driving.ego.motion import motion
from baygrid.workloads.driving.ego.readings import Gathering
from baygrid.workloads.driving.extraction import gather
from baygrid.workloads.driving.recording import drives
from baygrid.workloads.driving.recording.complaints import Complaints
from baygrid.workloads.driving.recording.ros import Reading
from baygrid.workloads.driving.recording.window import Window
from baygrid.workloads.driving.rows import (
    BLIND,
    BOX,
    FIX,
    IMU,
    MANUAL,
    PICTURE,
    PLACE,
    SEEN,
    SWEEP,
    WHEEL,
)
from baygrid.workloads.driving.sensors import Perception, load
from baygrid.workloads.driving.values import Driver, Fix, Imu, Picture, Place, Sweep, Wheel
from baygrid.workloads.stages import Stages

ROUNDED: Final = 6
"""Digits after the point of what is found: a micrometre, so that the last bits of a sum are nobody's
worry."""


class DrivingWorker:
    """Pure: the same shard gives the same rows. Holds one frame decoded at a time."""

    def __init__(self, perception: Perception) -> None:
        self._perception = perception

    def __call__(self, shard: Shard) -> Done:
        window = Window.from_json(shard.work)
        stages = Stages()
        failed = [Failed(*note) for note in window.notes]
        made = _Made(window, self._perception, stages)
        reader = drives.reader(window, stages)
        try:
            for reading in reader:
                made.add(reading)
        except OSError as error:
            made.complaints("", 0.0, f"cannot be read: {error.strerror or error}")
        with stages("motion"):
            km = made.kilometres()
        with stages("write"):
            table = made.table()
        facts = {BLIND: self._perception.blind} if self._perception.blind else {}
        return Done(table, km, (*failed, *reader.failed, *made.complaints.failed), stages.seconds, facts)


@dataclass(frozen=True)
class Loading:
    """What a worker needs to know to load what it sees with. `version` goes up with every change of the rows,
    so that a run which was interrupted does not go on with those of another version. It is here and not with
    the application because a process that works need not load what draws maps and asks an index."""

    detector: Path | None
    cameras: bool
    version: int = 4

    def __call__(self) -> DrivingWorker:
        return DrivingWorker(load(self.detector, self.cameras))


@dataclass
class _Made:
    """The rows of a window so far."""

    window: Window
    perception: Perception
    stages: Stages
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    complaints: Complaints = field(init=False)

    def __post_init__(self) -> None:
        self.complaints = Complaints(self.window.drive)

    def add(self, reading: Reading) -> None:
        match reading:
            case Sweep():
                self._sweep(reading)
            case Picture():
                self._picture(reading)
            case Imu(t, rate, force):
                self._row(t, IMU, values=(*rate, *force))
            case Wheel(t, speed):
                self._row(t, WHEEL, values=(speed,))
            case Fix(t, geodetic, a, b, c, sd):
                self._row(t, FIX, values=(float(geodetic), a, b, c, sd))
            case Driver(t, manual):
                self._row(t, MANUAL, values=(float(manual),))
            case Place(t, x, y, z):
                self._row(t, PLACE, values=(x, y, z))

    def kilometres(self) -> float:
        """How far the vehicle came in this window, by the readings in it alone."""
        gathering = Gathering()
        gather(gathering, self.table())
        found = motion(gathering.readings())
        # The tick at a window's end is the first one of the next window too, so that lengths meet.
        return 0.0 if found is None else found.length / 1000

    def table(self) -> pa.Table:
        """In order of time."""
        self.rows.sort(key=lambda row: row[0])
        names = rows.FRAMES.names[1:]
        columns: dict[str, Any] = {name: [row[i] for row in self.rows] for i, name in enumerate(names)}
        return pa.table({"drive": [self.window.drive] * len(self.rows), **columns}, schema=rows.FRAMES)

    def _sweep(self, sweep: Sweep) -> None:
        with self.stages("lidar"):
            boxes = self.perception.boxes(sweep)
        self._row(sweep.t, SWEEP, sweep.topic, points=len(sweep.points))
        for box in boxes:
            place = (box.x, box.y, box.z, box.length, box.width, box.height, box.yaw)
            self._row(sweep.t, BOX, sweep.topic, box.kind, box.score, box.points, _rounded(place))

    def _picture(self, picture: Picture) -> None:
        with self.stages("camera"):
            try:
                seen = self.perception.seen(picture)
            except Exception as error:  # noqa: BLE001 - hostile pictures fail in every way there is; only they are lost
                self.complaints(picture.topic, picture.t, f"{error}" or type(error).__name__)
                return
        self._row(picture.t, PICTURE, picture.topic)
        for box in seen:
            edges = _rounded((box.left, box.top, box.right, box.bottom))
            self._row(picture.t, SEEN, picture.topic, box.label, box.score, None, edges)

    def _row(
        self,
        t: float,
        what: str,
        source: str = "",
        kind: str | None = None,
        score: float | None = None,
        points: int | None = None,
        values: Sequence[float] = (),
    ) -> None:
        self.rows.append((t, source, what, kind, score, points, values))


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(float(value), ROUNDED) for value in values)
