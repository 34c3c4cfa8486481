"""What the tests of the command line share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from baygrid.cli import session
from baygrid.cli.entry import run

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
        if client := vars(session.current).get("client"):
            client.close()  # a command's process just ends
        said = capsys.readouterr()
        return int(code or 0), said.out, said.err

    return run_it
