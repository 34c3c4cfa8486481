"""The memory of a process that works: what it frees is used again, not given back and cleared anew."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from typing import Final

_TRIM, _MMAP, _MAPPINGS = -1, -3, -4
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_MMAP_MAX of mallopt(3)."""
KEPT: Final = 64 << 20
"""Bytes of free memory that a process keeps for what it asks for next."""
LARGEST: Final = 32 << 20
"""Bytes from which on a block comes from the system and goes back to it: the most that glibc takes."""

ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "2"}
"""Of a process that works, from its beginning. Its threads share one heap: a thread's own one is given back
at once whenever it is empty, and takes no block of 64 MiB. Sums are divided among so many threads everywhere:
Ray would have them done by one, and with another rounding a transcript is cut elsewhere."""


def hand_on() -> None:
    """ENVIRONMENT to the processes that this one begins from now on, but for what the user has set."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def keep_freed_memory() -> None:
    """In a process that works: chunks, pictures and tables come and go by the megabyte, and glibc gives each
    back to the system at once, which then clears a page for every 4 KiB of the next. It was a third of what
    reading a drive cost. A C library without mallopt does as it likes."""
    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM, KEPT)
        mallopt(_MMAP, LARGEST)


def keep_all_freed_memory() -> None:
    """For a model whose layers free more than LARGEST at a time, as Whisper's encoder: a third of what that
    cost. What is free between pieces of such work wants `give_back`, else the holes grow with the work."""
    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM, 1 << 30)
        mallopt(_MAPPINGS, 0)


def give_back() -> None:
    """All free pages of the heap (malloc_trim(3)): some milliseconds, and the system clears them again."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
