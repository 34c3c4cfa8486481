"""Charts of figures: as a picture in the reader's language (SVG), as data (CSV), and what the data is.

Nothing of a chart is typed by hand but its words: every bar and point is a figure as it was told. The same
chart gives the same bytes on one machine; without the fonts of `scripts/fonts.sh` others measure its texts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias

from baygrid.observatory.sheet import cell

LANGUAGES: Final = ("en", "zh-Hans", "zh-Hant", "ja")
MOST_SERIES: Final = 6
"""More cannot be told apart by readers who are colour-blind."""

Words: TypeAlias = Mapping[str, str]
"""A text by language; all four are there."""
FigureJson: TypeAlias = Mapping[str, Any]
"""A figure as JSON has it (`Figure.to_json`): also those that were frozen long ago."""


class Kind(StrEnum):
    """`BARS` lie beside one another, `STACKED` in one row for each label; a `LINE` goes through its labels in
    order, which are times."""

    BARS = "bars"
    STACKED = "stacked"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Row:
    """One bar or point. `series` None where the chart has one only."""

    figure: FigureJson
    label: Words
    series: Words | None = None

    @property
    def value(self) -> Decimal | None:
        found = self.figure["value"]
        return None if found is None else Decimal(found)


@dataclass(frozen=True, slots=True)
class Chart:
    """`axis` names what is measured, with the unit; `per`: what a language's unit is of the figures' (億元 of
    yuan: 10^8), else 1. `places`: decimals at most of a value that is written beside its bar.

    Raises ValueError for what cannot be drawn or read.
    """

    id: str
    kind: Kind
    title: Words
    axis: Words
    rows: tuple[Row, ...]
    source: Words
    note: Words | None = None
    per: Mapping[str, Decimal] = field(default_factory=dict)
    places: int = 1

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError(f"{self.id}: a chart has rows")
        texts = [self.title, self.axis, self.source, self.note, *(it.label for it in self.rows)]
        for words in filter(None, [*texts, *(it.series for it in self.rows)]):
            if missing := [it for it in LANGUAGES if not words.get(it)]:
                raise ValueError(f"{self.id}: {words} lacks {', '.join(missing)}")
        units = {str(it.figure["unit"]) for it in self.rows}
        if len(units) > 1:
            raise ValueError(f"{self.id}: one axis cannot measure {', '.join(sorted(units))}")
        if len({it.series is None for it in self.rows}) > 1:
            raise ValueError(f"{self.id}: either all rows have a series or none")
        if self.kind is Kind.STACKED and any((it.value or 0) < 0 for it in self.rows):
            raise ValueError(f"{self.id}: a part of a whole is not below zero")
        for language in LANGUAGES:
            self._check(language)

    def _check(self, language: str) -> None:
        """Rows that look the same would be drawn onto each other."""
        cells = [(it.label[language], in_language(it.series, language)) for it in self.rows]
        if len(set(cells)) < len(cells):
            raise ValueError(f"{self.id}: two rows are the same in {language}")
        if len({series for _, series in cells}) > MOST_SERIES:
            raise ValueError(f"{self.id}: a chart has at most {MOST_SERIES} series")

    @property
    def synthetic(self) -> bool:
        """Whether any of it is made up."""
        return any(it.figure["synthetic"] for it in self.rows)


def in_language(words: Words | None, language: str) -> str:
    return "" if words is None else words[language]


def same(text: str) -> Words:
    """A name or a time that all languages write alike."""
    return dict.fromkeys(LANGUAGES, text)


def data_csv(chart: Chart) -> str:
    """A row for each figure, in the chart's order (RFC 4180); labels in English, values unrounded."""
    out = io.StringIO()
    columns = ("label", "series", *chart.rows[0].figure)
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    for row in chart.rows:
        words = {"label": row.label["en"], "series": in_language(row.series, "en")}
        writer.writerow({key: cell(it) for key, it in {**words, **row.figure}.items()})
    return out.getvalue()


def metadata(chart: Chart) -> dict[str, Any]:
    """What stands beside the picture and its data, for programs and for people who check."""
    return {
        "id": chart.id,
        "kind": chart.kind.value,
        "title": dict(chart.title),
        "axis": dict(chart.axis),
        "per": {language: f"{it:f}" for language, it in chart.per.items()},
        "source": dict(chart.source),
        "note": None if chart.note is None else dict(chart.note),
        "synthetic": chart.synthetic,
        "rows": [
            {
                "label": dict(row.label),
                "series": None if row.series is None else dict(row.series),
                "figure": dict(row.figure),
            }
            for row in chart.rows
        ],
    }
