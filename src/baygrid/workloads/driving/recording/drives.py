"""Which drives are in a place, and the readers of their windows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from baygrid.workloads import storage
from baygrid.workloads.application import ApplicationError
from baygrid.workloads.driving.recording import comma, mcap
from baygrid.workloads.driving.recording.window import Window
from baygrid.workloads.stages import Stages
from baygrid.workloads.storage import Entry, clean

ENDING: Final = ".mcap"
BAG: Final = "metadata.yaml"
"""Beside the files of one recording (rosbag2)."""
_INSIDE: Final = f"/{comma.LOG}/"


def windows(place: str, lidar_height: float) -> Iterator[list[Window]]:
    """The windows of each drive in order: of a file, of a recording in several files, of a folder of any of
    these; on a disk, in a bucket, behind a web server. ApplicationError where there is none."""
    found = list(storage.entries(place))
    if len(found) == 1 and found[0].at in (place, str(Path(place))):
        yield mcap.windows(found, clean(found[0].name), lidar_height)
        return
    drives = sorted(_drives(found, place), key=lambda drive: _natural(drive[0]))
    if not drives:
        raise ApplicationError(f"no drive in {place}: neither *{ENDING} nor a folder with {comma.LOG}")
    for name, entries in drives:
        if entries[0].name.lower().endswith(ENDING):
            yield mcap.windows(entries, clean(name), lidar_height)
        else:
            yield comma.windows(entries[0].at.partition(_INSIDE)[0], clean(name))


def _drives(found: Sequence[Entry], place: str) -> Iterator[tuple[str, list[Entry]]]:
    """Each drive's name, and the files that it is in; of comma2k19 any one of them."""
    bags = {_folder(entry.name) for entry in found if entry.name.rpartition("/")[2] == BAG}
    files: dict[str, list[Entry]] = {}
    for entry in found:
        before, inside, _ = f"/{entry.name}".partition(_INSIDE)
        if inside:
            files.setdefault(before.strip("/") or _base(place), [entry])
        elif entry.name.lower().endswith(ENDING):
            folder = _folder(entry.name)
            name = (folder or _base(place)) if folder in bags else entry.name
            files.setdefault(name, []).append(entry)
    for name, entries in files.items():
        yield name, sorted(entries, key=lambda entry: _natural(entry.name))


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _base(place: str) -> str:
    """What the place itself is called."""
    return place.rstrip("/").rpartition("/")[2] if storage.is_remote(place) else Path(place).resolve().name


def reader(window: Window, stages: Stages) -> mcap.Reader | comma.Reader:
    """What reads a window."""
    return comma.Reader(window, stages) if window.layout == comma.LAYOUT else mcap.Reader(window, stages)


def _natural(name: str) -> list[tuple[int, str]]:
    """bag_2 before bag_10."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", name)]
