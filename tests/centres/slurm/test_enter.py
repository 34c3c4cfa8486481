"""A user's commands inside a job of a real Slurm 22.05, through a server and an agent of its own."""

import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.centres.slurm.clusters import Cluster
from tests.cli.test_end_to_end import BAYGRID, TIMEOUT, Home
from tests.cli.test_inside import _forwarding, _until
from tests.services import free_port

pytestmark = [pytest.mark.slow, pytest.mark.slurm, pytest.mark.xdist_group("slurm")]
WANTED = {"cpus": 1, "memory": 1, "accelerators": "H100:1"}


@pytest.fixture
def home(tmp_path: Path, slurm22: Cluster) -> Iterator[Home]:
    """With one more centre: the Slurm, `far`."""
    home = Home(tmp_path)
    home.start()
    made = home.ask("centres", "create", "far", "-j", "HK", "--with-offers")
    argv = [BAYGRID, "agent", "join", "--server", f"http://127.0.0.1:{home.port}", "--centre", "far"]
    argv += ["--driver", "slurm", "--option", f"conf={slurm22.settings.conf}"]
    argv += ["--account-map", "default=bg-alice"]
    argv += ["--state", str(tmp_path / "far"), "--option", f"root={slurm22.shared}/entered", "--yes"]
    argv += ["--cpu-hour", "1", "--gib-hour", "0", "--accelerator-hour", "1"]
    token = {"BAYGRID_JOIN_TOKEN": made.get("join_token") or made["token"]}
    with (tmp_path / "agent.log").open("w") as log:
        agent = subprocess.Popen(argv, env=home.environ | token, stdout=log, stderr=log)
    try:
        _until(lambda: any(offer["centre"] == "far" for offer in home.ask("offers")))
        yield home
    finally:
        agent.terminate()
        agent.wait(TIMEOUT)
        home.stop()


def test_a_command_and_a_port_of_a_job_at_slurm(home: Home):
    port = free_port()
    serve = f"python3 -m http.server --bind 127.0.0.1 {port} >serving 2>&1 &"
    waits = f"until curl -s -o /dev/null 127.0.0.1:{port}; do sleep 0.1; done; echo up; wait"
    id = home.call(
        "submit", home.job("inside", f"echo found >mark; {serve} {waits}", infra="far", resources=WANTED)
    ).stdout.strip()
    _until(lambda: "up" in home.call("logs", id).stdout)
    found = home.call("exec", id, "--", "sh", "-c", "id -un; echo $BAYGRID_CENTRE; cat mark; exit 3", code=3)
    assert (found.stdout, found.stderr) == ("bg-alice\nfar\nfound\n", "")
    with _forwarding(home, id, f"{port}:0") as address:
        for _ in range(3):
            with urllib.request.urlopen(f"http://{address}/mark", timeout=TIMEOUT) as answer:
                assert answer.read() == b"found\n"
    home.call("cancel", id)
    home.popen("wait", id).communicate(timeout=TIMEOUT)
