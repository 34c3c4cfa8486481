"""A cluster: Ray Data, each worker an actor. It alone of those measured outlived a node."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from typing import Any, Final

import ray
import ray.data
from ray.util.annotations import RayDeprecationWarning

from baygrid.workloads import heap
from baygrid.workloads.application import ApplicationError, Loading, Shard
from baygrid.workloads.engines.sockets import short_temporary_folder
from baygrid.workloads.engines.working import FinishedShard, ShardRunner, WorkerDied, encoded, finished

RESTARTS: Final = 3
"""Of one worker, before the run begins anew with what is left: an input may be what kills it."""

_NAME: Final = len("/ray/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store.1")


class RayEngine:
    """On the cluster at $RAY_ADDRESS, else on a Ray of its own, as wide as `workers`.

    `workers`: None is one for each CPU of the cluster. Its nodes see the input under the same name, and this
    Python with its packages."""

    name = "ray"

    def __init__(self, workers: int | None) -> None:
        address = os.environ.get("RAY_ADDRESS")
        workers_have = {"py_executable": sys.executable, "env_vars": heap.ENVIRONMENT}
        asked: dict[str, Any] = {"runtime_env": workers_have}
        self._held = ExitStack()
        if address is None:
            heap.hand_on()  # its processes are ours
            folder = self._held.enter_context(short_temporary_folder(_NAME))
            asked = {"num_cpus": workers or len(os.sched_getaffinity(0)), "include_dashboard": False}
            asked["_temp_dir"] = f"{folder}/ray"
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **asked)
            resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        except Exception as error:  # a bare one where a node does not start in time
            raise ApplicationError(f"Ray at {address or 'this machine'} does not answer: {error}") from error
        self.workers = workers or max(1, int(resources.get("CPU", 1)))
        ray.data.DataContext.get_current().enable_progress_bars = False  # the run shows its own
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.ERROR)

    def __call__(self, loading: Loading, shards: Sequence[Shard]) -> Generator[FinishedShard]:
        what = [{"shard": encoded(shard)} for shard in shards]
        with warnings.catch_warnings():
            # Ray 2.64 has no word for the number of restarts any more; until then the old one warns.
            warnings.simplefilter("ignore", RayDeprecationWarning)
            answers = ray.data.from_items(what, override_num_blocks=len(what)).map_batches(
                _Batches,
                fn_constructor_args=(loading,),
                batch_size=None,
                compute=ray.data.ActorPoolStrategy(size=min(self.workers, len(shards))),
                num_cpus=1,
                max_restarts=RESTARTS,
                max_task_retries=RESTARTS,
            )
        try:
            for batch in answers.iter_batches(batch_size=None, prefetch_batches=0):  # each as it is done
                for answer in batch["answer"]:
                    yield finished(answer)
        except ray.exceptions.RayError as error:
            raise WorkerDied(str(error)) from error

    def close(self) -> None:
        ray.shutdown()
        self._held.close()


class _Batches:
    def __init__(self, loading: Loading) -> None:
        self._runner = ShardRunner(loading)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return {"answer": [self._runner(shard) for shard in batch["shard"]]}
