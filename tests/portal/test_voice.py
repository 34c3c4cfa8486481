"""Figures as readers of four languages write them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from baygrid.core.units import Money
from baygrid.portal.language import LANGUAGES
from baygrid.portal.voice import OFFERED, Voice, zone_of

AT = 1_795_460_000_123  # 2026-11-23T18:53:20.123Z


def voice(tag: str, zone: str | None = None) -> Voice:
    return Voice(LANGUAGES[tag], zone_of(zone))


@pytest.mark.parametrize(
    ("tag", "money", "span", "moment"),
    [
        ("en", "CN¥1,234.56", "1 hr 30 mins", "24 Nov 2026 02:53:20"),
        ("zh-Hans", "¥1,234.56", "1小时30分钟", "2026年11月24日 02:53:20"),
        ("zh-Hant", "CN¥1,234.56", "1小時30分鐘", "2026年11月24日 02:53:20"),
        ("ja", "元1,234.56", "1時間30分", "2026年11月24日 02:53:20"),
    ],
)
def test_each_language(tag: str, money: str, span: str, moment: str):
    it = voice(tag)
    assert (it.money(Money(123456, "CNY")), it.span(5400), it.moment(AT)) == (money, span, moment)


def test_amounts_stay_exact():
    it = voice("en")
    assert it.minor(2**63 - 1, "CNY") == "CN¥92,233,720,368,547,758.07"
    assert it.minor(-5, "JPY") == "-JP¥5"
    assert it.rate(Fraction(1, 50), "CNY") == "CN¥0.02"
    assert it.rate(Fraction(123, 10_000), "HKD") == "HK$0.0123"
    assert it.rate(Fraction(20), "CNY") == "CN¥20.00"
    assert it.price(Fraction(1, 3), "CNY") == "CN¥0.33333"


def test_moments_are_by_the_readers_clock_and_say_which():
    assert voice("en").zoned(AT) == "24 Nov 2026 02:53:20 GMT+08:00"
    assert voice("en", "America/New_York").zoned(AT) == "23 Nov 2026 13:53:20 GMT-05:00"
    assert voice("en", "no/such").zone.key == "Asia/Shanghai"
    assert voice("en").iso(AT) == "2026-11-23T18:53:20+00:00"


def test_every_offered_zone_has_a_name_in_every_language():
    for tag in LANGUAGES:
        names = [voice(tag).place(zone) for zone in OFFERED]
        assert len(set(names)) == len(OFFERED)
        assert all(names)


def test_sizes_and_shares():
    it = voice("en")
    assert (it.bytes(0), it.bytes(1023), it.bytes(1536)) == ("0 B", "1,023 B", "1.5 KiB")
    assert (it.percent(1, 3), it.percent(0, 0)) == ("33%", "0%")
    assert (it.figure(7_212_345.3), it.figure(0.0123456)) == ("7,210,000", "0.0123")
    assert it.span(0) == "0 secs"
