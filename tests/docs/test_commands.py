"""Every command that the README and the docs show is run, in their order, as a reader would."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.demo.processes import Service
from tests.docs import console
from tests.services import free_port

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PATIENCE_S = 300.0
# A shell's own variables are in capitals, those of the pages are not.
KNOWN = "[ ! -e variables ] || . ./variables"
KEEP = "code=$?; set | grep '^[a-z]*=' >variables; exit $code"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_can_be_read(page):
    list(console.steps(page.read_text(encoding="utf-8")))


def test_a_missing_word_is_told():
    assert console.missing(("a", "c"), "a b c") is None
    assert console.missing(("c", "a"), "a b c") == "a"


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_can_be_done(page, tmp_path):
    text = page.read_text(encoding="utf-8").replace(":8470", f":{(port := free_port())}")
    steps = list(console.steps(text))
    if not steps:
        return
    for name in ("examples", "letters"):
        shutil.copytree(ROOT / name, tmp_path / name)
    with reader(tmp_path, port) as shell:
        for step in steps:
            if isinstance(step, console.File):
                (tmp_path / step.name).write_text(step.text, encoding="utf-8")
            else:
                shell.follow(step)


class Reader:
    """Somebody with a terminal for what they type, and another for each thing that runs in the background."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._serve = f"baygrid serve --port {port}"
        self._environment = {
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "TMPDIR": str(folder),
        }
        self._background: list[Service] = []

    def follow(self, command: console.Command) -> None:
        line = command.line.replace("baygrid serve", self._serve)
        if command.background:
            code, answer = 0, self._behind(line, command.background)
        else:
            code, answer = self._type(line)
        assert code == command.exit_code, f"$ {command.line}\nended with {code}:\n{answer}"
        lost = console.missing(command.expected, answer)
        assert lost is None, f"$ {command.line}\ndid not say {lost!r} where the page has it:\n{answer}"

    def _type(self, line: str) -> tuple[int, str]:
        """In a shell that knows the variables of those before it."""
        script = f"{KNOWN}; {line}\n{KEEP}"
        with (self._folder / "answer").open("w+b") as answer:
            try:
                done = subprocess.run(
                    ["bash", "--norc", "-c", script], cwd=self._folder, env=self._environment, check=False,
                    stdin=subprocess.DEVNULL, stdout=answer, stderr=subprocess.STDOUT, timeout=PATIENCE_S,
                )  # fmt: skip
                code = done.returncode
            except subprocess.TimeoutExpired:
                code = -1
            answer.seek(0)
            said = answer.read().decode(errors="replace")
        if code == -1:
            raise AssertionError(f"$ {line}\ngoes on after {PATIENCE_S} s:\n{said}\n{self._logs()}")
        return code, said

    def _behind(self, line: str, ready: str) -> str:
        log = self._folder / f"background-{len(self._background)}.log"
        argv = ["bash", "--norc", "-c", f"exec {line}"]
        service = Service(line, argv, self._environment, ready, log, self._folder)
        self._background.append(service)
        service.ready(PATIENCE_S)
        return log.read_text(encoding="utf-8")

    def _logs(self) -> str:
        return "\n".join(log.read_text(encoding="utf-8") for log in self._folder.glob("background-*.log"))

    def close(self) -> None:
        for service in reversed(self._background):
            service.stop()


@contextmanager
def reader(folder: Path, port: int) -> Iterator[Reader]:
    (folder / "home").mkdir()
    made = Reader(folder, port)
    try:
        yield made
    finally:
        made.close()
