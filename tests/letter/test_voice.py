"""Numbers, days and populations as each language writes them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from baygrid.letter.bundle import Figure, Rate
from baygrid.letter.voice import NoStyle, Voice, _words
from baygrid.papers.words import LANGUAGES

RATE = Rate(
    currency="JPY", units=Decimal(100), cny=Decimal("5.0019"), date=date(2023, 12, 26), source="CFETS"
)
ORDER = ("en", "zh-Hans", "zh-Hant", "ja")


def figure(value: str | None, unit: str) -> Figure:
    number = None if value is None else Decimal(value)
    return Figure(id="x", value=number, unit=unit, population="p", period="2023", source="s", note="hidden")


@pytest.mark.parametrize(
    ("value", "unit", "style", "told"),
    [
        ("289", "companies", "", ("289 companies", "289家", "289家", "289社")),
        ("1", "companies", "", ("1 company", "1家", "1家", "1社")),
        ("2267", "companies", "", ("2,267 companies", "2,267家", "2,267家", "2,267社")),
        ("221300000000", "CNY", "", ("RMB 221.3 billion", "2,213亿元", "2,213億元", "2,213億元")),
        ("10000000", "CNY", "", ("RMB 10 million", "1,000万元", "1,000萬元", "1,000万元")),
        ("221300000000", "CNY", "yen",
         ("RMB 221.3 billion (about JPY 4.4 trillion)", "2,213亿元", "2,213億元", "2,213億元（約4.4兆円）")),
        ("10000000", "CNY", "yen",
         ("RMB 10 million (about JPY 200 million)", "1,000万元", "1,000萬元", "1,000万元（約2億円）")),
        ("999", "CNY", "", ("RMB 999", "999元", "999元", "999元")),
        ("0.1274813", "1", "percent", ("12.75%", "12.75%", "12.75%", "12.75%")),
        ("0.2629758", "1", "percent:1", ("26.3%", "26.3%", "26.3%", "26.3%")),
        ("0.515", "1", "change:1", ("+51.5%", "+51.5%", "+51.5%", "+51.5%")),
        ("-0.05", "1", "change", ("−5%", "−5%", "−5%", "−5%")),
        ("0.1274813", "1", "fraction", ("one eighth", "八分之一", "八分之一", "8分の1")),
        ("0.5", "1", "fraction", ("one half", "二分之一", "二分之一", "2分の1")),
        ("0.0402", "1", "fraction", ("1/25", "二十五分之一", "二十五分之一", "25分の1")),
        ("2.1116462", "1", "bare:2", ("2.11", "2.11", "2.11", "2.11")),
        ("500", "PFLOP/s", "", ("500 PFLOP/s", "500 PFLOP/s", "500 PFLOP/s", "500PFLOP/s")),
        ("500", "PFLOP/s", "operations",
         ("500 quadrillion operations a second", "每秒50亿亿次", "每秒50億億次", "毎秒50京回")),
        ("1600000000", "images", "", ("1.6 billion images", "16亿张图像", "16億張圖像", "画像16億枚")),
        ("1900000", "hours", "", ("1.9 million hours", "190万小时", "190萬小時", "190万時間")),
        ("7000", "km", "", ("7,000 km", "7,000公里", "7,000公里", "7,000km")),
        ("120.56", "km2", "", ("120.56 km²", "120.56平方公里", "120.56平方公里", "120.56km²")),
        ("1000000", "persons", "whole", ("1,000,000 people", "1,000,000人", "1,000,000人", "1,000,000人")),
    ],
)  # fmt: skip
def test_a_figure_in_each_language(value: str, unit: str, style: str, told: tuple[str, ...]):
    assert tuple(Voice(it).figure(figure(value, unit), style, RATE) for it in ORDER) == told


@pytest.mark.parametrize(
    ("unit", "style"),
    [
        ("companies", "percent"),
        ("1", "loud"),
        ("1", "percent:x"),
        ("hours", "yen"),
        ("CNY", "operations"),
        ("furlongs", ""),
    ],
)
def test_a_style_that_says_nothing_of_the_unit_is_refused(unit: str, style: str):
    with pytest.raises(NoStyle):
        Voice("en").figure(figure("289", unit), style, RATE)


def test_yen_need_a_rate():
    with pytest.raises(NoStyle, match="no rate"):
        Voice("ja").figure(figure("1", "CNY"), "yen", None)


def test_what_is_suppressed_is_never_told():
    with pytest.raises(ValueError, match="hidden"):
        Voice("ja").figure(figure(None, "companies"))


def test_days_and_populations():
    day = date(2026, 12, 17)
    assert [Voice(it).day(day) for it in ORDER] == [
        "17 December 2026", "2026年12月17日", "2026年12月17日", "2026年12月17日"]  # fmt: skip
    assert [Voice(it).month(day) for it in ORDER] == [
        "December 2026",
        "2026年12月",
        "2026年12月",
        "2026年12月",
    ]
    assert Voice("ja").population("ai_companies in qianhai, base layer") == "前海のAI企業 (基礎層)"
    assert Voice("en").population("information_services in shenzhen") == "information services, Shenzhen"
    assert Voice("ja").population("ships in transit") == "ships in transit"


def test_every_word_is_there_in_every_language():
    assert {len(it) for it in _words().values()} == {len(LANGUAGES)}
    assert all(all(word == str(word) != "" for word in it) for it in _words().values())
