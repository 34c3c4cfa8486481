"""A stdout that takes nothing: one clear error, and no words of Python's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
MURI = "job_id,num_gpu,submit_time,duration\n1,1,0,1000\n"


def replayed(folder: Path, redirection: str, *more: str) -> "subprocess.CompletedProcess[str]":
    (folder / "t.csv").write_text(MURI)
    call = [sys.executable, "-m", "baygrid.cli", "replay", "--format", "muri", "t.csv", "--policy", "fifo"]
    shell = ["sh", "-c", f'"$@" {redirection}', "sh", *call, *more]
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}  # as users have it: errors come late
    return subprocess.run(shell, cwd=folder, env=buffered, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_full_disk_is_told_once(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = replayed(tmp_path, f"> {FULL}", *more)
    assert done.returncode == 1
    if more:
        assert json.loads(done.stderr)["code"] == "no-stdout"
    else:
        assert done.stderr.splitlines()[0] == "error: stdout cannot be written: No space left on device"
        assert len(done.stderr.splitlines()) == 2


def test_a_closed_stdout_is_told(tmp_path: Path) -> None:
    done = replayed(tmp_path, ">&-")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: stdout cannot be written: it is closed"


def test_who_reads_has_enough(tmp_path: Path) -> None:
    assert replayed(tmp_path, "| true").stderr == ""
