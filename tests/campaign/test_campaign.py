"""One thing after another goes wrong in a real region over a real Slurm, in a seeded order."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.campaign import checks, network
from tests.campaign.faults import FAULTS, SLOW, Fault
from tests.campaign.jobs import Book, Stream, until
from tests.campaign.proxy import Proxy
from tests.campaign.region import PORT, Region
from tests.campaign.slurm import Slurm, slurm
from tests.centres.slurm import clusters

SEED = int(os.environ.get("BAYGRID_SEED", "4"))
JOBS, SLICE_JOBS, SLICE_FAULTS = 500, 60, 9
GATED = 3  # of one fault run when it comes


@pytest.fixture
def folder() -> Iterator[Path]:
    """That users of jobs may pass through."""
    made = Path(tempfile.mkdtemp(prefix="baygrid-campaign-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def run(folder: Path, faults: list[Fault], jobs: int) -> None:
    """So many jobs over these faults."""
    chance = random.Random(SEED)
    try:
        with network.network("slurm") as net, slurm(net.places["slurm"], folder / "slurm") as engine:
            proxy = Proxy(net.places["server"], PORT, chance)
            region = Region(folder, net, proxy)
            try:
                region.begin(engine.centre)
                campaign(region, engine, Stream(region.operator, book(folder), folder, chance), faults, jobs)
            except BaseException as error:
                error.add_note(region.said())
                raise
            finally:
                region.close()
                proxy.close()
    except (network.Missing, clusters.Missing) as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


def book(folder: Path) -> Book:
    """A file that every user may add to."""
    path = folder / "book"
    path.touch()
    path.chmod(0o666)
    return Book(path)


def campaign(region: Region, engine: Slurm, stream: Stream, faults: list[Fault], jobs: int) -> None:
    whole = Fault("nothing is wrong", lambda region, slurm: nullcontext())
    for number, fault in enumerate([whole, *faults]):
        begun = time.monotonic()
        each = (jobs - len(stream.jobs)) // (len(faults) + 1 - number)
        phase(region, engine, stream, fault, each)
        sys.stderr.write(f"{fault.name}: {each} jobs, {time.monotonic() - begun:.1f} s\n")
    checks.check_money(stream.client)


def phase(region: Region, engine: Slurm, stream: Stream, fault: Fault, count: int) -> None:
    """Some run when it happens and end meanwhile, others come meanwhile or after."""
    gate = stream.folder / f"gate-{len(stream.jobs)}"
    name = engine.centre.name
    gated = stream.submit(name, min(GATED, count), gate)
    numbers = {job.number for job in gated}
    until(lambda: numbers <= stream.book.numbers("begin"), f"the begin of all before {fault.name}")
    with fault.block(region, engine):
        more = stream.submit(name, count - len(gated)) if fault.submits else []
        if not fault.ends_after:
            gate.touch()
        if not (fault.ends_after or fault.interrupts):
            until(lambda: numbers <= stream.book.numbers("end"), f"the end of what ran while {fault.name}")
    gate.touch()
    if not fault.submits:
        more = stream.submit(name, count - len(gated))
    checks.check(region, engine, stream, [*gated, *more], fault)


@pytest.mark.campaign
@pytest.mark.slurm
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("campaign")
def test_a_slice_of_the_campaign(folder: Path):
    faults = list(FAULTS)
    random.Random(SEED).shuffle(faults)
    run(folder, faults[:SLICE_FAULTS], SLICE_JOBS)


@pytest.mark.campaign
@pytest.mark.slurm
@pytest.mark.timeout(7_200)
def test_the_campaign(folder: Path):
    """Every fault three times."""
    faults = [*FAULTS, *SLOW] * 3
    random.Random(SEED).shuffle(faults)
    run(folder, faults, JOBS)
