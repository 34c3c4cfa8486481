"""Charts of an issue: its layout, texts and figures become the observatory's charts, and those pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from baygrid.core.indicators.figure import RATIO
from baygrid.letter.inline import Reference, pieces
from baygrid.letter.issue import Issue
from baygrid.letter.layout import Chart
from baygrid.letter.page import Drawing
from baygrid.letter.voice import Voice
from baygrid.observatory import charts
from baygrid.observatory.drawing import svg, value_in
from baygrid.papers.words import LANGUAGES

_HUNDREDTH: Final = Decimal("0.01")
_PER: Final[Mapping[str, Mapping[str, Decimal]]] = {
    "CNY": {"en": Decimal(10**9), "zh-Hans": Decimal(10**8), "zh-Hant": Decimal(10**8), "ja": Decimal(10**8)},
    RATIO: dict.fromkeys(LANGUAGES, _HUNDREDTH),
}
"""What an axis counts in, where not in ones; its words are `axis.UNIT`."""


def drawing(issue: Issue, name: str, chart: Chart, voice: Voice, label: str) -> Drawing:
    made = _chart(issue, name, chart)
    language = voice.language
    said = [
        (
            " ".join(filter(None, (it.label[language], (it.series or {}).get(language)))),
            value_in(made, it, language),
        )
        for it in made.rows
    ]
    return Drawing(
        id=name,
        label=label,
        title=made.title[language],
        svg=svg(made, language),
        data_csv=charts.data_csv(made),
        metadata=json.dumps(charts.metadata(made), ensure_ascii=False, indent=1) + "\n",
        said=tuple(said),
        synthetic=made.synthetic,
    )


def _chart(issue: Issue, name: str, chart: Chart) -> charts.Chart:
    rows, figures = [], []
    for point in chart.points:
        figure = issue.bundle.figure(point.figure)
        if figure is None:
            raise KeyError(f"no figure {point.figure}")
        figures.append(figure)
        series = _in_all(issue, point.series) if point.series else None
        rows.append(charts.Row(figure.to_json(), _in_all(issue, point.at), series))
    unit = figures[0].unit
    sources = {it: issue.sources(figures, Voice(it)) for it in LANGUAGES}
    return charts.Chart(
        id=name,
        kind=charts.Kind(chart.kind),
        title=_in_all(issue, f"{name}.title"),
        axis={it: Voice(it)(f"axis.{unit}") for it in LANGUAGES},
        rows=tuple(rows),
        source=sources,
        note=None if issue.source_of(f"{name}.note") is None else _in_all(issue, f"{name}.note"),
        per=_PER.get(unit, {}),
    )


def _in_all(issue: Issue, told: str) -> Mapping[str, str]:
    """A text's words, or what stands in braces, in each language."""
    return {language: _words(issue, told, Voice(language)) for language in LANGUAGES}


def _words(issue: Issue, told: str, voice: Voice) -> str:
    """A chart's texts may have days and names, and no figures: those are its bars."""
    text = told if told.startswith("{") else issue.words(told, voice.language) or ""
    return "".join(issue.said(it, voice) if isinstance(it, Reference) else it.text for it in pieces(text))
