"""A folder of built issues, and the list in it of what it has: nothing else in the folder is shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from baygrid.letter.page import Page, plain
from baygrid.letter.reading import Raw, Unreadable, model, read_text

LIST: Final = "letter.json"
_PATH: Final = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$"


class Told(Raw):
    """An issue in one language: `corrected`: what turned out to be wrong in it, newest as it is told."""

    title: str
    summary: list[str]
    corrected: list[str]


class Listed(Raw):
    """`name`: of its folder in `issues/`. `told`: by language."""

    number: int
    name: str
    day: date
    synthetic: bool
    told: dict[str, Told]


class List(Raw):
    """`issues`: newest first. `files`: the SHA-256 of each, by its path in the folder."""

    issues: list[Listed]
    files: dict[Annotated[str, Field(pattern=_PATH)], str]


def listed(issues: Iterable[Mapping[str, Page]], files: Mapping[str, bytes]) -> bytes:
    """`issues`: newest first, each by language."""
    told = [
        Listed(
            number=pages["en"].number,
            name=pages["en"].name,
            day=pages["en"].day,
            synthetic=pages["en"].synthetic,
            told={language: _told(page) for language, page in pages.items()},
        )
        for pages in issues
    ]
    made = List(issues=told, files={name: digest(content) for name, content in sorted(files.items())})
    return (json.dumps(made.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n").encode()


def _told(page: Page) -> Told:
    corrected = [f"{it.title} {it.right}" for it in page.notices]
    return Told(title=page.title, summary=[plain(runs) for runs in page.summary], corrected=corrected)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Shelf:
    folder: Path

    def list(self) -> List:
        """As it is now: without issues until there is one. Raises reading.Unreadable."""
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            return List(issues=[], files={})
        try:
            return model(List, json.loads(read_text(self.folder / LIST)), LIST)
        except (OSError, ValueError) as error:
            cure = "let `baygrid letter publish ISSUE --out` write into this folder"
            raise Unreadable(f"{self.folder} has no list of letters ({error}): {cure}") from None

    def file(self, path: str) -> bytes:
        """A file that the list names. Raises KeyError for any other, Unreadable for one that is not what the
        list says, as while an issue is being built."""
        known = self.list().files[path]
        try:
            content = (self.folder / path).read_bytes()
        except OSError:
            content = b""
        if digest(content) != known:
            raise Unreadable(f"{path} is not what the list of letters says: build the letter again")
        return content
