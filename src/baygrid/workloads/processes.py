"""Processes of this machine, as /proc tells of them (proc(5))."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def below(top: int) -> set[int]:
    """All living descendants of a process."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - each second, of thousands
        if name.isdecimal():
            with suppress(OSError):
                state, parent = Path("/proc", name, "stat").read_text().rpartition(") ")[2].split()[:2]
                if state not in "ZX":
                    parents[int(name)] = int(parent)
    found = {top}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {top}
