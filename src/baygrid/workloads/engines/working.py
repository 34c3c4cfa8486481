"""What both engines run in each of their processes, and what they are to `running`."""

from __future__ import annotations

import time
import traceback
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from baygrid.workloads.absent import without_pandas
from baygrid.workloads.application import ApplicationError, Loading, Shard
from baygrid.workloads.heap import keep_freed_memory
from baygrid.workloads.parts import pack


class WorkerDied(Exception):
    """A process ended without an answer: killed, out of memory, or brought down by its input."""


class WorkerWrong(Exception):
    """An exception that a worker should not have let out, with its traceback: a defect."""


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """The part of the shard with this id, and the seconds that its worker was at it."""

    id: str
    part: bytes
    busy: float


class Engine(Protocol):
    name: str
    workers: int

    def __call__(self, loading: Loading, shards: Sequence[Shard]) -> Generator[FinishedShard]:
        """Each shard once, in any order, as they are done. Raises WorkerDied where one cannot be had; what
        was yielded before holds. Closing it early ends the work."""
        ...

    def close(self) -> None: ...


class ShardRunner:
    """A worker as engines hold it: bytes in, bytes out. What goes wrong in it travels as an answer, for each
    engine has a way of its own with exceptions, and none of them brings one back as it was."""

    def __init__(self, loading: Loading) -> None:
        without_pandas()
        keep_freed_memory()
        self._wrong: BaseException | None = None
        try:
            self._worker = loading()
        except Exception as error:  # noqa: BLE001 - said in the answer
            self._wrong = error

    def __call__(self, shard: bytes) -> bytes:
        began = time.perf_counter()
        what = Shard(**orjson.loads(shard))
        try:
            if self._wrong is not None:
                raise self._wrong
            part = pack(self._worker(what))
        except Exception as error:  # noqa: BLE001 - said in the answer
            clear = isinstance(error, ApplicationError)
            why = str(error) if clear else "".join(traceback.format_exception(error))
            return _answer({"id": what.id, "busy": 0.0, "wrong": why, "clear": clear}, b"")
        return _answer(
            {"id": what.id, "busy": time.perf_counter() - began, "wrong": None, "clear": True}, part
        )


def encoded(shard: Shard) -> bytes:
    return orjson.dumps({"id": shard.id, "work": shard.work, "units": shard.units})


def finished(answer: bytes) -> FinishedShard:
    """Raises what went wrong in the worker: ApplicationError where its words are for people."""
    end = 4 + int.from_bytes(answer[:4], "big")
    head = orjson.loads(answer[4:end])
    if head["wrong"] is not None:
        kind = ApplicationError if head["clear"] else WorkerWrong
        raise kind(head["wrong"])
    return FinishedShard(head["id"], answer[end:], head["busy"])


def _answer(head: dict[str, Any], part: bytes) -> bytes:
    packed_head = orjson.dumps(head)
    return len(packed_head).to_bytes(4, "big") + packed_head + part
