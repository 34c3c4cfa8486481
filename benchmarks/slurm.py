"""A real Slurm by our driver beside plain sbatch on the same cluster, as root.

Jobs a second: from the first submission until Slurm has the last. Time added to a job that comes
alone: until Slurm has it, and from the first line of its script to its own first instruction. `start` is both
with Slurm's own pause between, a hundred times as long and not the same twice. Plain and ours take turns.
"""

from __future__ import annotations

import select
import statistics
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from baygrid.centres.folder.files import Files
from baygrid.centres.queued.script import SCRIPT, write_task
from baygrid.centres.slurm.engine import LAUNCH
from baygrid.centres.slurm.running import Said, runner
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
    site = SlurmSite(found, found.shared / uuid.uuid4().hex)
    answered: list[float] = []
    run = runner(found.settings)

    def noted(argv: Sequence[str]) -> Said:
        said = run(argv)
        if argv[0] == "sbatch":
            answered.append(time.time())
        return said

    site.run = noted
    site.restart()
    samples = [_alone(found, site, number, answered) for number in range(ALONE)]
    site.close()
    p50 = {name: statistics.median(one[name] for one in samples) * 1000 for name in samples[0]}
    added = sum(p50[f"baygrid_{part}"] - p50[f"plain_{part}"] for part in ("submit", "script"))
    return {f"{name}_p50_ms": round(value, 1) for name, value in (p50 | {"added": added}).items()}


def _alone(found: Cluster, site: SlurmSite, number: int, answered: list[float]) -> dict[str, float]:
    """Seconds. `answered`: when each of our submissions was."""
    folder = found.shared / f"stamps-{number}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    plain, ours = folder / "plain", folder / "ours"
    begun = [time.time()]
    _plain(found, f"{STAMP} >{plain}")
    submitted = [time.time()]
    began = [_stamped(site, plain)]
    one = _order("alone", number, f"{STAMP} >{ours}")
    begun.append(time.time())
    site.centre.prepare(one, no_fetch)
    site.centre.start(one, site.now())
    while site.centre.observe([one], site.now())[one.token].raw == "not submitted":
        select.select([site.centre], [], [], 0.01)
    submitted.append(answered[-1])
    began.append(_stamped(site, ours))
    scripts = [_script_alone(folder, run) for run in (_plain_script, _our_script)]
    return {
        f"{whose}_{part}": seconds[side]
        for side, whose in enumerate(("plain", "baygrid"))
        for part, seconds in {
            "start": [one - other for one, other in zip(began, begun, strict=True)],
            "submit": [one - other for one, other in zip(submitted, begun, strict=True)],
            "script": scripts,
        }.items()
    }


def _script_alone(folder: Path, written: Callable[[Path, str], Path]) -> float:
    """As a node runs it, from nothing to the job's own first instruction."""
    stamp = folder / written.__name__
    script = written(folder, f"{STAMP} >{stamp}")
    begun = time.time()
    subprocess.run(["/bin/sh", script], check=True)
    return float(stamp.read_text()) - begun


def _plain_script(folder: Path, run: str) -> Path:
    script = folder / "script"
    script.write_text(f"#!/bin/sh\n{run}\n")
    return script


def _our_script(folder: Path, run: str) -> Path:
    files = Files(str(folder / "attempt"))
    Path(files.path("work")).mkdir(parents=True)
    write_task(files, _order("script", 0, run), LAUNCH, "bench", None)
    return Path(files.path(SCRIPT))


def _stamped(site: SlurmSite, path: Path) -> float:
    while not path.exists() or not path.read_text():
        site.centre.observe([], site.now())
        time.sleep(0.005)
    return float(path.read_text())
