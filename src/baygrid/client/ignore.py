"""`.baygridignore`: what stays at home when a folder is packed, written as in `.gitignore`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = ".baygridignore"
ALWAYS: Final = (
    ".git/",
    ".hg/",
    ".svn/",
    ".venv/",
    "__pycache__/",
    "*.pyc",
    ".DS_Store",
    ".ipynb_checkpoints/",
)
"""History, environments, caches: large, never the same. A line `!.venv/` takes one along after all."""


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    folders_only: bool
    keep: bool


class Ignore:
    """Rules in order; the last that fits decides. What lies in a folder left out cannot be taken back in."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules = [rule for line in lines if (rule := _rule(line)) is not None]

    @classmethod
    def of(cls, folder: Path, more: Iterable[str] = ()) -> Ignore:
        """The rules for a folder: those that always hold, `more`, then those of its own file."""
        try:
            own = (folder / FILE).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            own = []
        return cls([*ALWAYS, *more, *own])

    def leaves_out(self, path: str, *, is_folder: bool) -> bool:
        """Whether this path, with '/' and below the folder, stays at home."""
        out = False
        for rule in self._rules:
            if (is_folder or not rule.folders_only) and rule.pattern.fullmatch(path):
                out = not rule.keep
        return out


def exactly(path: str) -> str:
    """The rule that leaves out this one path below the folder."""
    return "/" + re.sub(r"([\\*?\[\]!#])", r"\\\1", path)


def _rule(line: str) -> _Rule | None:
    text = re.sub(r"(?<!\\) +$", "", line.rstrip("\r\n"))
    if not text or text.startswith("#"):
        return None
    keep = text.startswith("!")
    text = text[1:] if keep else text
    folders_only = text.endswith("/")
    text = text.rstrip("/")
    if not text:
        return None
    anchored = "/" in text
    text = text.removeprefix("/")
    head = "" if anchored else "(?:.*/)?"
    return _Rule(re.compile(head + _translate(text), re.DOTALL), folders_only, keep)


def _translate(glob: str) -> str:
    """`*` and `?` stay within one name, `**` crosses folders, `[a-z]` and a backslash are as in a shell."""
    out, at = "", 0
    while at < len(glob):
        rest = glob[at:]
        if rest.startswith("**/") and (at == 0 or glob[at - 1] == "/"):
            out, at = out + "(?:.*/)?", at + 3
        elif rest == "**" and (at == 0 or glob[at - 1] == "/"):
            out, at = out + ".+", at + 2
        elif rest[0] == "*":
            out, at = out + "[^/]*", at + 1
        elif rest[0] == "?":
            out, at = out + "[^/]", at + 1
        elif rest[0] == "\\" and len(rest) > 1:
            out, at = out + re.escape(rest[1]), at + 2
        elif rest[0] == "[" and (end := rest.find("]", 3 if rest[1:2] in ("!", "^") else 2)) > 0:
            inside = rest[1:end]
            negated = inside[:1] in ("!", "^")
            body = inside[negated:].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            out, at = out + f"(?!/)[{'^' if negated else ''}{body}]", at + end + 1
        else:
            out, at = out + re.escape(rest[0]), at + 1
    return out
