"""Amounts in capital characters: the examples of the rules, and no two amounts alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.units import Money
from baygrid.papers.capitals import in_capitals

DIGITS = "零壹贰叁肆伍陆柒捌玖"
SIZES = {"拾": 10, "佰": 100, "仟": 1000, "万": 10**4, "亿": 10**8}


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("1409.50", "壹仟肆佰零玖元伍角"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元零叁角贰分"),
        ("107000.53", "壹拾万柒仟元零伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("10", "壹拾元整"),
        ("0", "零元整"),
        ("0.01", "壹分"),
        ("0.10", "壹角"),
        ("-5.00", "负伍元整"),
        ("100000001", "壹亿零壹元整"),
        ("1000000000000", "壹万亿元整"),
        ("20000001.21", "贰仟万零壹元贰角壹分"),
    ],
)
def test_as_the_rules_write_it(amount: str, says: str):
    assert in_capitals(Money.parse(f"{amount} CNY")) == f"人民币{says}"


def test_in_traditional_characters_and_other_currencies():
    assert in_capitals(Money.parse("12345.67 HKD"), traditional=True) == "港幣壹萬貳仟叁佰肆拾伍圓陸角柒分"
    assert in_capitals(Money.parse("300 JPY")) == "日元叁佰元整"


@given(st.integers(0, 10**18))
def test_it_reads_back_exactly(minor: int):
    text = in_capitals(Money(minor, "CNY")).removeprefix("人民币").removesuffix("整")
    whole, _, part = text.rpartition("元")
    fen = sum(DIGITS.index(text_[0]) * size for text_, size in _small(part))
    assert _read(whole) * 100 + fen == minor
    assert "零零" not in text


def _small(text: str) -> list[tuple[str, int]]:
    found = []
    text = text.removeprefix("零") if len(text) > 1 else text
    while text:
        found.append((text[0], {"角": 10, "分": 1}[text[1]]))
        text = text[2:]
    return found


def _read(text: str) -> int:
    for word in ("亿", "万"):
        high, found, low = text.rpartition(word)
        if found:
            return _read(high) * SIZES[word] + _read(low)
    total, digit = 0, 0
    for character in text:
        if character in DIGITS:
            digit = DIGITS.index(character)
        else:
            total, digit = total + digit * SIZES[character], 0
    return total + digit
