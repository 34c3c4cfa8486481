"""The demo of one queue over three schedulers as people run it, with fewer jobs; it checks itself."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.demo_region.applications import ROWS
from tests.docs.traces import left_running

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.ray,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("ray"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only root can start a Slurm"),
]


def _start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    engines = os.environ.get("BAYGRID_ENGINES", str(ROOT / ".cache" / "engines"))
    own = {"HOME": str(tmp_path), "NO_COLOR": "1", "LANG": "C.UTF-8", "BAYGRID_ENGINES": engines}
    pip = {name: text for name, text in os.environ.items() if name.startswith(("PIP_", "UV_", "PYTHONPATH"))}
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.demo_region", *arguments], cwd=ROOT,
        env={"PATH": os.environ["PATH"], **pip, **own}, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _found(pattern: str, told: str) -> str:
    match = re.search(pattern, told, re.MULTILINE)
    assert match is not None, told
    return match[1]


def test_one_queue_over_three_schedulers_and_one_bill(tmp_path):
    demo = _start(tmp_path, "--rounds", "1")
    told, _ = demo.communicate()
    assert demo.returncode == 0, told
    folder = _found(r"--data (\S+)/platform", told)
    charged = dict(re.findall(r"^(\S+) +(?:slurm|ray|local) +\d+ +(\d+\.\d\d) CNY$", told, re.MULTILINE))
    assert set(charged) == {"qianhai", "hongkong", "shaoguan"}
    total = _found(r"^all three +\d+ +(\d+\.\d\d) CNY$", told)
    assert f"{sum(map(float, charged.values())):.2f}" == total
    assert f"region: {total} CNY" in told
    assert "no difference" in told
    explained = told.partition("not elsewhere")[2].partition("One bill")[0]
    assert len(re.findall(r"\bchosen\b", explained)) >= 3
    assert "the job's data may be in CN-QH only" in explained
    assert not Path(folder).exists()
    assert not left_running(folder)


def test_interrupted_it_ends_its_engines(tmp_path):
    demo = _start(tmp_path, "--rounds", "1")
    told = ""
    assert demo.stdout is not None
    for line in demo.stdout:
        told += line
        if "agent join" in line:
            break
    demo.send_signal(signal.SIGTERM)
    rest, _ = demo.communicate()
    assert demo.returncode == 130, told + rest
    folder = _found(r"--data (\S+)/platform", told)
    assert not Path(folder).exists()
    assert not left_running(folder)


def test_each_application_finds_the_same_at_a_slurm_a_ray_and_a_local_centre(tmp_path):
    demo = _start(tmp_path, "--applications")
    told, _ = demo.communicate()
    assert demo.returncode == 0, told
    same = re.findall(r"^(\w+) +[\d,]+ +qianhai, hongkong, shaoguan +the same$", told, re.MULTILINE)
    assert same == list(ROWS)
    assert not left_running(_found(r"--data (\S+)/platform", told))
