"""What a restart must find again: running jobs, those who wait for them, the way in after a first start."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.checks import check_money
from tests.faults.processes import PATIENCE_S, Processes, Strike
from tests.faults.region import Client, Json, Region
from tests.faults.templates import Template, template

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
JOBS = 5


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Callable[[], str | None]:
    """Makes an empty one; None is SQLite in the server's own folder."""
    if request.param == "sqlite":
        return lambda: None
    new: Callable[[], str] = request.getfixturevalue("new_database")
    return new


def waiting_job(folder: Path, number: int) -> Json:
    """It runs until somebody writes into its pipe."""
    os.mkfifo(folder / f"pipe-{number}")
    return {
        "name": f"waits-{number}",
        "project": "default",
        "resources": {"cpus": 1, "memory": "512MiB"},
        "time": "5m",
        "outputs": {"answer": "results"},
        "run": (
            f'echo "$BAYGRID_ATTEMPT" >>"{folder}/counter-{number}"\n'
            "echo begun\n"
            f'read -r word <"{folder}/pipe-{number}"\n'
            'echo "read $word"\n'
            'echo "$word" >"$BAYGRID_OUTPUTS/answer/word"\n'
            "sleep 0.02\n"  # so that it costs something
        ),
    }


def release(folder: Path, number: int) -> None:
    """Waits until the job listens; raises TimeoutError when it never does."""
    path = folder / f"pipe-{number}"
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(os.open, path, os.O_WRONLY)
        try:
            pipe = opening.result(PATIENCE_S)
        except TimeoutError:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))  # lets the thread go
            raise
    os.write(pipe, b"word-%d\n" % number)
    os.close(pipe)


@pytest.mark.parametrize("killed", [["agent"], ["server"], ["agent", "server"]], ids="-".join)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_running_jobs_are_found_again(
    processes: Processes, tmp_path: Path, request: pytest.FixtureRequest, kind: str, killed: list[str]
):
    """By the agent that is started again, and by the clients that wait."""
    postgres = request.getfixturevalue("postgres") if kind == "postgresql" else None
    with template(processes, tmp_path / "region", postgres, embedded=False) as begun, begun.copy() as region:
        region.start("server")
        region.start("agent")
        team = region.client(begun.secrets.team)
        jobs = [
            team.post("/v1/jobs", waiting_job(region.folder, n), key=f"job {n}")["id"] for n in range(JOBS)
        ]
        with ThreadPoolExecutor(JOBS) as pool:
            waiters = [pool.submit(team.job_events, job) for job in jobs]
            try:
                crash_and_release(region, team, jobs, killed)
            except BaseException:
                region.close()  # and so the waiters end
                raise
            told = [waiter.result(60) for waiter in waiters]
        check(region, begun, jobs, told)


def crash_and_release(region: Region, team: Client, jobs: list[str], killed: list[str]) -> None:
    """Two crashes while as many run as there are cpus, and one waits for its turn."""
    for job in jobs[:4]:
        until_running(team, job)
    for _ in range(2):
        before = [region.running[which] for which in killed]
        for which in killed:
            region.kill(which)
        region.processes.wait(lambda: all(one.exited is not None for one in before), "their end")  # noqa: B023
        in_touch(region, killed)
    for number in range(JOBS):
        release(region.folder, number)


def until_running(client: Client, job: str) -> None:
    for event in client.events(f"/v1/jobs/{job}/events"):
        if event["kind"] == "attempt-running":
            return


def in_touch(region: Region, killed: list[str]) -> None:
    """An agent that was started again has had answers: what runs here is known to it and the server."""
    region.until_up("server")
    if "agent" in killed:
        agent = region.agent
        region.processes.wait(
            lambda: sum(hit[0] == "transport.receive.after" for hit, _ in agent.hits) >= 2, f"{agent} at work"
        )


def check(region: Region, begun: Template, jobs: list[str], told: list[list[Json]]) -> None:
    team, operator = region.client(begun.secrets.team), region.client(begun.secrets.operator)
    found = [team.get(f"/v1/jobs/{job}") for job in jobs]
    for number, (job, events) in enumerate(zip(found, told, strict=True)):
        assert job["state"] == "SUCCEEDED", job
        assert events == team.get(f"/v1/jobs/{job['id']}/events?limit=500")["items"]
        runs = (region.folder / f"counter-{number}").read_text().split()
        assert runs == [attempt["id"] for attempt in job["attempts"]]
        assert team.log(job["id"]) == b"begun\nread word-%d\n" % number
        assert b"word-%d\n" % number in team.send("GET", f"/v1/jobs/{job['id']}/outputs/answer")
    check_money(team, operator, found)


def test_a_first_start_that_is_killed_at_any_point_leaves_a_way_in(
    processes: Processes, tmp_path: Path, database: Callable[[], str | None]
):
    """The operator's secret is shown once: where it is lost, nobody ever gets in."""
    region = Region(processes, tmp_path / "recorded", embedded=True, database=database())
    region.folder.mkdir()
    region.start("server")
    hits = [hit for hit, _ in region.until_up("server").hits]
    region.close()
    assert len(hits) >= 4
    for number, hit in enumerate(hits):
        region = Region(processes, tmp_path / str(number), embedded=True, database=database())
        region.folder.mkdir()
        region.start("server", Strike(*hit))
        processes.wait(lambda region=region: bool(region.ended), f"{hit}")  # type: ignore[misc]
        region.until_up("server")
        operator = region.client((region.folder / "server" / "operator.token").read_text())
        assert [token["role"] for token in operator.get("/v1/tokens")["items"]] == ["operator"], hit
        (project,) = operator.get("/v1/projects")["items"]
        assert project["granted"]["minor"] == project["free"]["minor"] == 100_000_00, hit
        assert [offer["id"] for offer in operator.get("/v1/offers")["items"]] == ["local-main"], hit
        assert [path.name for path in (region.folder / "server").glob("operator*")] == ["operator.token"]
        region.close()


def test_a_server_that_is_told_to_stop_resigns(processes: Processes, tmp_path: Path):
    """And ends well: the next one leads at once."""
    region = Region(processes, tmp_path, embedded=True)
    region.start("server")
    region.until_up("server")
    while region.client("").get("/healthz")["role"] != "leader":
        seen = len(region.server.hits)
        processes.wait(lambda seen=seen: len(region.server.hits) > seen, "its campaign")  # type: ignore[misc]
    assert processes.end(region.server, signal.SIGTERM) == 0
    with closing(sqlite3.connect(tmp_path / "server" / "baygrid.db")) as connection:
        assert connection.execute("SELECT holder, until FROM leader").fetchall() == [("", 0)]
