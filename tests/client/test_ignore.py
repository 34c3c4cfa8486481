"""The patterns mean what they mean in a .gitignore, as git itself says."""

import subprocess
from pathlib import Path

import pytest

from baygrid.client.ignore import Ignore, exactly

CASES = [
    ("data", "data", True, True),
    ("data", "a/data", True, True),
    ("data/", "data", True, True),
    ("data/", "data", False, False),
    ("/data", "a/data", True, False),
    ("/data", "data", False, True),
    ("a/b", "a/b", False, True),
    ("a/b", "c/a/b", False, False),
    ("*.log", "x.log", False, True),
    ("*.log", "deep/er/x.log", False, True),
    ("*.log", "x.log.txt", False, False),
    ("?.txt", "a.txt", False, True),
    ("?.txt", "ab.txt", False, False),
    ("[ab].txt", "b.txt", False, True),
    ("[!ab].txt", "b.txt", False, False),
    ("[!ab].txt", "c.txt", False, True),
    ("a/**/z", "a/z", False, True),
    ("a/**/z", "a/b/c/z", False, True),
    ("a/**", "a/b/c", False, True),
    ("a/**", "a", True, False),
    ("**/x", "x", False, True),
    ("**/x", "q/x", False, True),
    ("a*c", "a/c", False, False),
    ("# comment", "# comment", False, False),
    ("\\#file", "#file", False, True),
    ("\\!file", "!file", False, True),
    ("trailing   ", "trailing", False, True),
    ("数据", "数据", True, True),
]


@pytest.mark.parametrize(("pattern", "path", "is_folder", "left_out"), CASES)
def test_a_pattern(pattern, path, is_folder, left_out):
    assert Ignore([pattern]).leaves_out(path, is_folder=is_folder) is left_out


def test_git_agrees(tmp_path: Path):
    """The table above is not our opinion: git is asked about every row."""
    for number, (pattern, path, is_folder, left_out) in enumerate(CASES):
        home = tmp_path / str(number)
        home.mkdir()
        subprocess.run(["git", "init", "-q", str(home)], check=True)
        (home / ".gitignore").write_text(pattern + "\n", encoding="utf-8")
        target = home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_folder:
            target.mkdir()
        else:
            target.touch()
        asked = subprocess.run(["git", "check-ignore", "-q", path], cwd=home, check=False)
        assert (asked.returncode == 0) is left_out, (pattern, path)


def test_the_last_rule_that_fits_decides():
    rules = Ignore(["*.csv", "!keep.csv", "keep.csv.old"])
    assert rules.leaves_out("a.csv", is_folder=False)
    assert not rules.leaves_out("keep.csv", is_folder=False)


def test_caches_stay_at_home_unless_asked_for(tmp_path: Path):
    assert Ignore.of(tmp_path).leaves_out("lib/__pycache__", is_folder=True)
    (tmp_path / ".baygridignore").write_text("!__pycache__/\n", encoding="utf-8")
    assert not Ignore.of(tmp_path).leaves_out("lib/__pycache__", is_folder=True)


@pytest.mark.parametrize("name", ["results", "a/b", "with [brackets]", "star*", "back\\slash", "!bang"])
def test_exactly_leaves_out_only_that_path(name):
    rules = Ignore([exactly(name)])
    assert rules.leaves_out(name, is_folder=True)
    assert not rules.leaves_out(f"other/{name}", is_folder=True)
    assert not rules.leaves_out("stars", is_folder=True)
