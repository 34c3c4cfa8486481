"""A broker over the 170 sites of LCG-2005 with a view 300 s old, beside the same sites alone and as one pool.

    python -m benchmarks.federation

The pool knows itself at every moment and serves in order of arrival: a reference, not a bound. Nor is the
pool that also knows every run time and takes the shortest first, but it says how much there is still to gain
by better forecasts and younger news. Carbon: the sites are dealt out to the grids of four countries (see
`baygrid.replay.carbon.Grids`), and what is saved is against the same broker blind to carbon.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from baygrid.core.placement.timeline.backfill import InOrder
from baygrid.replay import federation, swf
from baygrid.replay.federation_log import Federation
from baygrid.replay.federation_log import federation as read

TRACES: Final = Path(os.environ.get("BAYGRID_TRACES", "../shared/traces"))
LOG: Final = "hpc/LCG-2005-1.swf.gz"
GRIDS: Final = ("NL", "DE", "FR", "BE")
CAPACITIES: Final = (0.2, 0.17)
STALE_S: Final = 300
KEPT: Final = (
    "mean_wait_s", "p99_wait_s", "p999_wait_s", "pooled_fifo_wait_s", "pooled_fifo_p99_wait_s",
    "pooled_fifo_p999_wait_s", "isolated_wait_s", "utilisation", "jobs_per_cpu_s",
)  # fmt: skip
CARBON: Final = ("mean_wait_s", "mean_wait_blind_s", "gco2_kg", "gco2_blind_kg", "gco2_saved_percent")


def measure(traces: Path = TRACES) -> dict[str, Any]:
    """Per capacity (share of each site's recorded peak) the waits in seconds, and what carbon was saved."""
    log = traces / LOG
    if not log.is_file():
        return {"skipped": f"needs ../shared: there is no {log}"}
    series = [traces / "opendc" / f"carbon_2022_{grid}.parquet" for grid in GRIDS]
    return {str(capacity): _at(log, capacity, series) for capacity in CAPACITIES}


def _at(log: Path, capacity: float, series: list[Path]) -> dict[str, Any]:
    plain = federation.replay(log, "baygrid", capacity, STALE_S).figures
    green = federation.replay(log, "baygrid", capacity, STALE_S, carbon=series).figures
    drawn = federation.replay(log, federation.RANDOM, capacity, STALE_S).figures
    return {
        **{name: plain[name] for name in KEPT},
        "random_wait_s": drawn["mean_wait_s"],
        "pooled_known_shortest_wait_s": _known_shortest(read(log, capacity)),
        "carbon": {name: green[name] for name in CARBON},
    }


def _known_shortest(fed: Federation) -> float:
    known = replace(fed.jobs, requested=fed.jobs.runtime.clip(1))
    start = swf.run(known, InOrder(int(fed.capacity.sum()), shortest=True))
    return round(float((start - fed.jobs.submit).mean()), 3)


def main() -> None:
    for capacity, row in measure().items():
        print(capacity)
        for name, value in row.items() if isinstance(row, dict) else [(row, "")]:
            print(f"  {name:30} {value}")


if __name__ == "__main__":
    main()
