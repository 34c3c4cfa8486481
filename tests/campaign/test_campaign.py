"""One thing after another goes wrong in a real region over a real Slurm and a real Ray, in a seeded order."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

import pytest

from tests import services
from tests.campaign import checks, network
from tests.campaign.book import Book, until
from tests.campaign.engine import Engine
from tests.campaign.faults import EVERYWHERE, Fault
from tests.campaign.hours import Hours
from tests.campaign.jobs import Stream
from tests.campaign.proxy import Proxy
from tests.campaign.ray import ray
from tests.campaign.ray_faults import OF_RAY
from tests.campaign.region import PORT, Region
from tests.campaign.slurm import slurm
from tests.campaign.slurm_faults import OF_SLURM, SLOW
from tests.centres.slurm import clusters

SEED = int(os.environ.get("BAYGRID_SEED", "4"))
JOBS = 500
GATED = 3  # of one fault run when it comes
AT_RAY = 5  # of one fault there: each costs Ray some seconds of a processor
ENGINES: dict[str, Callable[[network.Holder, Path, Hours], AbstractContextManager[Engine]]] = {
    "slurm": slurm,
    "ray": ray,
}
WHOLE = Fault("nothing is wrong", lambda region, engine: nullcontext())
NAMED = {fault.name: fault for fault in (*EVERYWHERE, *OF_SLURM, *SLOW, *OF_RAY)}

Plan = Sequence[tuple[str, Fault]]
"""At the centre of which engine, what."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """That users of jobs may pass through."""
    made = Path(tempfile.mkdtemp(prefix="baygrid-campaign-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def run(folder: Path, plan: Plan, jobs: int) -> None:
    """So many jobs over these faults, at a region of the engines that they name."""
    try:
        with ExitStack() as stack:
            _run(folder, plan, jobs, stack)
    except (network.Missing, clusters.Missing, services.Missing) as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


def _run(folder: Path, plan: Plan, jobs: int, stack: ExitStack) -> None:
    chance = random.Random(SEED)
    names = [name for name in ENGINES if any(name == where for where, _ in plan)]
    net = stack.enter_context(network.network(*names))
    hours = Hours(folder / "hours")
    engines = {
        name: stack.enter_context(ENGINES[name](net.places[name], folder / name, hours)) for name in names
    }
    proxy = Proxy(net.places["server"], PORT, chance)
    stack.callback(proxy.close)
    region = Region(folder / "region", net, proxy, hours)
    region.folder.mkdir()
    stack.callback(region.close)
    try:
        region.begin(*(engine.centre for engine in engines.values()))
        campaign(region, engines, Stream(region.operator, book(folder), folder, chance), plan, jobs)
    except BaseException as error:
        error.add_note(region.said())
        raise


def book(folder: Path) -> Book:
    """A file that every user may add to."""
    path = folder / "book"
    path.touch()
    path.chmod(0o666)
    return Book(path)


def campaign(region: Region, engines: dict[str, Engine], stream: Stream, plan: Plan, jobs: int) -> None:
    """First with nothing wrong. A Ray gets AT_RAY of each fault, a Slurm its part of the rest."""
    whole = [(name, WHOLE) for name in engines]
    left = [*whole, *plan]
    while left:
        (name, fault), begun = left.pop(0), time.monotonic()
        rays, slurms = (sum(name == kind for name, _ in left) + (name == kind) for kind in ("ray", "slurm"))
        rest = jobs - len(stream.jobs)
        count = min(AT_RAY, rest // rays) if name == "ray" else (rest - AT_RAY * rays) // slurms
        phase(region, engines[name], stream, fault, count)
        sys.stderr.write(f"{name}: {fault.name}: {count} jobs, {time.monotonic() - begun:.1f} s\n")
    checks.check_money(stream.client)


def phase(region: Region, engine: Engine, stream: Stream, fault: Fault, count: int) -> None:
    """Some run when it happens and end meanwhile, others come meanwhile or after."""
    gate = stream.folder / f"gate-{len(stream.jobs)}"
    gated = stream.submit(engine, min(GATED, count), gate)
    numbers = {job.number for job in gated}
    until(lambda: numbers <= stream.book.numbers("begin"), f"the begin of all before {fault.name}")
    with fault.block(region, engine):
        more = stream.submit(engine, count - len(gated)) if fault.submits else []
        if not fault.ends_after:
            gate.touch()
        if not (fault.ends_after or fault.interrupts):
            until(lambda: numbers <= stream.book.numbers("end"), f"the end of what ran while {fault.name}")
    gate.touch()
    if not fault.submits:
        more = stream.submit(engine, count - len(gated))
    checks.check(region, engine, stream, [*gated, *more], fault)


def shuffled(plan: Plan) -> Plan:
    made = list(plan)
    random.Random(SEED).shuffle(made)
    return made


@pytest.mark.slow
@pytest.mark.slurm
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("campaign")
def test_a_slice_of_the_campaign_at_slurm(folder: Path):
    some = (
        "the link is cut for an hour",
        "the agent is killed",
        "slurmctld dies after a submission",
        "syncs come twice and in another order",
    )
    run(folder, shuffled([("slurm", NAMED[name]) for name in some]), 25)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("campaign")
def test_a_slice_of_the_campaign_at_ray(folder: Path):
    some = ("the agent is killed", "Ray restarts and has forgotten all")
    run(folder, [("ray", NAMED[name]) for name in some], 11)


@pytest.mark.campaign
@pytest.mark.slurm
@pytest.mark.ray
@pytest.mark.timeout(7_200)
def test_the_campaign(folder: Path):
    """Every fault at every centre where there is such a thing, at Slurm twice."""
    at_slurm = [("slurm", fault) for fault in (*EVERYWHERE, *OF_SLURM)] * 2
    at_slurm += [("slurm", fault) for fault in SLOW]
    at_ray = [("ray", fault) for fault in (*EVERYWHERE, *OF_RAY)]
    run(folder, shuffled([*at_slurm, *at_ray]), JOBS)
