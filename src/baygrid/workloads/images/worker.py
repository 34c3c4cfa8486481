"""Shards of pictures to rows: each is read, decoded once, and shown to every task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from baygrid.workloads.application import Done, Failed, Shard
from baygrid.workloads.images.pictures import Upright, opened
from baygrid.workloads.images.shard import Found, Reader
from baygrid.workloads.pictures import NotReadable
from baygrid.workloads.stages import Stages
from baygrid.workloads.storage.names import clean

T = TypeVar("T")


class Task(Protocol):
    """What is asked of pictures. `least`: pixels along the shorter side that it makes use of (None: all of
    them); `batch`: how many pictures it likes at a time."""

    least: int | None
    batch: int

    def __call__(self, pictures: Sequence[Upright]) -> list[dict[str, Any]]:
        """Columns of each picture."""
        ...


class ImagesWorker:
    """Pure: the same shard gives the same rows. Holds one batch of decoded pictures at a time, and the rows
    of no more than shard.MOST_TOGETHER."""

    def __init__(self, tasks: Sequence[tuple[str, Task]], schema: pa.Schema) -> None:
        """Each task with the name of its stage."""
        self._tasks = tasks
        self._schema = schema
        leasts = [task.least for _, task in tasks]
        self._least = None if None in leasts else max(least for least in leasts if least is not None)
        self._batch = max(task.batch for _, task in tasks)

    def __call__(self, shard: Shard) -> Done:
        work = _Work(Stages(), self._least)
        rows: list[dict[str, Any]] = []
        reader = Reader(shard.work)
        pictures = work.pictures(iter(reader))
        while some := list(islice(pictures, self._batch)):
            batch = [
                {"path": name, "width": picture.width, "height": picture.height} for name, picture in some
            ]
            for stage, task in self._tasks:
                with work.stages(stage):
                    for row, columns in zip(batch, task([picture for _, picture in some]), strict=True):
                        row.update(columns)
            rows += batch
        with work.stages("write"):
            table = pa.Table.from_pylist(rows, self._schema)
        rest = None if reader.rest is None else shard.following(reader.rest.work, reader.rest.units)
        return Done(table, len(rows), tuple(work.failed), work.stages.seconds, rest=rest)


@dataclass
class _Work:
    stages: Stages
    least: int | None
    failed: list[Failed] = field(default_factory=list)

    def pictures(self, found: Iterator[Found]) -> Iterator[tuple[str, Upright]]:
        while True:
            with self.stages("read"):
                each = next(found, None)
            if each is None:
                return
            if each.data is None:
                self.failed.append(Failed(each.name, each.reason))
                continue
            try:
                with self.stages("decode"):
                    picture = opened(each.data, self.least)
            except NotReadable as wrong:
                self.failed.append(Failed(each.name, clean(str(wrong))))
                continue
            yield each.name, picture
