from __future__ import annotations

import csv
import io
import itertools
import re

import numpy as np
import pytest

from baygrid.observatory.charts import LANGUAGES, MOST_SERIES, Kind, Row, data_csv, metadata, same
from baygrid.observatory.drawing import COLOURS, INK, INSIDE, LIGHT_INK, value_in
from baygrid.observatory.lettering import columns, wrapped
from tests.observatory.drawn import BILLIONS, TITLE, by_layer, chart, figure

PAGES = ("#ffffff", "#121212")
SEEN = {
    "all colours": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
"""How linear RGB looks to whom (Machado, Oliveira and Fernandes 2009, severity 1)."""


def test_data_has_a_row_for_each_figure_with_all_that_it_carries():
    found = [*csv.DictReader(io.StringIO(data_csv(by_layer())))]
    assert [(it["label"], it["series"], it["value"], it["note"]) for it in found] == [
        ("2023", "Base <layer>", "39", ""),
        ("2023", "Technology layer", "37.25", ""),
        ("2023", "Application layer", "", "fewer than 3"),
    ]
    assert {(it["population"], it["vintage"], it["coverage"], it["synthetic"]) for it in found} == {
        ("ai_companies in qianhai", "2024-03-27", "1", "false")
    }


def test_a_label_is_never_computed_by_a_spreadsheet_and_a_number_below_zero_stays_one():
    rows = (Row(figure("-1.5", source='=HYPERLINK("x")'), same("@x")),)
    (found,) = csv.DictReader(io.StringIO(data_csv(chart(rows))))
    assert (found["label"], found["source"], found["value"]) == ("'@x", '\'=HYPERLINK("x")', "-1.5")


def test_metadata_has_every_figure_whole_and_says_what_is_synthetic():
    rows = (Row(figure("1"), same("a")), Row(figure("2", synthetic=True), same("b")))
    told = metadata(chart(rows, per=BILLIONS))
    assert told["synthetic"] is True
    assert told["per"] == {"en": "1000000000", **dict.fromkeys(("zh-Hans", "zh-Hant", "ja"), "100000000")}
    assert [it["figure"] for it in told["rows"]] == [it.figure for it in rows]
    assert metadata(by_layer())["synthetic"] is False


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rows": ()}, "has rows"),
        ({"title": {"en": "only"}}, "lacks zh-Hans, zh-Hant, ja"),
        ({"rows": (Row(figure("1"), {**TITLE, "ja": ""}),)}, "lacks ja"),
        ({"rows": (Row(figure("1"), same("a")), Row(figure("1", unit="CNY"), same("b")))}, "CNY, companies"),
        ({"rows": (Row(figure("1"), same("a")), Row(figure("2"), {**TITLE, "ja": "a"}))}, "the same in ja"),
        ({"rows": (Row(figure("1"), same("a")), Row(figure("2"), same("b"), same("c")))}, "a series or none"),
        (
            {"rows": tuple(Row(figure("1"), same("a"), same(str(it))) for it in range(MOST_SERIES + 1))},
            "at most 6 series",
        ),
        ({"rows": (Row(figure("-1"), same("a")),), "kind": Kind.STACKED}, "not below zero"),
    ],
)
def test_what_cannot_be_read_is_refused(changed, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        chart(**({"rows": (Row(figure("1"), same("a")),)} | changed))


def test_as_many_series_as_there_are_colours_are_drawn():
    chart(tuple(Row(figure("1"), same("a"), same(str(it))) for it in range(MOST_SERIES)))
    assert len(COLOURS) == len(INSIDE) == MOST_SERIES


def test_a_value_is_written_in_the_unit_of_its_readers():
    row = Row(figure("221350000000", unit="CNY"), same("2023"))
    revenue = chart((row,), per=BILLIONS)
    assert [value_in(revenue, row, it) for it in LANGUAGES] == ["221.4", "2,213.5", "2,213.5", "2,213.5"]
    assert value_in(by_layer(), by_layer().rows[2], "ja") == "非表示"


def test_lines_break_between_words_and_between_characters_but_not_before_a_full_stop():
    assert wrapped("a bc def", 4) == ["a bc", "def"]
    assert wrapped("前海深港", 4) == ["前海", "深港"]
    assert wrapped("前海深。港", 6) == ["前海", "深。港"]
    assert wrapped("GPU算力", 5) == ["GPU算", "力"]
    assert columns("GPU算力") == 7


def _linear(colour):
    short = colour.removeprefix("#")
    whole = "".join(2 * it for it in short) if len(short) == 3 else short
    value = np.array([int(whole[at : at + 2], 16) for at in (0, 2, 4)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _contrast(one, other):
    """By WCAG 2.1."""
    darker, lighter = sorted(float(_linear(it) @ [0.2126, 0.7152, 0.0722]) for it in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def _lab(linear):
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ np.clip(linear, 0, 1) / [0.95047, 1, 1.08883])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_colours_and_texts_stand_out_from_light_and_dark_pages():
    assert min(_contrast(*it) for it in itertools.product(COLOURS, PAGES)) >= 3
    assert min(_contrast(ink, colour) for ink, colour in zip(INSIDE, COLOURS, strict=True)) >= 4.5
    assert min(_contrast(INK, PAGES[0]), _contrast(LIGHT_INK, PAGES[1])) >= 7


@pytest.mark.parametrize("who", SEEN)
def test_any_two_colours_differ_for_everybody(who):
    seen = [_lab(np.array(SEEN[who]) @ _linear(it)) for it in COLOURS]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 15
