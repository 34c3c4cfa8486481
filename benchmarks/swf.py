"""Replays of SWF logs under every policy, and one of them beside AccaSim, another simulator of job queues.

    python -m benchmarks.swf

Rates are jobs per CPU-second of the process, reading the log excluded, the median of three. AccaSim is timed
the same way: its simulation only. It reads jobs as they come and writes its schedule, which we do not, and
keeps nodes apart, 100 of one processor here; ours is a pool of 100.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import process_time
from typing import Any, Final

import numpy as np

from baygrid.replay.swf import POLICIES, figures, line_of, replayable, run
from baygrid.replay.swf_file import Field, Log, read
from baygrid.replay.swf_learned import Jobs, Learned

TRACES: Final = Path(os.environ.get("BAYGRID_TRACES", "../shared/traces")) / "hpc"
KTH: Final = "KTH-SP2-1996-2.1-cln.swf.gz"
NASA: Final = "NASA-iPSC-1993-3.1-cln.swf.gz"
LOGS: Final = {"kth": KTH, "nasa": NASA, "wagap": "wagap-2013.swf.gz", "lcg": "LCG-2005-1.swf.gz"}
FASTER: Final = 0.6
"""NASA's log has starts for submissions, so hardly a job waits: also shown with its arrivals this much
closer."""

PEER_POLICIES: Final = ("fifo", "sjf", "easy")
REPEATS: Final = 3


def measure(traces: Path = TRACES) -> dict[str, Any]:
    """Per log and policy the figures of a replay; `accasim`: mean wait and rate of the peer on KTH."""
    if not (traces / KTH).is_file():
        return {"skipped": f"needs ../shared: there is no {traces / KTH}"}
    result: dict[str, Any] = {}
    for name, file in LOGS.items():
        log = read(traces / file)
        slots = log.processors()
        jobs = replayable(log, slots)
        result[name] = _policies(jobs, slots)
        if file == NASA:
            closer = replace(jobs, submit=(jobs.submit * FASTER).astype(np.int64))
            result[f"{name}, arrivals x{FASTER}"] = _policies(closer, slots)
    result["accasim"] = {policy: _accasim(traces / KTH, policy) for policy in PEER_POLICIES}
    return result


def _policies(jobs: Jobs, slots: int) -> dict[str, Any]:
    return {policy: _played(jobs, slots, policy) for policy in POLICIES}


def _played(jobs: Jobs, slots: int, policy: str) -> dict[str, Any]:
    rates = []
    found: dict[str, Any] = {}
    for _ in range(REPEATS):
        line = line_of(policy, jobs, slots)
        begun = process_time()
        start = run(jobs, line)
        taken = process_time() - begun
        found = dict(figures(jobs, start, slots, taken))
        if isinstance(line, Learned):
            found |= line.foreseen(start)
        rates.append(found["jobs_per_cpu_s"])
    found["jobs_per_cpu_s"] = statistics.median(rates)
    return found


def _accasim(trace: Path, policy: str) -> dict[str, Any]:
    """In a process of its own: it is made for an older Python and changes logging."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.swf", policy, str(trace.resolve())],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def accasim(policy: str, log: Log) -> dict[str, Any]:
    """AccaSim's first-fit dispatchers, one processor a node. It asks for memory, so every job has 1."""
    import collections
    import collections.abc

    collections.Mapping = collections.abc.Mapping  # type: ignore[attr-defined]  # gone since Python 3.10
    from accasim.base.allocator_class import FirstFit
    from accasim.base.scheduler_class import EASYBackfilling, FirstInFirstOut, ShortestJobFirst
    from accasim.base.simulator_class import Simulator

    dispatchers = {"fifo": FirstInFirstOut, "sjf": ShortestJobFirst, "easy": EASYBackfilling}
    table = log.table.copy()
    table[:, [Field.MEMORY - 1, Field.REQUESTED_MEMORY - 1]] = 1
    np.savetxt("log.swf", table, fmt="%d")
    nodes = {"groups": {"node": {"core": 1, "mem": 9}}, "resources": {"node": log.processors()}}
    machine = nodes | {"equivalence": {"processor": {"core": 1}}, "start_time": 0}
    Path("machine.json").write_text(json.dumps(machine))
    simulator = Simulator(
        "log.swf", "machine.json", dispatchers[policy](FirstFit()), show_statistics=False, LOG_LEVEL="ERROR"
    )
    begun = process_time()
    files = simulator.start_simulation()
    taken = process_time() - begun
    waits = [_wait(line) for line in Path(files["sched-"]).read_text().splitlines()]
    return {
        "mean_wait_s": round(statistics.fmean(waits), 3),
        "jobs": len(waits),
        "jobs_per_cpu_s": round(len(waits) / taken),
    }


def _wait(line: str) -> float:
    """Of a line of AccaSim's schedule: id; user; submitted__nodes__started; ended; ..."""
    submitted, _, started = line.split(";", 2)[2].split("__")
    times = (datetime.fromisoformat(it.split(";")[0]) for it in (started, submitted))
    begun, came = times
    return (begun - came).total_seconds()


SHOWN: Final = (
    "mean_wait_s",
    "p999_wait_s",
    "mean_bounded_slowdown",
    "utilisation",
    "jobs_per_cpu_s",
    "starts_told",
    "starts_in_range",
    "starts_in_range_of_all",
)


def main(arguments: Sequence[str]) -> None:
    if arguments:
        policy, trace = arguments
        log = read(Path(trace))
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            found = accasim(policy, log)
            os.chdir("/")
        print(json.dumps(found))
        return
    print(f"load before: {os.getloadavg()[0]:.1f}", *SHOWN)
    for log_name, by_policy in measure().items():
        for policy, row in by_policy.items():
            cells = (f"{row.get(key, ''):>14}" for key in SHOWN)
            print(f"{log_name:22}{policy:10}", *cells)


if __name__ == "__main__":
    main(sys.argv[1:])
