"""An issue as it is written: `issue.yaml` (what stands where), `texts/LANGUAGE.yaml`, `bundle.json`."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias

from pydantic import model_validator

from baygrid.letter import bundle as bundles
from baygrid.letter.bundle import Bundle, Change, Figure
from baygrid.letter.corrections import Correction
from baygrid.letter.corrections import read as read_corrections
from baygrid.letter.inline import DATES, Reference, references
from baygrid.letter.reading import Raw, Unreadable, model, read_yaml
from baygrid.letter.voice import Voice
from baygrid.papers.words import LANGUAGES

DISCLAIMER: Final = ("audience", "reference", "later", "advice", "rights", "reproduction")
"""Its parts: for whom, that it is for reference, that later changes are not followed, that advice on a case
is something else, whose the sources are and whom to ask for removal, that it may not be copied."""
SECTIONS: Final = ("changes", "effects", "actions", "indicators", "platform")
"""What every issue has, whatever else: what changed in law, whom it touches, what to do, figures."""

CHANGE: Final = ("before", "after", "who", "todo", "article")
"""Texts of a change of law, after its title."""
MAY_BE_LEFT_OUT: Final = (".note", ".before", ".todo")
"""Ends of the ids of texts that an exhibit or a change may have and need not."""
RESERVED: Final = ("text", "summary", "contents", "corrections", "cited", "figures", "disclaimer")
"""Anchors that every page has."""


class Table(Raw):
    """Columns are texts; a cell is a text's id, or what a paragraph may hold in braces."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @model_validator(mode="after")
    def _even(self) -> Self:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} has {len(row)} cells, there are {len(self.columns)} columns")
        return self


class Point(Raw):
    """A value of a chart. `at`: its place on the axis (a text, or braces); `series`: which it belongs to."""

    at: str
    figure: str
    series: str = ""


class Chart(Raw):
    kind: Literal["bars", "stacked", "line"]
    points: tuple[Point, ...]


class Quotation(Raw):
    """All texts' ids but the source, which is an address or the name of a document."""

    text: str
    name: str
    post: str
    source: str


class ToldChange(Raw):
    """A change of law or measures in our own words (texts `change.NAME.title` and those of `CHANGE`).
    `rows`: what of the bundle it tells, by `Change.key`, which is another one when that has changed."""

    rows: tuple[str, ...]


class Part(Raw):
    """One of these."""

    text: str = ""
    list: tuple[str, ...] = ()
    table: str = ""
    chart: str = ""
    quotation: str = ""
    changes: Literal["", "all"] = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a part is one of text, list, table, chart, quotation, changes")
        return self


class Section(Raw):
    """Its title is the text `ID.title`."""

    id: str
    parts: tuple[Part, ...]


Day: TypeAlias = date


class Asked(Raw):
    """A set of the bundle: what is known of a zone on a day."""

    zone: str
    as_of: date


class Layout(Raw):
    """`issue.yaml`. `since`: the day of the last issue; `data`: the sets of figures to freeze;
    `platform`: whether the platform's own are among them. `source`: the
    language that texts are written in, but those in `written_in`; `sources`: the text for a figure's source,
    by the words that the bundle has for it."""

    number: int
    date: date
    since: Day
    until: Day
    data: Mapping[str, Asked] = {}
    platform: Literal["", "yes"] = ""
    source: str
    site: str
    contact: str
    names: Mapping[str, Mapping[str, str]] = {}
    written_in: Mapping[str, str] = {}
    sources: Mapping[str, str] = {}
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    tables: Mapping[str, Table] = {}
    charts: Mapping[str, Chart] = {}
    quotations: Mapping[str, Quotation] = {}
    changes: Mapping[str, ToldChange] = {}
    disclaimer: Mapping[str, str]

    @model_validator(mode="after")
    def _contact(self) -> Self:
        if "contact" in self.names:
            raise ValueError("names.contact is the contact above: take it out")
        return self

    def named(self, name: str) -> Mapping[str, str]:
        """In each language. Raises KeyError."""
        return dict.fromkeys(LANGUAGES, self.contact) if name == "contact" else self.names[name]

    def parts(self) -> Iterator[Part]:
        for section in self.sections:
            yield from section.parts

    def shown(self) -> Iterator[str]:
        """Ids of texts, and what stands in braces in cells, in the order of reading."""
        yield from ("title", *self.summary)
        for section in self.sections:
            yield f"{section.id}.title"
            for part in section.parts:
                yield from self._of(part)
        yield from self.disclaimer.values()

    def _of(self, part: Part) -> Iterator[str]:
        for name in self.changes if part.changes else ():
            yield from (f"change.{name}.{field}" for field in ("title", *CHANGE))
        yield from (part.text, *part.list) if part.text else part.list
        if table := self.tables.get(part.table):
            yield from (f"{part.table}.title", *table.columns)
            for row in table.rows:
                yield from row
            yield f"{part.table}.note"
        if chart := self.charts.get(part.chart):
            yield f"{part.chart}.title"
            for point in chart.points:
                yield from filter(None, (point.at, point.series, f"{{{point.figure}}}"))
            yield f"{part.chart}.note"
        if quotation := self.quotations.get(part.quotation):
            yield from (quotation.text, quotation.name, quotation.post)
            if not quotation.source.startswith("https://"):
                yield quotation.source


