"""Which drives are in a place, and the readers of their windows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.driving.recording import comma, mcap
from baygrid.workloads.driving.recording.complaints import clean
from baygrid.workloads.driving.recording.window import Window
from baygrid.workloads.stages import Stages

ENDING: Final = ".mcap"
BAG: Final = "metadata.yaml"
"""Beside the files of one recording (rosbag2)."""


def windows(place: Path, lidar_height: float) -> Iterator[list[Window]]:
    """The windows of each drive in order: of a file, of a recording in several files, of a folder of any of
    these. ApplicationError where there is none."""
    if not place.exists():
        raise ApplicationError(f"{place} does not exist")
    if place.is_file():
        yield mcap.windows([place], clean(place.name), lidar_height)
        return
    found = False
    for folder in [place, *sorted(path for path in place.rglob("*") if path.is_dir())]:
        name = clean(folder.relative_to(place).as_posix() if folder != place else folder.resolve().name)
        if comma.is_drive(folder):
            found = True
            yield comma.windows(folder, name)
            continue
        files = sorted((path for path in folder.iterdir() if path.suffix.lower() == ENDING), key=_natural)
        found = found or bool(files)
        if files and (folder / BAG).exists():
            yield mcap.windows(files, name, lidar_height)
            continue
        for file in files:
            yield mcap.windows([file], clean(file.relative_to(place).as_posix()), lidar_height)
    if not found:
        raise ApplicationError(f"no drive in {place}: neither *{ENDING} nor a folder with {comma.LOG}")


def reader(window: Window, stages: Stages) -> mcap.Reader | comma.Reader:
    """What reads a window."""
    return comma.Reader(window, stages) if window.layout == comma.LAYOUT else mcap.Reader(window, stages)


def _natural(path: Path) -> list[tuple[int, str]]:
    """bag_2 before bag_10."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", path.name)]
