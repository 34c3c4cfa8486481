"""What of a tar that somebody else made is never read: a few bytes of it could stand for any number, and what
it says about a file is held in memory. (What may land where is decided by who unpacks it.)"""

from __future__ import annotations

import tarfile
from typing import Final

MOST_ABOUT: Final = 64 * 1024
"""Bytes of what is said about one file: a long name, for instance."""


class Member(tarfile.TarInfo):
    """One thing in a tar, for `tarfile.open(tarinfo=Member)`. What is not taken raises tarfile.ReadError; a
    header behind a header without end raises RecursionError."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a file with holes")
        if not (self.isreg() or self.isdir()) and self.size > MOST_ABOUT:
            raise tarfile.ReadError(f"more than {MOST_ABOUT} bytes are said about one file")
        found: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]
        if found.issparse():
            raise tarfile.ReadError("a file with holes")
        return found
