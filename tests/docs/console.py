"""The console blocks of a page, as a script: what to run, what its answer must hold, what to leave alone.

Before a block or a file an HTML comment may say `in the background until: REGEX`, `exit code: N`,
`not run: REASON` or `file: NAME`. In a block `$` begins a command; other lines must occur in its answer in
this order, where `...` is anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"(?:^<!-- ([a-z ]+): ([^\n]+) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_KNOWN = {"in the background until", "exit code", "not run", "file"}


@dataclass(frozen=True)
class File:
    """To be saved before what follows."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """`expected`: texts that the answer has, in this order. `background`: what it says once it is ready."""

    line: str
    expected: tuple[str, ...]
    exit_code: int = 0
    background: str | None = None


def steps(page: str) -> Iterator[File | Command]:
    """The files and commands of a page, in its order. Raises ValueError for a block that nobody would run."""
    for match in _BLOCK.finditer(page):
        kind, value, language, text = match.groups()
        if kind is not None and kind not in _KNOWN:
            raise ValueError(f"unknown comment {kind!r} before a block")
        if kind == "file":
            yield File(value, text)
        elif language == "console" and kind != "not run":
            yield from _commands(text, kind, value)
        elif language in ("sh", "bash", "shell"):
            raise ValueError(f"a block of {language} is not run by any test: make it console")


def _commands(text: str, kind: str | None, value: str | None) -> Iterator[Command]:
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    if not starts or starts[0] != 0:
        raise ValueError(f"a console block must begin with `$ `, not {text[:40]!r}")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        words = [part.strip() for line in lines[start + 1 : end] for part in line.split("...")]
        code = int(value) if kind == "exit code" and value else 0
        background = value if kind == "in the background until" else None
        yield Command(lines[start][2:], tuple(filter(None, words)), code, background)


def missing(expected: tuple[str, ...], answer: str) -> str | None:
    """The first text that the answer does not have after those before it."""
    at = 0
    for text in expected:
        found = answer.find(text, at)
        if found < 0:
            return text
        at = found + len(text)
    return None
