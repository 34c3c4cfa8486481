"""The demo as people run it: real processes, with an empty home and no terminal, in one of its languages."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.demo.texts import Texts
from tests.docs.traces import left_running

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _start(tmp_path: Path, language: str) -> subprocess.Popen[str]:
    (tmp_path / "home").mkdir()
    own = {
        "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path), "NO_COLOR": "1", "LANG": "C.UTF-8",
        "DEMO_LANG": language, "DEMO_COUNT": "40", "DEMO_OUT": str(tmp_path / "out"),
    }  # fmt: skip
    return subprocess.Popen(
        [ROOT / "scripts" / "demo.sh"],
        env={"PATH": os.environ["PATH"], **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_the_demo_tells_its_tour_and_leaves_nothing_behind(tmp_path):
    say = Texts("ja")
    demo = _start(tmp_path, "ja")
    told, _ = demo.communicate()
    assert demo.returncode == 0, told
    assert "\x1b" not in told
    tour = told.partition(say("scene_tour"))[2].partition(say("scene_portal"))[0]
    systems: tuple[str, ...] = ("platform", "placement", "exchange", "centre", "data", "measures")
    systems += ("statistics", "cities", "driving", "letter")
    rows = [line for line in tour.splitlines() if any(line.startswith(say(f"system_{s}")) for s in systems)]
    assert len(rows) == len(systems), tour
    seen = told.partition(say("scene_portal"))[2].partition(say("scene_next"))[0]
    linked = re.findall(r"^(.+?) +http://[\d.]+:\d+/portal/\S+$", seen, re.MULTILINE)
    assert linked == [say(f"system_{s}") for s in systems]
    assert re.search(r"\d 秒.*\d 秒", rows[1])
    assert re.search(r"[\d,]+ Mbit/s", rows[2])
    assert re.search(r"[\d.]+ CNY.*[\d.]+ CNY.*[\d.]+ CNY.*[\d.]+ CNY", rows[5])
    assert re.search(r"2,267 社のうち 289 社、12\.75%", rows[6])
    assert "26.3%" in rows[7]
    assert re.search(r"1\.\d+ 億|\d[\d,]* 枚", rows[3])
    for made in (
        "bill.json",
        "ledger.beancount",
        "bundle.json",
        "images-out/contact-sheet.png",
        "images-out/labels.parquet",
        "speech-out/page.html",
        "driving-out/map.html",
        "driving-out/report.html",
        "evidence.json",
        "registry/bodies.csv",
        "letter/index.html",
        "letter/zh-Hant/letter.pdf",
    ):
        assert (tmp_path / "out" / made).stat().st_size > 0
    assert not list((tmp_path / "home").iterdir())
    assert not list(tmp_path.glob("baygrid-demo-*"))
    assert not left_running(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_ends_what_it_started(tmp_path, number):
    demo = _start(tmp_path, "en")
    assert demo.stdout is not None
    for line in demo.stdout:
        if "baygrid run" in line:  # its server and both agents run, and soon a job
            break
    for line in demo.stdout:
        if "running" in line:
            break
    demo.send_signal(number)
    told, _ = demo.communicate()
    assert demo.returncode == 130, told
    assert "Interrupted" in told
    assert not list(tmp_path.glob("baygrid-demo-*"))
    assert not left_running(tmp_path)


def test_a_demo_that_cannot_start_fails_and_says_why(tmp_path):
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "scripts.demo", "--lang", "xx"],
        cwd=ROOT, env={"HOME": str(tmp_path / "home")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "'xx' is not one of en, zh-Hans, zh-Hant, ja" in done.stderr
