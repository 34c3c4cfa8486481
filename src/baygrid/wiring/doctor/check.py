"""One thing that was looked at; and the room on a disk, which two places need."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOM_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """`cure` where it is not `ok`."""

    name: str
    ok: bool
    said: str
    cure: str = ""


def room(name: str, folder: Path) -> Check:
    there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path("/"))
    left = shutil.disk_usage(there).free
    said = f"{left / (1 << 30):.1f} GiB are free at {there}"
    return Check(name, left >= ROOM_BYTES, said, "" if left >= ROOM_BYTES else "make room: inputs come here")
