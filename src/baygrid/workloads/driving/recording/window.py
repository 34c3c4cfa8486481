"""A window of a drive: a few seconds of it, as JSON that a worker far away can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from baygrid.workloads.driving.recording.mounts import Matrix


@dataclass(frozen=True, slots=True)
class Source:
    """A topic of an MCAP file: its channel's id, and where its sensor sits."""

    channel: int
    name: str
    role: str
    type: str
    mount: Matrix


@dataclass(frozen=True, slots=True)
class Window:
    """`drive` is its name, `path` the file or folder, `start` the drive's first moment (nanoseconds of the
    recorder's clock). Of an MCAP file: `pieces` (offset, length) and how to read what is in them;
    `definitions` by type. `cameras` are values.Camera as mappings. `notes` (input, reason) were found when
    the drive was cut. `seconds` is how long the window is, as far as is known."""

    layout: str
    drive: str
    path: str
    start: int
    seconds: float
    pieces: tuple[tuple[int, int], ...] = ()
    sources: tuple[Source, ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    cameras: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Window:
        told = json.loads(text)
        told["pieces"] = tuple((offset, length) for offset, length in told["pieces"])
        told["sources"] = tuple(Source(**{**s, "mount": tuple(s["mount"])}) for s in told["sources"])
        told["cameras"] = tuple({**camera, "mount": tuple(camera["mount"])} for camera in told["cameras"])
        told["notes"] = tuple((input_, reason) for input_, reason in told["notes"])
        return Window(**told)
