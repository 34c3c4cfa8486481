"""Drives on both engines, and interrupted: the same labels, each window once. Real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytest.importorskip("mcap_ros2")
pytest.importorskip("duckdb")

from baygrid.workloads.driving.synthetic.drive import drive
from baygrid.workloads.driving.synthetic.writing import write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PROGRAM = "import sys; from baygrid.workloads import command; from baygrid.workloads.driving import cli; "
PROGRAM += "command.program(cli, sys.argv[1:])"
TABLES = ("labels", "events", "ego")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("street") / "street.mcap"
    write(drive(4, 45.0), path, camera=False)
    return path


@pytest.fixture(scope="module")
def whole(street: Path) -> Path:
    """What an undisturbed run on one machine leaves."""
    output = street.parent / "whole"
    assert told(start(street, output))["shards"] == 5
    return output


def start(street: Path, output: Path, *more: str) -> subprocess.Popen[str]:
    own = {"PYTHONPATH": os.pathsep.join(sys.path), "RAY_AUTH_MODE": "disabled"}  # no token in the home
    asked = ["--input", str(street), "--output", str(output), "--workers", "2", "--json", *more]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *asked], env={**os.environ, **own}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def told(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=500)
    assert process.returncode == 0, err[-3000:]
    return json.loads(out)


def same(one: Path, other: Path) -> None:
    for name in TABLES:
        assert pq.read_table(one / f"{name}.parquet").equals(pq.read_table(other / f"{name}.parquet"))


@pytest.mark.xdist_group("ray-data")
def test_ray_finds_what_one_machine_finds(street: Path, whole: Path, tmp_path: Path) -> None:
    result = told(start(street, tmp_path / "ray", "--engine", "ray"))
    assert result["engine"] == "ray"
    assert result["units"] == json.loads((whole / "result.json").read_text())["units"]
    same(whole, tmp_path / "ray")


def test_a_run_that_is_killed_goes_on_where_it_was(street: Path, whole: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    process = start(street, output, "--workers", "1")
    end = time.monotonic() + 100
    while not list((output / "unfinished").glob("*.parquet")):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = len(list((output / "unfinished").glob("*.parquet")))
    assert not (output / "labels.parquet").exists()
    assert told(start(street, output))["shards_resumed"] == done
    same(whole, output)
