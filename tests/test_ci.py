"""In CI no test is skipped unseen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SAMPLE = """
import pytest

def test_runs(): pass

@pytest.mark.skip(reason="needs non-root")
def test_allowed(): pass

@pytest.mark.skip(reason="on a whim")
def test_marked(): pass

def test_inside(): pytest.skip("too tired")

@pytest.mark.xfail(reason="known", strict=True)
def test_expected_failure(): assert False
"""


def outcome(folder: Path, ci: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = ("-p", "tests.conftest", "--rootdir", str(folder), "-ra", *options, str(folder))
    command = [sys.executable, "-m", "pytest", *options]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "spread"])
def test_an_unlisted_skip_is_red(tmp_path: Path, options: tuple[str, ...]):
    (tmp_path / "test_sample.py").write_text(SAMPLE)

    outside = outcome(tmp_path, "", *options)
    assert outside.returncode == 0, outside.stdout
    assert "1 passed, 3 skipped, 1 xfailed" in outside.stdout

    inside = outcome(tmp_path, "true", *options)
    assert inside.returncode == 1
    for told in ("test_sample.py::test_marked was skipped", "on a whim", "too tired"):
        assert told in inside.stdout


@pytest.mark.slow
def test_an_unlisted_skip_of_a_whole_file_is_red(tmp_path: Path):
    (tmp_path / "test_whole.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    inside = outcome(tmp_path, "true", "-n", "1")
    assert inside.returncode != 0
    assert "test_whole.py was skipped" in inside.stdout


@pytest.mark.slow
def test_a_listed_skip_is_green(tmp_path: Path):
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    inside = outcome(tmp_path, "true", "-k", "not marked and not inside")
    assert inside.returncode == 0, inside.stdout
    assert "1 passed, 1 skipped, 2 deselected, 1 xfailed" in inside.stdout
