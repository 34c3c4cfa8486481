"""The scripts that start real engines: where they put them, and what they leave alone."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts" / "engines"
OTHER_PORT = {"BAYGRID_K8S_PORT": "52300"}  # names nothing that a cluster of somebody's has


def script(name: str, *arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("BAYGRID_", "ENGINE_"))}
    return subprocess.run(
        ["bash", str(SCRIPTS / name), *arguments],
        cwd=cwd,
        env=environ | variables,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that other users may pass."""
    made = Path(tempfile.mkdtemp(prefix="baygrid-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize(
    "name", ["slurm.sh", "slurm24.sh", "ray.sh", "kubernetes.sh", "kubernetes-build.sh", "oidc.sh"]
)
def test_usage_is_all_that_stands_at_its_top(tmp_path, name):
    told = script(name, cwd=tmp_path)
    lines = (SCRIPTS / name).read_text().splitlines()[1:]
    top = lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]
    assert (told.returncode, told.stderr.splitlines()) == (2, [line[1:].removeprefix(" ") for line in top])


def test_a_folder_is_the_callers_and_the_usual_one_the_projects(tmp_path):
    assert f"={tmp_path}/k/" in script("kubernetes.sh", "env", "k", cwd=tmp_path).stdout
    usual = SCRIPTS.parents[1] / ".cache" / "engines"
    assert f"={usual}/kubernetes-run/" in script("kubernetes.sh", "env", cwd=tmp_path).stdout
    said = script("slurm.sh", "env", "none", cwd=tmp_path).stderr
    assert said == f"slurm: no cluster in {tmp_path}/none\n"
    for name in ("slurm.sh", "slurm24.sh"):
        told = script(name, "env", cwd=tmp_path)
        assert str(usual) in told.stderr + told.stdout


def test_what_is_no_cluster_is_not_brought_down(tmp_path):
    (tmp_path / "mine").mkdir()
    told = script("kubernetes.sh", "down", "mine", cwd=tmp_path, **OTHER_PORT)
    assert (told.returncode, told.stderr) == (0, "")
    assert (tmp_path / "mine").exists()


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("slurmctld", path="/usr/sbin"), reason="needs Slurm"
)
def test_a_slurm_that_does_not_come_up_goes_again(open_folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    wrong = {"ENGINE_PORT": port, "ENGINE_ACCOUNTING": "0", "ENGINE_MEMORY": "much", "ENGINE_GPUS": ""}
    told = script("slurm.sh", "up", "s", cwd=open_folder, ENGINE_USERS="", **wrong)
    assert told.returncode == 1
    assert "RealMemory" in told.stderr
    assert not (open_folder / "s").exists()
