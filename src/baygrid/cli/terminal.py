"""The user's own terminal while a command runs elsewhere: every key goes there, and its size."""

from __future__ import annotations

import os
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def size() -> tuple[int, int]:
    """Rows and columns; some terminals do not know theirs."""
    found = os.get_terminal_size(sys.stdin.fileno())
    return found.lines or 24, found.columns or 80


@contextmanager
def raw(resized: Callable[[], None]) -> Iterator[None]:
    """Keys come one by one and mean nothing here. `resized` is called in the main thread."""
    before = termios.tcgetattr(sys.stdin)
    handler = signal.signal(signal.SIGWINCH, lambda _number, _frame: resized())
    tty.setraw(sys.stdin, termios.TCSADRAIN)  # what was typed already is not lost
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, handler)
