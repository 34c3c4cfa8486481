"""One machine: Daft's native runner, each worker a process of its own.

Of the engines measured on one machine this one costs least. It does not outlive the death of a worker: then
`running` begins it again with what is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")

import daft

from baygrid.workloads import heap
from baygrid.workloads.application import Loading, Shard
from baygrid.workloads.engines.sockets import short_temporary_folder
from baygrid.workloads.engines.working import FinishedShard, ShardRunner, WorkerDied, encoded, finished
from baygrid.workloads.processes import below

_MODULE: Final = b"daft.execution.udf_worker"  # in the command line of Daft's workers
_NAME: Final = len("/tmp12345678")  # of the socket of each


class LocalEngine:
    name = "local"

    def __init__(self, workers: int) -> None:
        self.workers = workers
        heap.hand_on()  # Daft's processes inherit it
        daft.set_runner_native()

    def __call__(self, loading: Loading, shards: Sequence[Shard]) -> Generator[FinishedShard]:
        width = min(self.workers, len(shards))
        work = daft.cls(_ShardRunner, use_process=True, max_concurrency=width)(loading)
        frame = daft.from_pydict({"shard": [encoded(shard) for shard in shards]})
        answers = frame.into_batches(1).select(work(daft.col("shard")).alias("answer"))
        with short_temporary_folder(_NAME):
            rows: Any = answers.iter_rows(results_buffer_size=1)
            try:
                for row in rows:
                    yield finished(row["answer"])
            except RuntimeError as error:  # the only word that Daft has for it
                raise WorkerDied(str(error)) from error
            finally:
                rows.close()

    def close(self) -> None:
        """Ends what is still at work for a run that was broken off."""
        for pid in below(os.getpid()):
            with suppress(OSError):
                if _MODULE in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)


class _ShardRunner(ShardRunner):
    __call__ = daft.method(return_dtype=daft.DataType.binary())(ShardRunner.__call__)
