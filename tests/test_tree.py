"""The shape of the repository itself: what no linter here checks."""

import ast
import importlib.metadata
import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = sorted(path for part in ("src", "tests") for path in (ROOT / part).rglob("*.py"))
CORE = sorted((ROOT / "src/baygrid/core").rglob("*.py"))

MOST_LINES = 500

# What the core may use of the standard library: nothing that looks at the world or changes it.
PURE = {
    "__future__", "abc", "base64", "bisect", "calendar", "collections", "copy", "dataclasses", "datetime",
    "decimal", "difflib", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "hmac",
    "ipaddress", "itertools", "json", "math", "numbers", "operator", "re", "statistics", "string", "struct",
    "textwrap", "types", "typing", "unicodedata", "zoneinfo",
}  # fmt: skip

FOREIGN = {
    "a machine's own path": re.compile(r"(?<![\w./}-])/(?:work|root|home)/\w"),
    "a package registry's address": re.compile(
        r"\b(?:pypi|pythonhosted|npmjs|deb\.debian|security\.debian|crates|mirrors\.[\w-]+)\.(?:org|com|io|cn|net)\b"
    ),
}


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_files_stay_short():
    too_long = {str(path.relative_to(ROOT)): lines for path in CODE if (lines := _lines(path)) > MOST_LINES}
    assert not too_long, f"over {MOST_LINES} lines, split by subject: {too_long}"


def test_an_assert_changes_nothing():
    """Python leaves it out when it is told to optimise."""
    asserts = [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node.test)
        for path in CODE
        if path.is_relative_to(ROOT / "src")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    calls = [
        f"{where} calls {ast.unparse(call.func)}"
        for where, test in asserts
        for call in ast.walk(test)
        if isinstance(call, ast.Call) and ast.unparse(call.func) not in {"isinstance", "len"}
    ]
    assert asserts
    assert not calls, f"an assert may only look: {calls}"


def test_the_lock_is_requirements_lock():
    names = tracked()
    assert "requirements.lock" in names
    assert "uv.lock" not in names, "uv.lock holds registry addresses; the lock is requirements.lock"


def test_no_file_names_a_machine_or_a_registry():
    found = []
    for name in tracked():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or the like
        for number, line in enumerate(text.splitlines(), 1):
            found += [
                f"{name}:{number}: {what}: {line.strip()[:80]}"
                for what, rule in FOREIGN.items()
                if rule.search(line)
            ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_core_imports_only_what_is_pure(path: Path):
    impure = _imported(path) - PURE - {"baygrid"}
    if "placement" in path.parts:
        impure -= {"numpy", "numba"}
    assert not impure


def test_the_pure_modules_are_the_standard_librarys():
    assert sys.stdlib_module_names >= PURE


def test_every_import_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    declared = {re.split(r"[^\w.-]", line)[0].replace("_", "-").lower() for line in asked}
    packages = importlib.metadata.packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "src").rglob("*.py")
        for name in _imported(path) - sys.stdlib_module_names - {"baygrid"}
        if not declared & {package.replace("_", "-").lower() for package in packages.get(name, ())}
    }
    assert not undeclared, f"add to pyproject.toml, then `make lock`: {sorted(undeclared)}"


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names
