"""What runs in the child of `process.py`: one piece of work, told in frames."""

from __future__ import annotations

import json
import os
import pickle
import queue
import resource
import struct
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any, BinaryIO

from baygrid.ports.reader import BadExpression, ReadFailed
from baygrid.sharing.process import DONE, ERROR, HEAD, JSON, MAX_FRAME, PIECE


def main() -> None:
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    memory, work, arguments = pickle.loads(_request(sys.stdin.buffer))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_hear, daemon=True).start()
    try:
        found = work(*arguments)
        for each in found if isinstance(found, Iterator) else (found,):
            _tell(out, each)
        _frame(out, DONE, b"")
    except ReadFailed as error:
        _say(out, "ReadFailed", str(error))
    except BadExpression as error:
        _say(out, "BadExpression", str(error))
    except MemoryError:
        _say(out, "ReadFailed", f"it needs more than {memory >> 20} MiB of memory")
    except Exception as error:  # noqa: BLE001 - its message may hold values; where it was holds none
        where = traceback.extract_tb(error.__traceback__)
        _say(out, type(error).__name__, "\n".join(f"{at.filename}:{at.lineno} {at.name}" for at in where))
    os._exit(0)  # threads of libraries are not waited for


def _request(source: BinaryIO) -> bytes:
    (size,) = struct.unpack(">Q", source.read(8))
    return source.read(size)


_replies: queue.SimpleQueue[Any] = queue.SimpleQueue()


def reply() -> Any:
    """What the parent sent for what the work just yielded."""
    return _replies.get()


def _hear() -> None:
    """Replies, until the parent is gone: then nobody needs this process any more."""
    try:
        while True:
            _replies.put(pickle.loads(_request(sys.stdin.buffer)))
    except (EOFError, struct.error, ValueError):
        os._exit(1)


def _tell(out: BinaryIO, each: Any) -> None:
    if not isinstance(each, bytes | memoryview):
        _frame(out, JSON, json.dumps(each, ensure_ascii=False).encode())
        return
    for start in range(0, len(each), MAX_FRAME):
        _frame(out, PIECE, bytes(each[start : start + MAX_FRAME]))


def _say(out: BinaryIO, kind: str, message: str) -> None:
    _frame(out, ERROR, json.dumps({"type": kind, "message": message}).encode())


def _frame(out: BinaryIO, kind: bytes, content: bytes) -> None:
    out.write(HEAD.pack(kind, len(content)) + content)
    out.flush()
