"""Each guard of guards.yaml is missed when it is taken out: the test that it names fails then."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ALWAYS = "where to go next"
"""The one that the ordinary suite takes out; the campaign takes out all."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`text` stands once in `file` (below src/baygrid); `instead` of it, `test` fails."""

    guard: str
    threat: str
    file: str
    text: str
    instead: str
    test: str


GUARDS = [
    Guard(**row)
    for row in yaml.safe_load((Path(__file__).parent / "guards.yaml").read_text(encoding="utf-8"))
]


def test_each_has_a_name_of_its_own():
    names = [it.guard for it in GUARDS]
    assert len(set(names)) == len(names)
    assert ALWAYS in names


@pytest.mark.parametrize("guard", GUARDS, ids=lambda it: it.guard)
def test_it_stands_where_the_list_says_and_its_test_is_there(guard: Guard):
    assert (ROOT / "src/baygrid" / guard.file).read_text(encoding="utf-8").count(guard.text) == 1
    file, _, name = guard.test.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of the sources, to take something out of."""
    folder = tmp_path_factory.mktemp("without") / "src"
    shutil.copytree(ROOT / "src", folder, ignore=shutil.ignore_patterns("__pycache__"))
    told = _python(folder, "-c", "import baygrid; print(baygrid.__file__)").stdout
    assert Path(told.strip()).is_relative_to(folder), told
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "guard",
    [
        pytest.param(it, id=it.guard, marks=pytest.mark.slow if it.guard == ALWAYS else pytest.mark.campaign)
        for it in GUARDS
    ],
)
def test_without_it_its_test_fails(copy: Path, guard: Guard):
    file = copy / "baygrid" / guard.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(guard.text, guard.instead), encoding="utf-8")
    try:
        done = _python(
            copy, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", guard.test
        )
    finally:
        file.write_text(whole, encoding="utf-8")
    # 1: tests ran and failed; anything else tells nothing of the guard.
    assert done.returncode == 1, f"{guard.threat}: nobody misses it\n{done.stdout[-2000:]}"
    assert re.search(r"^\d+ failed", done.stdout, re.MULTILINE), done.stdout[-3000:]


def _python(sources: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    told = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    told |= {"PYTHONPATH": f"{sources}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=told, capture_output=True, text=True, check=False
    )


def test_the_page_of_security_names_every_guard():
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    rows = {
        cells[1].strip(): cells[2].strip().split("; ")
        for it in page.splitlines()
        if (cells := it.split("|"))[3:]
    }
    told = {
        (threat, guard)
        for threat, guards in rows.items()
        for guard in guards
        if threat not in ("threat", "---")
    }
    assert told == {(it.threat.partition(" (")[0], it.guard) for it in GUARDS}
