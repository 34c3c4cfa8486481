"""A job with a checkpoint through all of it: server, agent, driver and real processes."""

from __future__ import annotations

import select
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from baygrid.app import blobs, jobs, logs, secrets, sync
from baygrid.centres import steps
from baygrid.centres.agent import Agent
from baygrid.centres.journal import FileJournal
from baygrid.centres.keys import Key
from baygrid.centres.local import LocalCentre, parse_nodes, processes
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.ports.messages import Desired, Report, ReportAnswer
from tests.app.stage import Site, Stage
from tests.centres.test_checkpoint import COUNTS

PATIENCE_S = 60


class Direct:
    """`ports.centre.Transport` as calls."""

    def __init__(self, stage: Stage, site: Site) -> None:
        self._platform, self._actor = stage.platform, site.actor

    def report(self, report: Report) -> ReportAnswer:
        return sync.take_report(self._platform, self._actor, report)

    def desired(self, incarnation: int, after: int, wait_s: float) -> Desired:
        return sync.desired(self._platform, self._actor, incarnation, after) or Desired(after, (), ())

    def append_log(self, attempt: str, token: str, offset: int, data: bytes) -> int:
        return logs.append(self._platform, self._actor, attempt, token, offset, data)

    def secrets(self, attempt: str, token: str) -> Mapping[str, str]:
        return secrets.deliver(self._platform, self._actor, attempt, token)

    def put_blob(self, sha256: str, path: Path) -> None:
        data = path.read_bytes()
        blobs.put(self._platform, self._actor, sha256, 0, len(data), iter([data]))

    def fetch_blob(self, sha256: str) -> Iterator[bytes]:
        return blobs.get(self._platform, self._actor, sha256)[1]


class Region:
    """One centre on this machine."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage()
        self.stage.now = time.time_ns() // 1_000_000
        site = self.stage.add_site("here")
        site.incarnation = 0
        nodes = parse_nodes(["here-0:cpus=8,memory=64"])
        self.centre = LocalCentre(folder / "root", nodes, path=f"{Path(sys.executable).parent}:/usr/bin:/bin")
        self.transport = Direct(self.stage, site)
        journal = FileJournal(folder / "journal")
        self.agent = Agent("here", self.centre, journal, Key.new(), self.clock(), epoch=self.centre.epoch)
        self._end = time.monotonic() + PATIENCE_S

    def clock(self) -> int:
        self.stage.now = time.time_ns() // 1_000_000
        return self.stage.now

    def step(self) -> None:
        assert time.monotonic() < self._end, "nothing happened for too long"
        self.stage.schedule()
        wanted = self.transport.desired(self.agent.incarnation, self.agent.gen, 0)
        self.agent.take(wanted, self.clock())
        at = steps.step(self.agent, self.centre, self.transport, self.clock)
        pause = 50 if at is None else min(50, max(0, at - self.clock()))
        select.select([self.centre], [], [], pause / 1000)

    def close(self) -> None:
        for attempt in list(self.centre._lifecycle.attempts.values()):
            if attempt.pid:
                processes.signal_group(attempt.pid, signal.SIGKILL)
        self.centre.close()


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    region = Region(tmp_path)
    yield region
    region.close()


def log_of(region: Region, job: str, attempt: str) -> str:
    return logs.read(region.stage.platform, region.stage.team, job, attempt, 0, 1 << 20).data.decode()


def test_a_job_that_is_preempted_twice_counts_to_the_end(region: Region):
    stage = region.stage
    checkpoint = {"signal": "USR1", "grace": "30s", "path": "out/ckpt"}
    (id,) = stage.submit({"run": COUNTS, "envs": {"UNTIL": "300"}, "checkpoint": checkpoint})
    for n in (1, 2):
        attempts: tuple = ()
        while len(attempts) < n or "counted" not in log_of(region, id, attempts[-1].id):
            region.step()
            attempts = jobs.job(stage.platform, stage.team, id).attempts
        stage.preempt(attempts[-1].id)
        while not jobs.job(stage.platform, stage.team, id).attempts[n - 1].state.final:
            region.step()
    while not jobs.job(stage.platform, stage.team, id).job.state.final:
        region.step()
    view = jobs.job(stage.platform, stage.team, id)
    assert view.job.state is JobState.SUCCEEDED
    states = [attempt.state for attempt in view.attempts]
    assert states == [AttemptState.PREEMPTED, AttemptState.PREEMPTED, AttemptState.SUCCEEDED]
    begun = [0, *(int(log_of(region, id, a.id).split()[2]) for a in view.attempts[1:])]
    assert begun == sorted(begun)
    assert begun[1] > 0, "it goes on where it was"
    counted = [
        line for a in view.attempts for line in log_of(region, id, a.id).splitlines() if "counted" in line
    ]
    assert [int(line.split()[1]) for line in counted][-1] == 300
    # What was counted between the note and the end of an attempt is counted again; nothing is left out.
    assert {int(line.split()[1]) for line in counted} == set(range(1, 301))
