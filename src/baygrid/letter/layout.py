"""`issue.yaml`: what stands where in an issue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, Literal, Self, TypeAlias

from pydantic import model_validator

from baygrid.letter.reading import Raw
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


Day: TypeAlias = date  # Layout has a field of that name


class ZoneDay(Raw):
    """What a set of the bundle is of."""

    zone: str
    as_of: date


class Layout(Raw):
    """`issue.yaml`. `since`: the day of the last issue; `data`: the sets of figures to freeze; `platform`:
    whether the platform's own are among them. `source`: the language that texts are written in, but those in
    `written_in`; `sources`: the text for a figure's source, by the words that the bundle has for it."""

    number: int
    date: date
    since: Day
    until: Day
    data: Mapping[str, ZoneDay] = {}
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
