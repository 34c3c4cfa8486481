"""The drill: a backup while jobs run, the server lost, the backup restored, and an agent that finds it again.
Nothing is lost that the backup has, and nothing runs or is charged twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from baygrid.store.backup import BackupError
from baygrid.wiring.backups import backup, restored
from baygrid.wiring.settings import ServerSettings
from tests.faults.processes import Processes
from tests.faults.region import Client, Region
from tests.faults.templates import Template, template
from tests.faults.test_restart import JOBS, check, release, until_running, waiting_job

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_restored_region_goes_on(
    processes: Processes, tmp_path: Path, request: pytest.FixtureRequest, kind: str
):
    postgres = request.getfixturevalue("postgres") if kind == "postgresql" else None
    with template(processes, tmp_path / "region", postgres, embedded=False) as begun, begun.copy() as region:
        region.start("server")
        region.start("agent")
        team = region.client(begun.secrets.team)
        jobs = [submit(region, team, number) for number in range(JOBS)]
        for job in jobs[:4]:
            until_running(team, job)
        saved = str(tmp_path / "backup")
        backup(settings(region), saved)
        processes.end(region.server)
        lose(region, postgres and (lambda: str(postgres.url(postgres.create(), "postgresql"))))
        restored(settings(region), saved)
        region.start("server")
        for number in range(JOBS):
            release(region.folder, number)
        check_all(region, begun, team, jobs)


def submit(region: Region, team: Client, number: int) -> str:
    return str(team.post("/v1/jobs", waiting_job(region.folder, number), key=f"job {number}")["id"])


def settings(region: Region) -> ServerSettings:
    return ServerSettings(region.folder / "server", database=region._database)


def lose(region: Region, new: Callable[[], str] | None) -> None:
    """All that the server had."""
    (region.folder / "server").rename(region.folder / "lost")
    if new is not None:
        region._database = new()


def ended(team: Client, job: str) -> None:
    for event in team.events(f"/v1/jobs/{job}/events"):
        if event["kind"] == "job-succeeded":
            return


def check_all(region: Region, begun: Template, team: Client, jobs: list[str]) -> None:
    for job in jobs:
        ended(team, job)
    told = [team.get(f"/v1/jobs/{job}/events?limit=500")["items"] for job in jobs]
    check(region, begun, jobs, told)


def test_what_is_there_is_not_written_over(processes: Processes, tmp_path: Path):
    with template(processes, tmp_path / "region", None, embedded=False) as begun, begun.copy() as region:
        region.start("server")
        region.until_up("server")
        saved = tmp_path / "backup"
        backup(settings(region), str(saved))
        with pytest.raises(BackupError, match="something is there already"):
            backup(settings(region), str(saved))
        processes.end(region.server)
        before = {path: path.read_bytes() for path in (region.folder / "server").rglob("*") if path.is_file()}
        with pytest.raises(BackupError, match="already"):
            restored(settings(region), str(saved))
        assert all(path.read_bytes() == data for path, data in before.items())
        altered = saved / "database" / "baygrid.db"
        altered.write_bytes(altered.read_bytes()[:-1] + b"x")
        with pytest.raises(BackupError, match="was altered"):
            restored(ServerSettings(tmp_path / "elsewhere"), str(saved))
        assert not (tmp_path / "elsewhere" / "baygrid.db").exists()
        (saved / "manifest.json").unlink()
        with pytest.raises(BackupError, match="no whole backup"):
            restored(ServerSettings(tmp_path / "nowhere"), str(saved))
