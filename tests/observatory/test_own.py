from __future__ import annotations

import pytest

from baygrid.observatory.charts import LANGUAGES, Kind
from baygrid.observatory.own import IDS, own_chart
from tests.observatory.drawn import figure

LAYERS = ("base", "technology", "application", "unlabelled", "not_linked")
PERIOD = {"period": "2026-10-01/2026-10-09", "vintage": "2026-11-23"}


def told(id: str, value: str | None, unit: str = "jobs") -> dict[str, object]:
    return figure(value, id=id, unit=unit, **PERIOD)


FIGURES = [
    *(told(f"compute.hours_unmet.{it}", "2", "accelerator_hours") for it in ("room", "money", "given_up")),
    told("centres.constraint.north.capacity", "4"),
    told("centres.constraint.north.outranked", "9"),
    told("centres.constraint.south.law", "3"),
    told("centres.constraint.south.capacity", "1"),
    told("data.requests_unmet", "5", "requests"),
    told("data.requests_unmet.times", "8", "requests"),
    *(told(f"compute.used.{it}", "1", "accelerator_hours") for it in LAYERS),
    *(told(f"support.received.{it}", None, "CNY") for it in LAYERS),
]


@pytest.mark.parametrize("id", IDS)
def test_each_chart_has_its_figures_in_the_words_of_all_languages(id):
    chart = own_chart(id, FIGURES)
    assert chart is not None
    assert all(row.figure["id"].startswith(id) for row in chart.rows)
    assert all("2026-10-01–2026-10-09" in chart.source[it] for it in LANGUAGES)
    assert len({chart.title[it] for it in LANGUAGES}) == 4


def test_what_constrains_centres_is_stacked_without_what_is_no_constraint():
    chart = own_chart("centres.constraint", FIGURES)
    assert chart is not None
    assert chart.kind is Kind.STACKED
    assert [(it.label["ja"], (it.series or {})["en"], it.figure["value"]) for it in chart.rows] == [
        ("north", "Busy", "4"),
        ("south", "Busy", "1"),
        ("south", "Law", "3"),
    ]


def test_no_constraint_at_all_is_no_chart_and_an_unknown_one_is_an_error():
    assert own_chart("centres.constraint", FIGURES[:3]) is None
    with pytest.raises(KeyError):
        own_chart("centres", FIGURES)
