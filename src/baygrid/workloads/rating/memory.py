"""How much memory a run needs: of this process and all below it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


class Peak:
    """Called now and then; keeps the largest sum of what each process had at its largest, in MiB."""

    def __init__(self) -> None:
        self.mib = 1

    def __call__(self) -> None:
        self.mib = max(self.mib, -(-sum(map(_largest_kib, _family("self"))) // 1024))


def _family(pid: str) -> Iterator[str]:
    yield pid
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in listed.read_text().split():
                yield from _family(child)


def _largest_kib(pid: str) -> int:
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
