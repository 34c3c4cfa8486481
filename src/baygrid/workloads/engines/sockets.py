"""A short name for the temporary folder, in which libraries put sockets: a centre may have made it deep."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MOST: Final = 107
"""Bytes of a socket's name (unix(7))."""


@contextmanager
def short_temporary_folder(within: int) -> Iterator[str]:
    """For the length of the block, for this process and those that it tells. `within`: the bytes that a
    socket's name has after the folder's."""
    usual, folder = tempfile.tempdir, tempfile.gettempdir()
    if len(os.fsencode(folder)) + within <= _MOST:
        yield folder
        return
    held = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    tempfile.tempdir = f"/proc/{os.getpid()}/fd/{held}"  # proc(5): a way to the same folder
    try:
        yield tempfile.tempdir
    finally:
        tempfile.tempdir = usual
        os.close(held)
