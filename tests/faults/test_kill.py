"""A server or an agent is killed at each of its commits, sends, receives and journal writes, one a trial.

The points are those that a run without a crash comes by. The killed process is started again at once, the
client repeats its requests, and then everything must be as if nothing had happened. Run with -s to see how
many points there were and how long each took.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.faults.checks import check_money, check_succeeded, counted_job, workdir
from tests.faults.processes import Hit, Impatient, Processes, Strike
from tests.faults.region import Refused, Region
from tests.faults.templates import Template, template

JOB_S = "0.1"
TAIL_S = 0.6
"""How long after everything has been checked a run without a crash is watched for more points."""
LATE_S = 2.0
CHECKS_S = 0.1
AT_ONCE = 3


@dataclass(frozen=True)
class Point:
    """`late`: it comes after the job's end, so it is waited for before anything is checked."""

    kind: str
    hit: Hit
    late: bool

    def __str__(self) -> str:
        return f"{self.kind} at {self.hit[0]} {self.hit[1]}"


def carry_out(region: Region, template: Template, point: Point | None) -> None:
    """One job from its submission to its bill."""
    team, operator = region.client(template.secrets.team), region.client(template.secrets.operator)
    for kind in ("server",) if template.embedded else ("server", "agent"):
        region.start(kind, Strike(*point.hit) if point is not None and point.kind == kind else None)
    counter = region.folder / "counter"
    packed = workdir()
    team.send("PUT", f"/v1/blobs/{hashlib.sha256(packed).hexdigest()}", packed)
    job = team.post("/v1/jobs", counted_job(counter, seconds=JOB_S), key="the only one")["id"]
    told = team.job_events(job)
    if point is not None and point.late and not region.ended:
        try:
            region.processes.wait(lambda: bool(region.ended), str(point), LATE_S)
        except Impatient:
            return  # this time it did not come by again
    check_money(team, operator, [check_succeeded(team, job, told, counter)])
    assert len(team.get("/v1/jobs")["items"]) == 1


def points(template: Template) -> list[Point]:
    """What two runs both come by, in the order of the second: a slow one reports and asks more often, and
    what only such a run comes by would be waited for in vain. Late in one is late."""
    first = {(point.kind, point.hit): point for point in _come_by(template)}
    both = [(point, first.get((point.kind, point.hit))) for point in _come_by(template)]
    return [replace(point, late=point.late or other.late) for point, other in both if other is not None]


def _come_by(template: Template) -> list[Point]:
    """What one run without a crash comes by."""
    with template.copy() as region:
        carry_out(region, template, None)
        done = time.monotonic()
        with contextlib.suppress(Impatient):
            region.processes.wait(lambda: False, "more points", TAIL_S)
        return [
            Point(process.kind, hit, late=at > done - CHECKS_S)
            for process in region.running.values()
            for hit, at in process.hits
        ]


def try_all(template: Template, chosen: list[Point], *, both: bool) -> None:
    """A few at a time, since a trial mostly waits. Fails with all that went wrong."""

    def trial(point: Point) -> str:
        """What went wrong."""
        try:
            with template.copy(both=both) as region:
                carry_out(region, template, point)
                killed.append(bool(region.ended))
        except (AssertionError, Refused):
            return f"{point}: {traceback.format_exc(limit=-1)}"
        return ""

    killed: list[bool] = []
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [what for what in pool.map(trial, chosen) if what]
    took = (time.monotonic() - began) / len(chosen)
    said = f"{len(chosen)} points, {sum(killed)} came by again, {len(wrong)} wrong, {took:.2f} s each\n"
    sys.stdout.write(said)
    assert not wrong, "\n".join(wrong)
    assert sum(killed) > 0.9 * len(chosen), "a run with a crash is not like the one without any more"


WAYS = ("alone", "both", "embedded")
"""Killed alone, or together with the other; or the server with the agent in it."""
DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture
def make(
    request: pytest.FixtureRequest, processes: Processes, tmp_path: Path
) -> Callable[[str, str], AbstractContextManager[Template]]:
    def made(database: str, way: str) -> AbstractContextManager[Template]:
        postgres = request.getfixturevalue("postgres") if database == "postgresql" else None
        return template(processes, tmp_path / "region", postgres, embedded=way == "embedded")

    return made


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("database", DATABASES)
def test_every_third_point(make, database, way):
    with make(database, way) as begun:
        found = points(begun)
        try_all(begun, random.Random(way).sample(found, len(found) // 3), both=way == "both")


@pytest.mark.campaign
@pytest.mark.timeout(0)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("database", DATABASES)
def test_every_point(make, database, way):
    with make(database, way) as begun:
        try_all(begun, points(begun), both=way == "both")
