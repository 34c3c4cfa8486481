"""What `baygrid app` says and with which code it ends, where something is missing or wrong."""

import argparse
import io
import subprocess
import sys
from pathlib import Path

import pytest

from baygrid.workloads import command
from baygrid.workloads.application import Application, Outcome, Results
from tests.workloads.counting import Command, Counting
from tests.workloads.inline import Inline


class Wrong(Counting):
    def finish(self, results: Results, output: Path) -> Outcome:
        raise LookupError("nobody thought of this")


class Asked(Command):
    """What is asked for ends in `ends`."""

    def __init__(self, ends: Exception | None = None) -> None:
        self.ends = ends

    def asked(self, options: argparse.Namespace) -> Application:
        if self.ends is not None:
            raise self.ends
        return Wrong(options.input, options.journal)


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(command, "engine_of", lambda *_: Inline())
    (tmp_path / "in.txt").write_text("one\n")
    journal = str(tmp_path / "journal")
    return ["--input", str(tmp_path / "in.txt"), "--output", str(tmp_path / "out"), "--journal", journal]


def test_a_defect_at_the_end_is_one_and_what_is_done_is_kept(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert command.main(Asked(), options, io.StringIO()) == 70
    said = capsys.readouterr().err
    assert said.startswith("counting: a defect; what is done is kept\nTraceback")
    assert "LookupError: nobody thought of this" in said
    assert len(list((tmp_path / "out" / "unfinished").glob("*.parquet"))) == 1


@pytest.mark.parametrize(
    ("ends", "code", "said"),
    [
        (
            ModuleNotFoundError("No module named 'av.audio'", name="av.audio"),
            2,
            "counting: the package av.audio is missing: pip install 'baygrid[counting]'\n",
        ),
        (ModuleNotFoundError("No module named 'baygrid.gone'", name="baygrid.gone"), 70, "baygrid.gone"),
        (LookupError("nobody thought of this"), 70, "LookupError"),
    ],
    ids=["package", "module of ours", "defect"],
)
def test_what_is_missing_is_told_from_what_is_wrong(
    options: list[str], capsys: pytest.CaptureFixture[str], ends: Exception, code: int, said: str
):
    assert command.main(Asked(ends), options, io.StringIO()) == code
    told = capsys.readouterr().err
    assert told == said if code == 2 else said in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "package"),
    [("images", "cv2"), ("speech", "av"), ("speech", "ctranslate2"), ("driving", "duckdb")],
)
def test_without_its_packages_an_application_names_the_extra_that_brings_them(
    tmp_path: Path, name: str, package: str
):
    (tmp_path / "in").mkdir()
    program = (
        f"import sys; from baygrid.workloads.absent import without; from baygrid.workloads import command\n"
        f"from baygrid.workloads.{name} import cli\n"
        f"with without({package!r}): sys.exit(command.main(cli, sys.argv[1:], sys.stdout))"
    )
    asked = ["--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    ended = subprocess.run(
        [sys.executable, "-c", program, *asked], capture_output=True, text=True, check=False, timeout=100
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"{name}: the package {package} is missing: pip install 'baygrid[{name}]'\n"
