"""The rows of workers as frames in order of time, drive by drive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from baygrid.workloads.application import Done, Results
from baygrid.workloads.driving.recording.window import Window
from baygrid.workloads.driving.rows import BOX, PICTURE, SEEN, SWEEP
from baygrid.workloads.driving.values import Box2D, Box3D, Frame

LATE: Final = 2.5
"""Seconds by which a window may tell of something before the end of the one before it."""

Part = tuple[Window, Done]


def drives(results: Results) -> Iterator[tuple[str, Iterator[Part]]]:
    """The windows of each drive, in order. One is in memory at a time."""
    parts = ((Window.from_json(shard.work), done) for shard, done in results)
    yield from groupby(parts, key=lambda part: part[0].drive)


def frames(parts: Iterable[pa.Table]) -> Iterator[Frame]:
    """The frames of a drive's windows in order of time, each with what is in it."""
    waiting: list[Frame] = []
    for table in parts:
        waiting += _frames(table)
        waiting.sort(key=lambda frame: frame.t)
        if waiting:
            ready = [frame for frame in waiting if frame.t < waiting[-1].t - LATE]
            yield from ready
            waiting = waiting[len(ready) :]
    yield from waiting


def _frames(table: pa.Table) -> Iterator[Frame]:
    """A frame's own row comes before the rows of what is in it, or at the same time."""
    chosen = table.filter(pc.is_in(table["what"], pa.array([SWEEP, BOX, PICTURE, SEEN])))
    found: dict[tuple[float, str], list[dict[str, Any]]] = {}
    for row in chosen.to_pylist():
        found.setdefault((row["t"], row["source"]), []).append(row)
    for (t, source), rows in found.items():
        if any(row["what"] == SWEEP for row in rows):
            yield Frame(t, source, boxes=tuple(_box(row) for row in rows if row["what"] == BOX))
        else:
            yield Frame(t, source, seen=tuple(_seen(row) for row in rows if row["what"] == SEEN))


def _box(row: dict[str, Any]) -> Box3D:
    x, y, z, length, width, height, yaw = row["values"]
    return Box3D(x, y, z, length, width, height, yaw, row["kind"], row["points"], row["score"])


def _seen(row: dict[str, Any]) -> Box2D:
    left, top, right, bottom = row["values"]
    return Box2D(row["source"], left, top, right, bottom, row["kind"], row["score"])
