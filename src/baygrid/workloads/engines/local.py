"""One machine: Daft's native runner, each worker a process of its own.

Of the engines measured on one machine this one costs least. It does not outlive the death of a worker: then
`running` begins it again with what is left."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")

import daft

from baygrid.workloads.application import Loading, Shard
from baygrid.workloads.engines.working import Worked, WorkerDied, Working, packed, worked


class LocalEngine:
    name = "local"

    def __init__(self, workers: int) -> None:
        self.workers = workers
        daft.set_runner_native()

    def __call__(self, loading: Loading, shards: Sequence[Shard]) -> Iterator[Worked]:
        work = daft.cls(_Working, use_process=True, max_concurrency=min(self.workers, len(shards)))(loading)
        frame = daft.from_pydict({"shard": [packed(shard) for shard in shards]})
        answers = frame.into_batches(1).select(work(daft.col("shard")).alias("answer"))
        rows = answers.iter_rows(results_buffer_size=1)
        while True:
            try:
                row = next(rows, None)
            except RuntimeError as error:  # the only word that Daft has for it
                raise WorkerDied(str(error)) from error
            if row is None:
                return
            yield worked(row["answer"])

    def close(self) -> None: ...


class _Working(Working):
    __call__ = daft.method(return_dtype=daft.DataType.binary())(Working.__call__)