@dataclass(frozen=True, slots=True)
class Text:
    """`of`: the fingerprint of the paragraph that it was translated from; "" of a source."""

    words: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    folder: Path
    layout: Layout
    bundle: Bundle
    texts: Mapping[str, Mapping[str, Text]]
    """By language, by id."""
    corrections: tuple[Correction, ...]

    @property
    def name(self) -> str:
        return f"{self.layout.number:03}"

    def written_in(self, id: str) -> str:
        return self.layout.written_in.get(id, self.layout.source)

    def source_of(self, id: str) -> str | None:
        """The paragraph that translations are made from."""
        return self.words(id, self.written_in(id))

    def words(self, id: str, language: str) -> str | None:
        text = self.texts[language].get(id)
        return None if text is None else text.words

    def said(self, it: Reference, voice: Voice) -> str:
        """What a reference to a date or a name is in a language."""
        if it.head in DATES:
            return voice.date(it)
        return self.layout.named(it.head.removeprefix("name."))[voice.language]

    def sources(self, figures: Iterable[Figure], voice: Voice) -> str:
        """Each once, in a language where the issue has words for it. A figure made of several has several."""
        found = (self._source(words, voice.language) for it in figures for words in it.source.split("; "))
        return voice("semicolon").join(dict.fromkeys(found))

    def _source(self, words: str, language: str) -> str:
        id = self.layout.sources.get(words)
        return words if id is None else self.words(id, language) or words

    def untold_sources(self) -> list[str]:
        """Sources of figures that are cited, for which the issue has no words."""
        figures = [it for reference in self.cited() if (it := self.bundle.figure(reference)) is not None]
        found = dict.fromkeys(words for it in figures for words in it.source.split("; "))
        return [it for it in found if it not in self.layout.sources]

    def exhibits(self) -> list[str]:
        """Tables and charts in the order of their numbers."""
        return [part.table or part.chart for part in self.layout.parts() if part.table or part.chart]

    def rows_of(self, change: str) -> list[Change]:
        """The rows of the bundle that a change tells."""
        keys = self.layout.changes[change].rows
        return [it for it in self.bundle.changes if it.key in keys]

    def shown(self) -> list[str]:
        """As Layout.shown, without texts that may be left out and are."""
        return [
            it
            for it in self.layout.shown()
            if not it.endswith(MAY_BE_LEFT_OUT) or it.startswith("{") or self.source_of(it) is not None
        ]

    def cited(self) -> list[str]:
        """References of all figures that the issue shows, in the order of reading."""
        found: dict[str, None] = {}
        for piece in self.shown():
            text = piece if piece.startswith("{") else self.source_of(piece) or ""
            found.update((it.head, None) for it in references(text) if it.is_figure)
        return [*found]

    def text_ids(self) -> list[str]:
        """Of every text that some page shows."""
        shown = [it for it in self.shown() if not it.startswith("{")]
        return [*dict.fromkeys([*shown, *self.layout.sources.values()])]


def fingerprint(text: str) -> str:
    """Of a paragraph, as its translations note it."""
    return hashlib.sha256(unicodedata.normalize("NFC", text.strip()).encode()).hexdigest()[:12]


def read(folder: Path) -> Issue:
    """Raises Unreadable."""
    if not folder.is_dir():
        raise Unreadable(f"there is no issue {folder}: name its folder, or its number where letters/ lies")
    layout = model(Layout, read_yaml(folder / "issue.yaml"), "issue.yaml")
    if layout.source not in LANGUAGES:
        raise Unreadable(f"issue.yaml: source: {layout.source!r} is none of {', '.join(LANGUAGES)}")
    bundle = bundles.read(folder / "bundle.json")
    texts = {language: dict(_texts(folder / "texts" / f"{language}.yaml")) for language in LANGUAGES}
    return Issue(folder, layout, bundle, texts, read_corrections(folder / "corrections.yaml"))


def _texts(path: Path) -> Iterator[tuple[str, Text]]:
    document = read_yaml(path)
    if not isinstance(document, dict):
        raise Unreadable(f"{path.name} must be a mapping from ids to texts")
    for id, value in document.items():
        if isinstance(value, str):
            yield str(id), Text(value.strip())
        elif isinstance(value, dict) and value.keys() == {"text", "of"}:
            yield str(id), Text(str(value["text"]).strip(), str(value["of"]))
        else:
            raise Unreadable(f"{path.name}: {id} must be a text, or a translation with text and of")
