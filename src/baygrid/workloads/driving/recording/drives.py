"""Which drives are in a place, and the readers of their windows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.driving.recording import comma, mcap
from baygrid.workloads.driving.recording.window import Window
from baygrid.workloads.stages import Stages
from baygrid.workloads.storage.listing import Entry, entries
from baygrid.workloads.storage.names import Distinct, clean
from baygrid.workloads.storage.reading import is_remote

ENDING: Final = ".mcap"
BAG: Final = "metadata.yaml"
"""Beside the files of one recording (rosbag2)."""
_INSIDE: Final = f"/{comma.LOG}/"


def windows(place: str, lidar_height: float) -> Iterator[list[Window]]:
    """The windows of each drive in order: of a file, of a recording in several files, of a folder of any of
    these; on a disk, in a bucket, behind a web server. ApplicationError where there is none."""
    found = list(entries(place))
    if len(found) == 1 and found[0].named:
        yield mcap.windows(found, found[0].name, lidar_height)
        return
    drives = sorted(_drives(found), key=lambda drive: _natural(drive[0]))
    if not drives:
        raise ApplicationError(f"no drive in {place}: neither *{ENDING} nor a folder with {comma.LOG}")
    for name, files in drives:
        if files[0].unreadable:
            yield [mcap.nothing(files[0].at, name, files[0].unreadable)]
        elif files[0].name.lower().endswith(ENDING):
            yield mcap.windows(files, name, lidar_height)
        else:
            yield comma.windows(files[0].at.partition(_INSIDE)[0], name)


def _drives(found: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Each drive's name, no two alike, and the files that it is in; of comma2k19 any one of them. What
    belongs together lies in one folder, whatever names were asked for."""
    bags = {_folder(entry.at) for entry in found if entry.at.rpartition("/")[2] == BAG}
    drives: dict[str, tuple[str, list[Entry]]] = {}
    for entry in found:
        folder = _folder(entry.at)
        before, inside, _ = entry.at.partition(_INSIDE)
        if inside:
            above, _, _ = f"/{entry.name}".partition(_INSIDE)
            drives.setdefault(before, (above.strip("/") or _base(before), [entry]))
        elif entry.unreadable:
            drives[entry.at] = entry.name, [entry]
        elif entry.name.lower().endswith(ENDING):
            place, name = entry.at, entry.name
            if folder in bags:
                place, name = folder, _folder(entry.name) or _base(folder)
            drives.setdefault(place, (name, []))[1].append(entry)
    distinct = Distinct()
    for name, files in drives.values():
        yield distinct(clean(name)), sorted(files, key=lambda entry: _natural(entry.at))


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _base(folder: str) -> str:
    """What it is called itself."""
    return folder.rpartition("/")[2] if is_remote(folder) else Path(folder).resolve().name


def reader(window: Window, stages: Stages) -> mcap.Reader | comma.Reader:
    """What reads a window."""
    return comma.Reader(window, stages) if window.layout == comma.LAYOUT else mcap.Reader(window, stages)


def _natural(name: str) -> list[tuple[int, str]]:
    """bag_2 before bag_10."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", name)]
