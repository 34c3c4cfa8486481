"""Work in a process of its own, with bounds of memory and time: what reads other people's files and what they
wrote in SQL may fail, or be made to fail, without harm to who asked for it.

Whoever needs a child process in this room (reading, governed SQL) uses this one. To the child goes a pickle;
from it come only JSON and bytes, for a child that read a hostile file is not to be believed with more.
"""

from __future__ import annotations

import json
import os
import pickle
import selectors
import struct
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Final

from baygrid.ports.reader import BadExpression, ReadFailed
from baygrid.sharing.nursery import Born, Nursery

HEAD: Final = struct.Struct(">cI")
"""Before each frame: its kind, how many bytes it has."""
PIECE, JSON, ERROR, DONE = b"b", b"j", b"e", b"d"
MAX_FRAME: Final = 64 << 20
_KINDS: Final[dict[str, type[Exception]]] = {"ReadFailed": ReadFailed, "BadExpression": BadExpression}


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory`: bytes of a process's own data (RLIMIT_DATA). `seconds`: wall clock, all that it does; `cure`:
    what to do where that is not enough. `wanted`: asked often, False ends it."""

    memory: int = 4 << 30
    seconds: float = 1_800.0
    cure: str = "share fewer rows or columns"
    wanted: Callable[[], bool] = lambda: True


_LOOK: Final = 0.5
"""Seconds between two looks whether it is still wanted."""
_NURSERY: Final = Nursery()


class Broke(Exception):
    """Where in the child something went wrong that nobody foresaw: files and lines, no values."""


def call(limits: Limits, work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` gives as JSON values. `work` is a function of a module, its arguments can be pickled.
    Raises ReadFailed, BadExpression."""
    with closing(stream(limits, work, *arguments)) as answers:
        return next(answers)


def stream(limits: Limits, work: Callable[..., Any], *arguments: Any) -> Generator[Any, Any, None]:
    """Each value that the generator `work` yields: bytes as they are, all else as JSON. What is sent to the
    generator (anything but None) the child has as `child.reply()`. The child ends when nobody listens any
    more. Raises ReadFailed, BadExpression."""
    with _NURSERY.child() as child:
        yield from _answers(child, limits, pickle.dumps((limits.memory, work, arguments)))


def _answers(child: Born, limits: Limits, request: bytes) -> Generator[Any, Any, None]:
    until = time.monotonic() + limits.seconds  # noqa: TID251 - how long a process may take
    _send(child, request)
    while True:
        kind, content = _frame(child, until, limits)
        if kind == DONE:
            return
        if kind == ERROR:
            _raise(json.loads(content))
        reply = yield content if kind == PIECE else json.loads(content)
        if reply is not None:
            _send(child, pickle.dumps(reply))


def _send(child: Born, content: bytes) -> None:
    """It stays open afterwards: its end tells the child that nobody listens."""
    with suppress(BrokenPipeError):
        child.ears.write(struct.pack(">Q", len(content)) + content)
        child.ears.flush()


def _raise(said: dict[str, Any]) -> None:
    error = _KINDS.get(said["type"])
    if error is not None:
        raise error(said["message"])
    raise ReadFailed(f"it broke ({said['type']})") from Broke(said["message"])


def _frame(child: Born, until: float, limits: Limits) -> tuple[bytes, bytes]:
    kind, size = HEAD.unpack(_exactly(child, HEAD.size, until, limits))
    if size > MAX_FRAME:
        raise ReadFailed("it broke (a frame without end)")
    return kind, _exactly(child, size, until, limits)


def _exactly(child: Born, size: int, until: float, limits: Limits) -> bytes:
    found = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.mouth, selectors.EVENT_READ)
        while len(found) < size:
            left = until - time.monotonic()  # noqa: TID251 - how long a process may take
            if not limits.wanted():
                raise ReadFailed("nobody waits for it any more")
            if left > 0 and not selector.select(min(left, _LOOK)):
                continue
            if left <= 0:
                raise ReadFailed(f"it takes longer than {limits.seconds:.0f} s: {limits.cure}")
            piece = os.read(child.mouth, min(size - len(found), 1 << 20))
            if not piece:
                raise ReadFailed(f"it needs more than {limits.memory >> 20} MiB of memory, or it crashed")
            found += piece
    return bytes(found)
