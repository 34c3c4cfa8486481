"""A real Slurm by our driver beside plain sbatch on the same cluster: `python -m benchmarks.slurm`, as root.

Jobs a second: from the first submission until Slurm has the last. Time added: what a job that comes alone
waits longer until its first instruction, by `date` in the job itself; plain and ours take turns, since a
scheduler's own pauses are a hundred times as long.
"""

from __future__ import annotations

import json
import select
import statistics
import time
import uuid
from dataclasses import replace
from typing import Any

from baygrid.ports.messages import Order
from tests.centres.site import no_fetch, order
from tests.centres.slurm.clusters import Cluster, cluster
from tests.centres.slurm.sites import SlurmSite

JOBS, ALONE = 200, 60
A_TICK = 20  # orders that an agent takes in between two of its ticks
STAMP = "date +%s.%N"


def measure() -> dict[str, Any]:
    with cluster(cluster="bench", job_age="300") as found:
        site = SlurmSite(found, found.shared / uuid.uuid4().hex)
        figures = {
            "sbatch_per_s": round(_plain_rate(found), 1),
            "baygrid_alike_per_s": round(_rate(site, [_order("alike", n) for n in range(JOBS)]), 1),
            "baygrid_different_per_s": round(
                _rate(site, [replace(_order("other", n), memory_mib=50 + n) for n in range(JOBS)]), 1
            ),
        }
        site.close()
        figures |= _added(found)
    return figures


def _order(kind: str, number: int, run: str = ":") -> Order:
    name = f"{kind}-{number}-{uuid.uuid4().hex}"
    return replace(order(run, name, memory_mib=50), nodes=())


def _plain(found: Cluster, text: str) -> None:
    script = found.shared / "plain"
    script.write_text(f"#!/bin/sh\n{text}\n")
    said = found.ask(
        "sbatch", "--parsable", "--uid=bg-alice", "--gid=bg-alice", "--mem=50", "--cpus-per-task=1",
        "--time=4", "--no-requeue", "--chdir=/", "--output=/dev/null", str(script),
    )  # fmt: skip
    if said.code != 0:
        raise RuntimeError(said.err)


def _plain_rate(found: Cluster) -> float:
    begun = time.perf_counter()
    for _ in range(JOBS):
        _plain(found, ":")
    return JOBS / (time.perf_counter() - begun)


def _rate(site: SlurmSite, orders: list[Order]) -> float:
    """Until each is known to be at Slurm: preparing its folder is part of it."""
    begun = time.perf_counter()
    for number, one in enumerate(orders):
        site.centre.prepare(one, no_fetch)
        site.centre.start(one, site.now())
        if number % A_TICK == 0:
            site.centre.observe([], site.now())
    while True:
        seen = site.centre.observe(orders, site.now())
        if all(one.raw != "not submitted" for one in seen.values()):
            return len(orders) / (time.perf_counter() - begun)
        select.select([site.centre], [], [], 0.01)


def _added(found: Cluster) -> dict[str, Any]:
    plain, ours = [], []
    site = SlurmSite(found, found.shared / uuid.uuid4().hex)
    for number in range(ALONE):
        stamp = found.shared / f"stamps-{number}"
        stamp.mkdir(mode=0o777)
        stamp.chmod(0o777)
        begun = time.time()
        _plain(found, f"{STAMP} >{stamp}/plain")
        submitted = time.time() - begun
        plain.append((_stamped(site, stamp / "plain") - begun, submitted))
        one = _order("alone", number, f"{STAMP} >{stamp}/ours")
        begun = time.time()
        site.centre.prepare(one, no_fetch)
        site.centre.start(one, site.now())
        while site.centre.observe([one], site.now())[one.token].raw == "not submitted":
            select.select([site.centre], [], [], 0.01)
        submitted = time.time() - begun
        ours.append((_stamped(site, stamp / "ours") - begun, submitted))
    site.close()
    figures = {}
    for what, at in (("start", 0), ("submit", 1)):
        figures[f"plain_{what}_p50_ms"] = round(statistics.median(one[at] for one in plain) * 1000, 1)
        figures[f"baygrid_{what}_p50_ms"] = round(statistics.median(one[at] for one in ours) * 1000, 1)
    return figures


def _stamped(site: SlurmSite, path: Any) -> float:
    while not path.exists() or not path.read_text():
        site.centre.observe([], site.now())
        time.sleep(0.005)
    return float(path.read_text())


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
