"""A chart as a picture: altair describes it, vl-convert draws it (without a browser).

What is left to us is what readers need: their glyphs, texts that fit, colours that all can tell apart on a
white and on a dark page, and words for those who hear the picture read out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from babel.numbers import format_decimal

from baygrid.observatory.charts import Chart, Kind, Row, in_language
from baygrid.observatory.lettering import LOCALES, WORDS, columns, font, wrapped

if TYPE_CHECKING:
    import altair as alt

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8d18f2", "#d9003a")
"""Of the series in order. Each stands out from white and from near-black by 3:1 (WCAG 1.4.11), and any two of
them differ whether or not one sees red, green or blue."""

INK: Final = "#1a1a1a"
LIGHT_INK: Final = "#e8e8e8"
"""Texts on a white and on a dark page."""

_FAINT: Final = "#808080"
_WIDTH: Final = 600
_TEXT: Final = 12
_COLUMN: Final = _TEXT * 0.56
"""Pixels; a column is a Latin letter's, a Chinese character has two."""
_LABEL_COLUMNS: Final = 26
_NOTE_COLUMNS: Final = 92
_POINTS: Final = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [12, 4])

INSIDE: Final = ("#fff", "#000", "#000", "#000", "#fff", "#fff")
"""Of a text on each of the colours."""
_SVG: Final = re.compile(
    r"<svg [^>]*?(?P<size>width=\"[0-9.]+\" height=\"[0-9.]+\" viewBox=\"[^\"]*\")[^>]*>"
)


def svg(chart: Chart, language: str) -> str:
    """Raises KeyError for a language that there is none of."""
    import altair
    import vl_convert

    picture = _described(chart, language).to_dict()
    drawn = vl_convert.vegalite_to_svg(picture, vl_version=".".join(altair.SCHEMA_VERSION[1:].split(".")[:2]))
    return _for_readers(drawn, chart, language)


def value_in(chart: Chart, row: Row, language: str) -> str:
    """A row's value as its reader writes it, in the unit of the axis."""
    if row.value is None:
        return WORDS["none"][language]
    value = _scaled(chart, row.value, language)
    rounded = value.quantize(Decimal(1).scaleb(-chart.places), ROUND_HALF_UP)
    return format_decimal(rounded, "#,##0." + "#" * chart.places, LOCALES[language])


def _scaled(chart: Chart, value: Decimal, language: str) -> Decimal:
    return value / chart.per.get(language, Decimal(1))


def _described(chart: Chart, language: str) -> alt.VConcatChart:
    import altair as alt

    draw = _line if chart.kind is Kind.LINE else _bars
    inner = draw(chart, language).properties(
        title=alt.TitleParams(
            _foot(chart, language),
            orient="bottom",
            anchor="start",
            fontSize=_TEXT - 2,
            fontWeight="normal",
            offset=14,
        )
    )
    marks = [chart.axis[language], *([WORDS["synthetic"][language]] if chart.synthetic else [])]
    head = alt.TitleParams(
        wrapped(chart.title[language], 70), subtitle=marks, anchor="start", fontSize=_TEXT + 4, offset=14
    )
    whole: alt.VConcatChart = (
        alt.vconcat(inner)
        .properties(title=head)
        .configure(font=font(language), background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            domainColor=_FAINT, gridColor=_FAINT, gridOpacity=0.25, tickColor=_FAINT, labelColor=INK,
            labelFontSize=_TEXT, titleFontSize=_TEXT, labelLimit=0, titleColor=INK,
        )
        .configure_title(color=INK, subtitleColor=INK, subtitleFontSize=_TEXT)
        .configure_legend(labelFontSize=_TEXT, labelColor=INK, labelLimit=0, orient="top", title=None)
        .configure_text(fontSize=_TEXT, color=INK)
    )  # fmt: skip
    return whole


def _foot(chart: Chart, language: str) -> list[str]:
    """Where a bar can say itself that it is not shown it does; else this line does."""
    lines = [*_said("source", chart.source, language), *_said("note", chart.note, language)]
    if chart.kind is not Kind.BARS and (hidden := [it for it in chart.rows if it.value is None]):
        names = " / ".join(_name(row, language) for row in hidden)
        lines += wrapped(WORDS["hidden"][language] + names, _NOTE_COLUMNS)
    return lines


def _said(word: str, words: Mapping[str, str] | None, language: str) -> list[str]:
    return [] if words is None else wrapped(WORDS[word][language] + words[language], _NOTE_COLUMNS)


def _name(row: Row, language: str) -> str:
    return " ".join(filter(None, (row.label[language], in_language(row.series, language))))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A chart's rows as they go into the picture: `data`, and names in their order."""

    data: list[dict[str, Any]]
    labels: list[str]
    series: list[str]


def _drawn(chart: Chart, language: str) -> _Drawn:
    """A bar goes `from` where the one before it in its row ended, if they are stacked."""
    data: list[dict[str, Any]] = []
    ends: dict[str, float] = {}
    for row in chart.rows:
        label = "\n".join(wrapped(row.label[language], _LABEL_COLUMNS))
        value = row.value
        length = None if value is None else float(_scaled(chart, value, language))
        start = ends.get(label, 0.0) if chart.kind is Kind.STACKED else 0.0
        end = start + (length or 0.0)
        ends[label] = end
        data.append(
            {
                "label": label,
                "series": in_language(row.series, language),
                "value": length,
                "from": start,
                "to": end,
                "text": value_in(chart, row, language),
            }
        )
    labels, series = ([*dict.fromkeys(it[key] for it in data)] for key in ("label", "series"))
    return _Drawn(data, labels, series)


