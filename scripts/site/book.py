"""Which pages there are and where each stands: the site's navigation is read from docs/README.md, the index.

A heading there is a chapter, a row of a table under it a page: its link, and whom it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOME: Final = "README.md"
INDEX: Final = "docs/README.md"
_ROW: Final = re.compile(r"^\| \[(?P<title>[^\]]+)\]\((?P<link>[^)#]+\.md)\) \| (?P<about>.+) \|$")


class Unfit(Exception):
    """What is wrong with the pages, one sentence each."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


@dataclass(frozen=True)
class Entry:
    """A page in the navigation: `source` from the repository's root."""

    title: str
    source: str
    about: str


@dataclass(frozen=True)
class Chapter:
    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Book:
    """All pages, as text by source, and the chapters that they are in."""

    root: Path
    texts: Mapping[str, str]
    chapters: tuple[Chapter, ...]

    @property
    def titles(self) -> Mapping[str, str]:
        """By source: what the index calls a page, else what it calls itself."""
        own = {source: text.partition("\n")[0].lstrip("# ") for source, text in self.texts.items()}
        return own | {entry.source: entry.title for chapter in self.chapters for entry in chapter.entries}

    def chapter_of(self, source: str) -> str:
        """Empty for the home page and the index."""
        return next((c.title for c in self.chapters for e in c.entries if e.source == source), "")


def read(root: Path) -> Book:
    """The book below `root`. Raises Unfit for a page that the index lacks, has twice or only names."""
    pages = {f"docs/{path.name}" for path in (root / "docs").glob("*.md")}
    chapters = tuple(_chapters((root / INDEX).read_text(encoding="utf-8")))
    named = [entry.source for chapter in chapters for entry in chapter.entries]
    findings = [f"{INDEX}: has {source} twice" for source in sorted({s for s in named if named.count(s) > 1})]
    findings += [f"{INDEX}: does not have {source}" for source in sorted(pages - {INDEX, *named})]
    findings += [f"{INDEX}: there is no {source}" for source in named if not (root / source).is_file()]
    if findings:
        raise Unfit(findings)
    sources = [HOME, INDEX, *named]
    return Book(root, {source: (root / source).read_text(encoding="utf-8") for source in sources}, chapters)


def _chapters(index: str) -> Iterator[Chapter]:
    for part in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        rows = filter(None, map(_ROW.match, body.splitlines()))
        entries = tuple(Entry(row["title"], _source(row["link"]), row["about"]) for row in rows)
        if entries:
            yield Chapter(title.strip(), entries)


def _source(link: str) -> str:
    """A link of the index, which lies in docs/, from the repository's root."""
    return link.removeprefix("../") if link.startswith("../") else f"docs/{link}"


def address(source: str) -> str:
    """The file of a page in the site, which has no folders."""
    if source == HOME:
        return "index.html"
    if source == INDEX:
        return "contents.html"
    return f"{Path(source).stem.lower()}.html"
