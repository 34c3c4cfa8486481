"""What a demo has left on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def left_running(folder: str | Path) -> list[str]:
    """Processes that still have this folder in their command or environment."""
    marker = os.fsencode(folder)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
                if marker in command or marker in (entry / "environ").read_bytes():
                    found.append(f"{entry.name}: {command!r}")
            except OSError:
                continue
    return found
