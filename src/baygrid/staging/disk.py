"""Files and folders at the centre itself. Links are not followed: whoever may write below an allowed folder
must not be able to lead the agent out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from baygrid.core.jobs.addresses import Address
from baygrid.staging.errors import Failed
from baygrid.staging.guard import folder_of
from baygrid.staging.pace import Pace
from baygrid.staging.rules import Rules
from baygrid.staging.streams import PIECE, Stream

MAX_FILES: Final = 1_000_000
MAX_DEPTH: Final = 100


class Disk:
    """`streams.Way` of file."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @contextmanager
    def open(
        self, at: Address, project: str, offset: int, validator: str, pace: Pace
    ) -> Iterator[Stream | None]:
        """Always the whole: it is near."""
        with self._found(at, project) as descriptor:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise Failed(f"{at.path} is neither a file nor a folder")
            yield Stream(0, found.st_size, "", _pieces(descriptor))

    def list(self, at: Address, project: str) -> list[tuple[str, int]] | None:
        """(path, bytes) of all files below a folder, by path; None for a file. Raises Failed, NotAllowed."""
        with self._found(at, project) as descriptor:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                return None
            return sorted(_walk(descriptor, "", [MAX_FILES]))

    @contextmanager
    def _found(self, at: Address, project: str) -> Iterator[int]:
        folder, rest = folder_of(self._rules, at, project)
        try:
            descriptor = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise Failed(f"{folder.path} cannot be read at this centre: {error.strerror}") from None
        try:
            for part in rest.split("/") if rest else ():
                try:
                    inner = _open(descriptor, part)
                except OSError as error:
                    why = "a link, which is not followed" if _is_link(descriptor, part) else error.strerror
                    raise Failed(f"{at.path} cannot be read at this centre: {why}") from None
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)


def _open(at: int, name: str) -> int:
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)


def _is_link(at: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _walk(directory: int, above: str, left: list[int]) -> Iterator[tuple[str, int]]:
    if above.count("/") > MAX_DEPTH:
        raise Failed(f"{above[:200]} lies too deep")
    with os.scandir(directory) as entries:
        found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    for name, kind in found:
        left[0] -= 1
        if left[0] < 0:
            raise Failed(f"it has more than {MAX_FILES} files: pack them")
        if stat.S_ISDIR(kind.st_mode):
            inner = _open(directory, name)
            try:
                yield from _walk(inner, f"{above}{name}/", left)
            finally:
                os.close(inner)
        elif stat.S_ISREG(kind.st_mode):
            yield above + name, kind.st_size
        else:
            raise Failed(f"{above}{name} is neither a file nor a folder, and links are not followed")


def _pieces(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, PIECE):
        yield piece
