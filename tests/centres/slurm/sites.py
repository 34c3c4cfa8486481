"""A centre under test that is a real Slurm."""

import select
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from baygrid.centres.queued import Pace, QueuedCentre
from baygrid.centres.slurm import SlurmEngine, account_of
from baygrid.centres.slurm.running import Run
from tests.centres.slurm.clusters import USERS, Cluster, lines

PATIENCE_S = 90
PACE = Pace(soon=50, tick=400, settle=1_000, lag=20_000, silent=30_000, again=100, again_most=1_000)


def now() -> int:
    return time.time_ns() // 1_000_000


class SlurmSite:
    managed = False

    def __init__(self, cluster: Cluster, root: Path, pace: Pace = PACE, *, as_me: bool = False) -> None:
        """`as_me`: jobs run as root."""
        self.cluster, self.root, self._pace = cluster, root, pace
        self._settings = cluster.settings
        if as_me:
            self._settings = replace(self._settings, accounts={}, as_me=True)
        self.run: Run | None = None
        self.patience(PATIENCE_S)
        self.centre = self._new()

    def patience(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def now(self) -> int:
        return now()

    def wait(self) -> None:
        assert time.monotonic() < self._end, f"nothing happened for too long: {self.centre.trouble}"
        at = self.centre.wake_at(self.now())
        pause = 50 if at is None else min(50, max(0, at - self.now()))  # a log may grow unseen
        select.select([self.centre], [], [], pause / 1000)

    def restart(self) -> None:
        self.centre.close()
        self.centre = self._new()

    def close(self) -> None:
        self.centre.close()
        for user in (*USERS, "root"):
            self.cluster.ask("scancel", "--full", "--signal=KILL", f"--user={user}")
            self.cluster.ask("scancel", f"--user={user}")
        end = time.monotonic() + 30
        while lines(self.cluster.ask("squeue", "--noheader", "--states=running,pending")):
            assert time.monotonic() < end
            time.sleep(0.1)

    def _new(self) -> QueuedCentre:
        engine = SlurmEngine(self._settings, self.root.parent / f"{self.root.name}.engine", now, self.run)
        whose = partial(account_of, self._settings)
        return QueuedCentre(self.root, engine, name="slurm", account_of=whose, pace=self._pace)
