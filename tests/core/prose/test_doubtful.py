"""What cannot be so: figures beyond their unit's bounds, and names of what is not there."""

from fractions import Fraction

import pytest

from baygrid.core.prose.found import LANGUAGES
from baygrid.core.prose.gazetteer import ENTITIES, names
from baygrid.core.prose.language import guess
from baygrid.core.prose.numerals import MILLION, TRILLION
from baygrid.core.prose.plausible import BOUNDS, SOURCES, plausible
from baygrid.core.prose.reader import read
from baygrid.core.prose.units import shown


def test_the_letters_figure_has_its_readings_and_its_source():
    (found,) = read("1秒間に500億兆回", "ja")
    assert (found.text, found.flag, found.suggestion) == ("500億兆回", "implausible", "500 PFLOP/s")
    assert [(it.rule, it.value, it.plausible) for it in found.readings] == [
        (TRILLION.says, Fraction(5 * 10**22), False),
        (MILLION.says, Fraction(5 * 10**16), True),
    ]
    assert found.source is not None
    assert found.source.value == 5 * 10**17
    assert found.why is not None
    assert "TOP500" in found.why


def test_what_a_source_says_its_original_says_too():
    for source in SOURCES:
        (original,) = read(source.original, "zh-Hans")
        (printed,) = read(source.shown, "en")
        assert (original.value, original.unit) == (source.value, source.unit) == (printed.value, printed.unit)
        assert not plausible(source.printed, source.unit)


@pytest.mark.parametrize("unit", BOUNDS)
def test_a_bound_is_the_last_that_is_plausible(unit: str):
    most = BOUNDS[unit].most
    assert plausible(Fraction(most), unit)
    assert plausible(Fraction(-most), unit)
    assert not plausible(Fraction(most + 1), unit)
    assert not plausible(Fraction(-most - 1), unit)


def test_large_machines_and_the_briefs_figures_are_plausible():
    text = "500 PFLOP/s, 1.809 EFLOP/s, 459 EFLOP/s, 2,267 companies, RMB 221.3 billion, 120.56 km2"
    assert [it.flag for it in read(text, "en")] == [None] * 6


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("500000000000000000", "FLOP/s", "500 PFLOP/s"),
        ("1809000000000000000", "FLOP/s", "1.809 EFLOP/s"),
        ("12.5", "FLOP/s", "12.5 FLOP/s"),
        ("221300000000", "CNY", "221,300,000,000 CNY"),
        ("-3.2", "%", "-3.2 %"),
        ("0.125", None, "0.125"),
    ],
)
def test_a_value_is_shown_as_people_write_it(value: str, unit: str | None, text: str):
    assert shown(value, unit) == text


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("前海市", "前海"),
        ("「前海市」", "前海"),
        ("AI前海市", "前海"),
        ("前海区", "前海"),
        ("Qianhai City", "Qianhai"),
        ("the City of Qianhai", "Qianhai"),
        ("Qianhai District", "Qianhai"),
        ("橫琴市", "橫琴"),
        ("福田市", "福田"),
        ("香港市", "香港"),
        ("深圳省", "深圳"),
        ("Guangdong City", "Guangdong"),
        ("広東市", "広東"),
    ],
)
def test_a_place_that_is_called_what_it_is_not_is_flagged(text: str, right: str):
    (found,) = [it for it in names(text) if it.flag]
    assert (found.flag, found.right) == ("wrong-kind", right)
    assert found.why == found.entity.says != ""


@pytest.mark.parametrize(
    "text",
    ["前海", "前海市场监管", "前海市場", "香港市民", "香港市區", "前海合作区", "前海区域",
     "前海管理局", "深圳市", "深セン市", "深圳", "福田区", "広東省",
     "Shenzhen City", "Qianhai Cityscape", "the Qianhai district"],
)  # fmt: skip
def test_right_names_are_found_and_not_flagged(text: str):
    found = names(text)
    assert found
    assert [it.flag for it in found] == [None] * len(found)


def test_every_name_of_the_gazetteer_is_found_as_what_it_is():
    for entity in ENTITIES:
        for language in LANGUAGES:
            for name in entity.names[language]:
                (found,) = names(f"「{name}」")
                assert (found.text, found.entity.id, found.flag) == (name, entity.id, None)


def test_names_with_other_brackets_and_dots_are_the_same():
    (found,) = names("国家(深圳・前海)新型インターネットエクスチェンジセンター")
    assert found.entity.id == "internet-exchange"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("1秒間に500億兆回", "ja"),
        ("50亿亿次", "zh-Hans"),
        ("每小時處理100億張圖像，應用層", "zh-Hant"),
        ("1.6 billion", "en"),
        ("AI企業289社", None),
        ("500億", None),
        ("289", None),
        ("", None),
        ("発表：國發〔2024〕20号，们", None),
    ],
)
def test_a_language_is_guessed_only_where_it_is_certain(text: str, language: str | None):
    assert guess(text) == language
