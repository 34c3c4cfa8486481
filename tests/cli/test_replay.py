"""`baygrid replay`: what it says of wrong calls and files, and what it prints."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from baygrid.cli.bar import bar
from baygrid.cli.entry import run
from baygrid.cli.output import Output

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """One command in this process: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run_it(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["baygrid", *arguments])
        try:
            run()
        except SystemExit as end:
            code = end.code
        else:
            code = 0
        said = capsys.readouterr()
        return int(code or 0), said.out, said.err

    return run_it


@pytest.mark.parametrize(
    ("arguments", "said", "cure"),
    [
        ("", "no format is named", "openb, muri, philly, swf"),
        ("--format pbs f", "there is no format 'pbs'", "openb, muri, philly, swf"),
        ("--format openb --nodes f", "--format openb needs --pods", "--nodes NODES.csv --pods PODS.csv"),
        ("--format openb f --nodes f --pods f", "FILE is not for --format openb", "muri, philly, swf"),
        ("--format openb --nodes f --pods f --policy fifo", "--policy is not for", "muri, philly"),
        ("--format muri", "--format muri needs FILE", "baygrid replay --format muri FILE.csv"),
        ("--format muri f --seed 3", "--seed is not for --format muri", "openb, swf"),
        ("--format philly f", "--format philly needs --vc", "--vc VC.csv"),
        ("--format muri f --federated", "--federated is not for --format muri", "--format swf"),
        ("--format swf f --stale 5", "--stale is not for --format swf", "swf --federated"),
        ("--format swf f --federated", "needs --capacity", "--capacity 0.2"),
        ("--format swf f --federated --capacity 1 --processors 4", "--processors is not for", "swf"),
    ],
)  # fmt: skip
def test_a_wrong_call_says_what_is_wrong_and_what_is_right(
    call: Call, tmp_path: Path, arguments: str, said: str, cure: str
) -> None:
    (tmp_path / "f").touch()
    code, out, err = call("replay", *arguments.split())
    error, told, *_ = err.splitlines()
    assert (code, out) == (2, "")
    assert said in error
    assert told.startswith("cure: ")
    assert cure in told


@pytest.mark.parametrize(("name", "said"), [("gone.swf", "is not there"), (".", "is a folder")])
def test_a_file_that_cannot_be_read_is_named_with_its_option(call: Call, name: str, said: str) -> None:
    code, out, err = call("replay", "--format", "swf", name)
    assert (code, out) == (1, "")
    assert f"FILE: {name} {said}" in err


def test_with_json_a_wrong_call_is_a_problem(call: Call) -> None:
    code, out, err = call("replay", "--format", "swf", "--json")
    assert (code, out) == (2, "")
    assert json.loads(err)["code"] == "wrong-call"


def test_the_plot_needs_a_folder(call: Call, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    code, _, err = call("replay", "--format", "swf", "f", "--plot", "nowhere/out.png")
    assert code == 2
    assert "nowhere" in err


def test_other_commands_do_not_load_what_a_replay_needs() -> None:
    loaded = (
        "import sys, baygrid.cli.entry; print([m for m in ('numpy', 'numba', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_only() -> None:
    drawn, silent = Terminal(), io.StringIO()
    for err in (drawn, silent):
        with bar(Output(out=io.StringIO(), err=err), "jobs") as progress:
            progress(1, 2)
            progress(2, 2)
    assert "jobs" in drawn.getvalue()
    assert silent.getvalue() == ""
