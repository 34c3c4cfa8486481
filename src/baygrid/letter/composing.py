"""From an issue to its page in one language: every reference becomes words, every exhibit its number.

It is for issues that `checking` found nothing in: what is missing raises KeyError or ValueError here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from baygrid.core.indicators.figure import RATIO
from baygrid.letter.bundle import Figure
from baygrid.letter.charts import drawing
from baygrid.letter.inline import Link, Plain, Reference, pieces, references
from baygrid.letter.issue import Issue
from baygrid.letter.layout import CHANGE, Part, Table
from baygrid.letter.page import (
    Block,
    Changed,
    Grid,
    Items,
    Notice,
    Page,
    Paragraph,
    Quote,
    Run,
    Runs,
    Section,
    plain,
)  # fmt: skip
from baygrid.letter.voice import Voice


def page(issue: Issue, language: str) -> Page:
    return _Composer(issue, Voice(language)).page()


@dataclass(frozen=True)
class _Composer:
    issue: Issue
    voice: Voice

    def page(self) -> Page:
        layout, voice = self.issue.layout, self.voice
        sections = tuple(
            Section(it.id, self._line(f"{it.id}.title"), tuple(self._blocks(it.parts)))
            for it in layout.sections
        )
        cited = self._cited()
        return Page(
            language=voice.language,
            number=layout.number,
            issue=voice("issue", number=str(layout.number)),
            day=layout.date,
            dated=voice.day(layout.date),
            title=self._line("title"),
            summary=tuple(self.runs(self.words(id)) for id in layout.summary),
            sections=sections,
            cited=cited,
            notes=tuple(self._notes(cited)),
            disclaimer=tuple(self.runs(self.words(id)) for id in layout.disclaimer.values()),
            notices=tuple(self._notices()),
            synthetic=cited.synthetic,
        )

    def words(self, id: str) -> str:
        found = self.issue.words(id, self.voice.language)
        if found is None:
            raise KeyError(f"no text {id} in {self.voice.language}")
        return found

    def runs(self, text: str) -> Runs:
        return tuple(self._run(piece) for piece in pieces(text))

    def _line(self, id: str) -> str:
        """A text that has no links."""
        return plain(self.runs(self.words(id)))

    def _run(self, piece: Plain | Reference | Link) -> Run:
        if isinstance(piece, Plain):
            return Run(piece.text)
        if isinstance(piece, Link):
            return Run(piece.text, link=piece.target)
        return self._referred(piece)

    def _referred(self, it: Reference) -> Run:
        voice = self.voice
        if it.head == "exhibit":
            return Run(self._label(it.style), link=f"#{it.style}")
        if not it.is_figure:
            return Run(self.issue.said(it, voice))
        figure = self._figure(it.head)
        about = f"{voice.population(figure.population)}, {voice.period(figure.period)}"
        told = voice.figure(figure, it.style, self.issue.bundle.yen)
        return Run(told, value=f"{figure.value:f}", about=about, synthetic=figure.synthetic)

    def _figure(self, reference: str) -> Figure:
        figure = self.issue.bundle.figure(reference)
        if figure is None:
            raise KeyError(f"no figure {reference}")
        return figure

    def _label(self, exhibit: str) -> str:
        return self.voice("exhibit", number=str(self.issue.exhibits().index(exhibit) + 1))

    def _blocks(self, parts: tuple[Part, ...]) -> Iterator[Block]:
        layout = self.issue.layout
        for part in parts:
            if part.text:
                yield Paragraph(self.runs(self.words(part.text)))
            elif part.list:
                yield Items(tuple(self.runs(self.words(id)) for id in part.list))
            elif part.table:
                yield self._grid(part.table, layout.tables[part.table])
            elif part.chart:
                label = self._label(part.chart)
                yield drawing(self.issue, part.chart, layout.charts[part.chart], self.voice, label)
            elif part.quotation:
                yield self._quote(part.quotation)
            else:
                yield from map(self._changed, layout.changes)

    def _grid(self, name: str, table: Table) -> Grid:
        rows = tuple(tuple(self._cell(cell) for cell in row) for row in table.rows)
        cited = [figure for row in table.rows for cell in row for figure in self._figures(cell)]
        return Grid(
            id=name,
            label=self._label(name),
            title=self._line(f"{name}.title"),
            columns=tuple(map(self._line, table.columns)),
            figures=tuple(any(map(_is_figure, column)) for column in zip(*table.rows, strict=True)),
            rows=rows,
            notes=(*self._sources(cited), *self._note(name)),
            synthetic=any(it.synthetic for it in cited),
        )

    def _cell(self, cell: str) -> Runs:
        return self.runs(cell if cell.startswith("{") else self.words(cell))

    def _figures(self, cell: str) -> list[Figure]:
        text = cell if cell.startswith("{") else self.words(cell)
        return [self._figure(it.head) for it in references(text) if it.is_figure]

    def _sources(self, figures: list[Figure]) -> list[str]:
        if not figures:
            return []
        voice = self.voice
        return [voice("source") + voice("colon") + self.issue.sources(figures, voice)]

    def _note(self, name: str) -> list[str]:
        note = self.issue.words(f"{name}.note", self.voice.language)
        if note is None:
            return []
        return [self.voice("note") + self.voice("colon") + plain(self.runs(note))]

    def _quote(self, name: str) -> Quote:
        it = self.issue.layout.quotations[name]
        link = it.source if it.source.startswith("https://") else ""
        source = it.source if link else self._line(it.source)
        return Quote(self.runs(self.words(it.text)), self._line(it.name), self._line(it.post), source, link)

    def _changed(self, name: str) -> Changed:
        rows = self.issue.rows_of(name)
        told = {
            field: self.runs(self.words(f"change.{name}.{field}"))
            for field in CHANGE
            if self.issue.source_of(f"change.{name}.{field}") is not None
        }
        told["since"] = (Run(self.voice.day(min(it.since for it in rows))),)
        ends = [it.by for it in rows if _is_day(it.by)]
        if ends and max(ends) >= str(self.issue.layout.date):
            told["by"] = (Run(self.voice.day(date.fromisoformat(max(ends)))),)
        order = ("before", "after", "since", "who", "todo", "by", "article")
        return Changed(
            self.runs(self.words(f"change.{name}.title")),
            tuple((self.voice(f"change_{field}"), told[field]) for field in order if field in told),
        )

    def _cited(self) -> Grid:
        """Every figure that this issue has in a text, a table or a chart."""
        voice = self.voice
        heads = ("figure", "population", "period", "vintage", "source", "coverage")
        rows = []
        cited = [(reference, self._figure(reference)) for reference in self.issue.cited()]
        for reference, it in cited:
            covered = "–" if it.coverage is None else voice("percent", n=voice.number(100 * it.coverage, 1))
            told = voice.figure(it, "bare" if it.unit == RATIO else "")
            value = Run(told, value=f"{it.value:f}", synthetic=it.synthetic)
            rest = (
                voice.population(it.population),
                voice.period(it.period),
                it.vintage or "–",
                self.issue.sources([it], voice),
                covered,
            )
            rows.append(((value, Run(f" ({reference})")), *((Run(text),) for text in rest)))
        return Grid(
            id="figures",
            label="",
            title=voice("figures"),
            columns=tuple(voice(head) for head in heads),
            figures=(False,) * len(heads),
            rows=tuple(rows),
            notes=(),
            synthetic=any(it.synthetic for _, it in cited),
        )

    def _notes(self, cited: Grid) -> Iterator[str]:
        yield self.voice("figures_note", day=self.voice.day(self.issue.bundle.frozen))
        if cited.synthetic:
            yield self.voice("synthetic_note")
        if (yen := self.issue.bundle.yen) and self.voice.language in ("ja", "en"):
            units, cny = (format(it, "f") for it in (yen.units, yen.cny))
            yield self.voice("rate", units=units, cny=cny, day=self.voice.day(yen.date), source=yen.source)

    def _notices(self) -> Iterator[Notice]:
        language = self.voice.language
        for it in self.issue.corrections:
            title = self.voice("correction", on=self.voice.day(it.on), since=self.voice.day(it.since))
            yield Notice(
                title, it.at, self._line(f"{it.at}.title"), it.on, it.wrong[language], it.right[language]
            )


def _is_figure(cell: str) -> bool:
    return cell.startswith("{") and any(it.is_figure for it in references(cell))


def _is_day(text: str) -> bool:
    """What is to be done by may also be told in words."""
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None
