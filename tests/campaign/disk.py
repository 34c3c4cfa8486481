"""A small disk of the attempts' folders alone, which can be full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SIZE_MIB = 16


@dataclass(frozen=True)
class Disk:
    path: Path

    @property
    def root(self) -> Path:
        """Of the attempts' folders."""
        return self.path / "attempts"

    def fill(self) -> None:
        """To the last byte."""
        with (self.path / "filler").open("wb", buffering=0) as file:
            for size in (1 << 16, 512):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def empty(self) -> None:
        (self.path / "filler").unlink()


@contextmanager
def disk(path: Path) -> Iterator[Disk]:
    """For the length of the block, at a folder that is not there yet."""
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0755", "none", path], check=True)
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)
