"""An engine in this very process, for tests of what an application does; engines have tests of their own."""

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from baygrid.workloads.application import Application, Loading, Outcome, Shard, Totals
from baygrid.workloads.engines.working import FinishedShard
from baygrid.workloads.parts import pack
from baygrid.workloads.running import Progress, run


class Inline:
    name = "inline"
    workers = 1

    def __call__(self, loading: Loading, shards: Sequence[Shard]) -> Generator[FinishedShard]:
        worker = loading()
        for shard in shards:
            yield FinishedShard(shard.id, pack(worker(shard)), 0.001)

    def close(self) -> None: ...


def run_here(application: Application, output: Path) -> tuple[Totals, Outcome, dict[str, Any]]:
    """With what `result.json` says."""

    def silent(_: Progress) -> None: ...

    totals, outcome = run(application, output, Inline(), silent)
    return totals, outcome, json.loads((output / "result.json").read_text())
