"""The region's letter: the issues that an operator has published, for everybody."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, Problem
from baygrid.letter.reading import Unreadable
from baygrid.letter.shelf import Listed, digest


class NoLetter(Problem):
    status, code, title = 503, "no-letter", "The letter cannot be shown now"


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    sha256: str


def issues(platform: Platform) -> list[Listed] | None:
    """Newest first; None: this server shows no letter. Raises NoLetter."""
    if platform.letters is None:
        return None
    try:
        return platform.letters.list().issues
    except Unreadable as error:
        raise NoLetter(str(error)) from None


def file(platform: Platform, path: str) -> File:
    """One that the letter's own list names. Raises NotFound, NoLetter."""
    if platform.letters is None:
        raise NotFound("this server shows no letter")
    try:
        content = platform.letters.file(path)
    except KeyError:
        raise NotFound(f"the letter has no file {path!r}") from None
    except Unreadable as error:
        raise NoLetter(str(error)) from None
    return File(content, digest(content))
