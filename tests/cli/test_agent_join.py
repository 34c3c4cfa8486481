"""An agent joins, renews its credential and is refused, as its operator sees it: real processes over HTTP."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.live import BAYGRID, PATIENCE_S, Live

pytestmark = pytest.mark.slow

NODES = ["--as-me", "--node", "h1:cpus=4,memory=16", "--node", "gpu/g1:cpus=8,memory=64,H100=2"]
PRICES = ["--accelerator-hour", "H100=20", "--cpu-hour", "0.15", "--gib-hour", "0.01"]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    live = Live(tmp_path)
    yield live
    live.close()


class Agent:
    """One that joins with the printed command, or starts again."""

    def __init__(self, live: Live, folder: Path, command: str, *more: str) -> None:
        words = shlex.split(command)
        token = dict([words.pop(0).split("=", 1)]) if "=" in words[0] else {}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("BAYGRID_", "XDG_"))}
        self.process = subprocess.Popen(
            [BAYGRID, *words[1:], *more, "--state", str(folder / "agent")],
            env={**kept, "HOME": str(folder / "centre"), "COLUMNS": "200", **token},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def first_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self) -> tuple[int, str, str]:
        """Its exit code and what it said."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err

    def stop(self) -> None:
        self.process.terminate()
        self.end()


def shown(live: Live, name: str = "harbour") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(live.call("centres", "show", name, "--json"))
    return found


def test_from_the_printed_line_to_a_job_that_runs(live, tmp_path):
    made = json.loads(live.call("centres", "create", "harbour", "-j", "HK", "--with-offers", "--json"))
    agent = Agent(live, tmp_path, made["command"], *NODES, *PRICES, "--yes", "--json")
    joined = json.loads(agent.first_line())
    assert joined["offers_made"] == ["harbour-main", "harbour-gpu-H100"]
    assert (joined["driver"], joined["centre"]) == ("local", "harbour")
    live.until(lambda: shown(live)["reachable"], "its first report")
    assert "gang" in shown(live)["capabilities"]
    job = live.submit(resources={"cpus": 2, "memory": 1}, time="10m")
    live.until(lambda: live.state(job) == "SUCCEEDED", "the end of the job")
    secret = (tmp_path / "agent" / "credential").read_text().strip()
    assert (tmp_path / "agent" / "credential").stat().st_mode & 0o777 == 0o600

    live.call("centres", "rotate", "harbour")
    live.until(
        lambda: (tmp_path / "agent" / "credential").read_text().strip() != secret, "another credential"
    )
    live.until(lambda: not shown(live)["renewing"], "the first use of it")
    agent.stop()

    again = Agent(live, tmp_path, "BAYGRID_TOKEN=somebodys baygrid agent --centre harbour")
    assert "main: 1 node, 4 cpus" in again.first_line(), "as it joined"
    job = live.submit(resources={"cpus": 2, "memory": 1}, time="10m")
    live.until(lambda: live.state(job) == "SUCCEEDED", "a job: its own credential, not the shell's token")
    live.call("centres", "revoke", "harbour")
    code, _, err = again.end()
    assert code == 1
    assert "was taken back" in err
    assert "baygrid centres invite harbour" in err
    assert Agent(live, tmp_path, "baygrid agent --centre harbour").end()[0] == 1

    back = json.loads(live.call("centres", "invite", "harbour", "--json"))
    joined_again = Agent(live, tmp_path, back["command"], *NODES, "--yes")
    assert "harbour: driver local" in joined_again.first_line()
    live.until(lambda: shown(live)["reachable"], "its report")
    joined_again.stop()


def test_a_drained_centre_shows_what_still_runs_and_waits_for_its_end(live, tmp_path):
    command = live.call("centres", "create", "harbour", "-j", "HK", "--with-offers").strip()
    agent = Agent(live, tmp_path, command, *NODES, *PRICES, "--yes")
    agent.first_line()
    live.until(lambda: shown(live)["reachable"], "its report")
    flag = tmp_path / "flag"
    run = f"while [ ! -e {flag} ]; do sleep 0.05; done"
    job = live.submit(resources={"cpus": 2, "memory": 1}, time="10m", run=run)
    live.until(lambda: live.state(job) == "ACTIVE", "its start")
    told = live.call("centres", "drain", "harbour")
    assert "harbour is drained; 1 job there" in told
    assert job in told
    flag.touch()
    assert "jobs" in json.loads(live.call("centres", "drain", "harbour", "--wait", "--json"))
    assert live.state(job) == "SUCCEEDED"
    assert live.call("centres", "drain", "harbour") == "harbour is drained\n"
    agent.stop()


def test_what_is_found_is_shown_and_the_operator_is_told_the_offers(live, tmp_path):
    command = live.call("centres", "create", "harbour", "-j", "HK").strip()
    agent = Agent(live, tmp_path, command, *NODES, *PRICES, "--yes")
    lines = [agent.first_line() for _ in range(9)]
    assert lines[0].startswith("harbour: driver local ")
    assert any("joined harbour" in line for line in lines)
    agent.process.terminate()
    _, _, err = agent.end()
    assert "baygrid offers create --centre harbour --partition gpu --accelerator H100 --currency CNY" in err
    assert json.loads(live.call("offers", "--json")) == []


def test_nothing_happens_without_a_yes(live, tmp_path):
    command = live.call("centres", "create", "harbour", "-j", "HK").strip()
    agent = Agent(live, tmp_path, command, *NODES)
    code, _, err = agent.end()
    assert code == 1
    assert "--yes" in err
    assert not (tmp_path / "agent" / "credential").exists()


def test_a_used_token_is_told_with_its_cure(live, tmp_path):
    command = live.call("centres", "create", "harbour", "-j", "HK").strip()
    first = Agent(live, tmp_path, command, *NODES, "--yes")
    first.first_line()
    live.until(lambda: shown(live)["reachable"], "its report")
    first.stop()
    (tmp_path / "other").mkdir()
    code, _, err = Agent(live, tmp_path / "other", command, *NODES, "--yes").end()
    assert code == 1
    assert "was used by another agent" in err
    assert "baygrid centres invite harbour" in err
