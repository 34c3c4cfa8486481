"""An issue in one language, before it is a web page, a PDF, a feed entry or a mail: words in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class Run:
    """Words of a paragraph. `link`: an address, or `#ID` of the page. `value`: of a figure, as the bundle has
    it, `about` what it is of."""

    text: str
    link: str = ""
    value: str = ""
    about: str = ""
    synthetic: bool = False


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    runs: Runs
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[Runs, ...]
    kind: Literal["items"] = "items"


@dataclass(frozen=True, slots=True)
class Grid:
    """A numbered table. `figures`: of each column, whether it is of numbers."""

    id: str
    label: str
    title: str
    columns: tuple[str, ...]
    figures: tuple[bool, ...]
    rows: tuple[tuple[Runs, ...], ...]
    notes: tuple[str, ...]
    synthetic: bool
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A numbered chart. `svg`: the picture, `said`: what it shows, row by row, for who cannot see it."""

    id: str
    label: str
    title: str
    svg: str
    data_csv: str
    metadata: str
    said: tuple[tuple[str, str], ...]
    synthetic: bool
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class Quote:
    runs: Runs
    name: str
    post: str
    source: str
    link: str
    kind: Literal["quote"] = "quote"


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of law or measures: what, then rows of (word, runs)."""

    title: Runs
    rows: tuple[tuple[str, Runs], ...]
    kind: Literal["change"] = "change"


Block = Paragraph | Items | Grid | Drawing | Quote | Changed


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Of a correction: `title` says since when; `at`, `section`: where (id and title)."""

    title: str
    at: str
    section: str
    on: date
    wrong: str
    right: str


@dataclass(frozen=True, slots=True)
class Page:
    language: str
    number: int
    issue: str
    day: date
    dated: str
    title: str
    summary: tuple[Runs, ...]
    sections: tuple[Section, ...]
    cited: Grid
    notes: tuple[str, ...]
    disclaimer: tuple[Runs, ...]
    notices: tuple[Notice, ...]
    synthetic: bool

    @property
    def name(self) -> str:
        return f"{self.number:03}"


def plain(runs: Runs) -> str:
    return "".join(run.text for run in runs)
