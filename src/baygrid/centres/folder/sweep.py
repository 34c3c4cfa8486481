"""Removes directories a little at a time, so that a million files of one job do not hold up the others."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FILES_PER_STEP = 256


class Sweeper:
    """What is thrown away is first renamed: gone for everybody at once, removed for good step by step."""

    def __init__(self, trash: Path) -> None:
        self._trash = trash
        trash.mkdir(mode=0o700, exist_ok=True)
        self._waiting = [str(path) for path in trash.iterdir()]
        self._now: Iterator[None] | None = None

    @property
    def busy(self) -> bool:
        return self._now is not None or bool(self._waiting)

    def throw(self, directory: str) -> None:
        target = f"{self._trash}/{Path(directory).name}"
        while os.path.lexists(target):
            target += "_"
        with suppress(FileNotFoundError):
            os.rename(directory, target)  # noqa: PTH104 - paths are texts here
            self._waiting.append(target)

    def step(self) -> None:
        for _ in range(FILES_PER_STEP):
            if self._now is None:
                if not self._waiting:
                    return
                self._now = _remove(self._waiting.pop())
            if next(self._now, self) is self:
                self._now = None


def _remove(directory: str) -> Iterator[None]:
    """Yields after each file. Never follows a link; what cannot be removed stays."""
    with suppress(OSError):
        if not stat.S_ISDIR(os.lstat(directory).st_mode):
            os.unlink(directory)  # noqa: PTH108
            return
        os.chmod(directory, 0o700)  # noqa: PTH101 - a job may have locked itself out
        with os.scandir(directory) as entries:
            names = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for path, is_directory in names:
            if is_directory:
                yield from _remove(path)
            else:
                with suppress(OSError):
                    os.unlink(path)  # noqa: PTH108
            yield
        os.rmdir(directory)  # noqa: PTH106