def _colour(drawn: _Drawn) -> alt.Color:
    import altair as alt

    scale = _scale(drawn, COLOURS)
    return alt.Color("series:N", sort=drawn.series, scale=scale, legend=_legend(drawn))


def _scale(drawn: _Drawn, looks: Sequence[Any]) -> alt.Scale:
    import altair as alt

    return alt.Scale(domain=drawn.series, range=list(looks[: len(drawn.series)]))


def _legend(drawn: _Drawn) -> alt.Legend | None:
    """In as many columns as the widest name leaves room for."""
    import altair as alt

    if drawn.series == [""]:
        return None
    widest = max(map(columns, drawn.series)) * _COLUMN + 30
    return alt.Legend(columns=max(1, int(_WIDTH // widest)))


def _bars(chart: Chart, language: str) -> alt.LayerChart:
    """Lying, so that long names can be read."""
    import altair as alt

    drawn = _drawn(chart, language)
    stacked = chart.kind is Kind.STACKED
    room = round(max(columns(line) for it in drawn.labels for line in it.split("\n")) * _COLUMN) + 12
    across = 1 if stacked else len(drawn.series)
    step = max(18 * across + 10, 15 * max(it.count("\n") + 1 for it in drawn.labels) + 10)
    axis = alt.Axis(ticks=False, domain=False, minExtent=room, labelExpr="split(datum.label, '\\n')")
    label = alt.Y("label:N", sort=drawn.labels, title=None, axis=axis)
    offset: dict[str, Any] = {} if across == 1 else {"yOffset": alt.YOffset("series:N", sort=drawn.series)}
    value = alt.X("from:Q", title=None, axis=alt.Axis(tickCount=5))
    base = alt.Chart(alt.InlineData(values=drawn.data)).encode(y=label, **offset)
    bars = base.mark_bar().encode(x=value, x2="to:Q", color=_colour(drawn))
    texts = _inside(base, drawn, _WIDTH - room) if stacked else _behind(base)
    whole: alt.LayerChart = (bars + texts).properties(
        width=_WIDTH - room, height=alt.Step(step, **{"for": "position"})
    )
    return whole


def _behind(base: alt.Chart) -> alt.Chart:
    """The value after the end of its bar."""
    texts: alt.Chart = base.mark_text(align="left", dx=4).encode(x="end:Q", text="text:N")
    return texts.transform_calculate(end="max(datum.from, datum.to)")


def _inside(base: alt.Chart, drawn: _Drawn, width: int) -> alt.Chart:
    """The value in its part, where that has room for it."""
    import altair as alt

    longest = max(it["to"] for it in drawn.data) or 1.0
    fits = [
        it | {"middle": (it["from"] + it["to"]) / 2, "ink": INSIDE[drawn.series.index(it["series"])]}
        for it in drawn.data
        if (it["to"] - it["from"]) / longest * width > columns(it["text"]) * _COLUMN + 6
    ]
    base = base.properties(data=alt.InlineData(values=fits))
    ink = alt.Color("ink:N", scale=None)
    texts: alt.Chart = base.mark_text(align="center").encode(x="middle:Q", text="text:N", color=ink)
    return texts


def _line(chart: Chart, language: str) -> alt.LayerChart:
    """Lines break where a value is not shown. Series differ in colour, dashes and points."""
    import altair as alt

    drawn = _drawn(chart, language)
    x = alt.X("label:N", sort=drawn.labels, title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True))
    y = alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=True))
    named: dict[str, Any] = {"sort": drawn.series, "legend": _legend(drawn)}
    dash = alt.StrokeDash("series:N", scale=_scale(drawn, _DASHES), **named)
    shape = alt.Shape("series:N", scale=_scale(drawn, _POINTS), **named)
    base = alt.Chart(alt.InlineData(values=drawn.data)).encode(x=x, y=y, color=_colour(drawn))
    lines = base.mark_line().encode(strokeDash=dash)
    points = base.mark_point(filled=True, size=50, opacity=1).encode(shape=shape)
    whole: alt.LayerChart = (lines + points).properties(width=_WIDTH - 60, height=240)
    return whole


def _for_readers(drawn: str, chart: Chart, language: str) -> str:
    """With a title and a description, a language, and light texts where the page is dark."""
    name = f"chart-{re.sub('[^a-z0-9]', '-', chart.id.lower())}-{language}"
    size = _SVG.match(drawn)
    assert size is not None
    told = "; ".join(f"{_name(row, language)}: {value_in(chart, row, language)}" for row in chart.rows)
    marks = [WORDS["synthetic"][language]] if chart.synthetic else []
    described = ". ".join([f"{chart.axis[language]}: {told}", *marks])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" {size["size"]} xml:lang="{language}"'
        f' lang="{language}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(chart.title[language])}</title>'
        f'<desc id="{name}-desc">{escape(described)}</desc>'
        f"<style>@media (prefers-color-scheme: dark) {{ #{name} text[fill='{INK}'] {{ fill: {LIGHT_INK} }} }}"
        "</style>"
        f"{drawn[size.end() :]}\n"
    )
