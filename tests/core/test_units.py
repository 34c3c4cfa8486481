"""Money, durations, memory."""

import contextlib
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.units import (
    DECIMALS,
    MAX_MEMORY,
    CurrencyMismatch,
    Money,
    UnitError,
    format_duration,
    format_memory,
    parse_duration,
    parse_memory,
)

CURRENCIES = st.sampled_from(sorted(DECIMALS))
MONEY = st.builds(Money, st.integers(-(10**16), 10**16), CURRENCIES)


@pytest.mark.parametrize(
    ("text", "minor", "written"),
    [
        ("500 CNY", 50_000, "500.00 CNY"),
        ("500.25 CNY", 50_025, "500.25 CNY"),
        ("500.2 HKD", 50_020, "500.20 HKD"),
        (" -0.05HKD ", -5, "-0.05 HKD"),
        ("+3 JPY", 3, "3 JPY"),
        ("-0 CNY", 0, "0.00 CNY"),
    ],
)
def test_money_is_read_and_written(text: str, minor: int, written: str):
    money = Money.parse(text)
    assert (money.minor, str(money)) == (minor, written)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("500.255 CNY", "CNY has 2 decimals"),
        ("500.0 JPY", "JPY has no decimals"),
        ("500", "write for example 500 CNY"),
        ("", "write for example 500 CNY"),
        ("CNY 500", "write for example 500 CNY"),
        ("1,000 CNY", "write for example 500 CNY"),
        ("1e3 CNY", "write for example 500 CNY"),
        ("٥ CNY", "write for example 500 CNY"),
        ("nan CNY", "write for example 500 CNY"),
        ("9" * 5000 + " CNY", "write for example 500 CNY"),
        ("5 USD", "use one of CNY, HKD, JPY"),
    ],
)
def test_what_is_not_money_says_the_cure(text: str, cure: str):
    with pytest.raises(UnitError, match=cure):
        Money.parse(text)


@given(MONEY)
def test_money_written_is_read_back(money: Money):
    assert Money.parse(str(money)) == money
    assert Money.of(money.amount, money.currency) == money


@given(st.fractions(-(10**9), 10**9), CURRENCIES)
def test_money_rounds_to_the_nearest_and_half_away_from_zero(amount: Fraction, currency: str):
    error = Money.of(amount, currency).amount - amount
    half = Fraction(1, 2 * 10 ** DECIMALS[currency])
    assert abs(error) <= half
    assert abs(error) < half or (error > 0) == (amount > 0)
    assert Money.of(-amount, currency) == -Money.of(amount, currency)


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        (Decimal("0.005"), 1),
        (Decimal("-0.005"), -1),
        (Decimal("0.00499"), 0),
        (Decimal("1e-999999"), 0),
        (Fraction(1, 3), 33),
        (7, 700),
    ],
)
def test_rounding_by_example(amount: Fraction | Decimal | int, minor: int):
    assert Money.of(amount, "CNY") == Money(minor, "CNY")


@pytest.mark.parametrize("amount", [Decimal("nan"), Decimal("inf"), Decimal("1e999999")])
def test_what_has_no_amount_is_refused(amount: Decimal):
    with pytest.raises(UnitError):
        Money.of(amount, "CNY")


def test_money_is_not_made_of_floats_or_truth_values():
    for wrong in (0.1, True):
        with pytest.raises(TypeError):
            Money.of(wrong, "CNY")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Money(wrong, "CNY")  # type: ignore[arg-type]
    with pytest.raises(UnitError, match="unknown currency"):
        Money.of(1, "USD")


@given(MONEY, MONEY)
def test_sums_and_order_are_within_one_currency(a: Money, b: Money):
    if a.currency == b.currency:
        assert (a + b).minor == a.minor + b.minor
        assert a - b == a + -b
        assert [a < b, a <= b, a > b, a >= b] == [
            a.minor < b.minor,
            a.minor <= b.minor,
            a.minor > b.minor,
            a.minor >= b.minor,
        ]
    else:
        assert a != b
        for operation in (
            Money.__add__,
            Money.__sub__,
            Money.__lt__,
            Money.__le__,
            Money.__gt__,
            Money.__ge__,
        ):
            with pytest.raises(CurrencyMismatch, match="different currencies"):
                operation(a, b)
    assert Money.zero(a.currency) + a == a


@pytest.mark.parametrize(
    ("value", "seconds", "written"),
    [
        ("4h", 14_400, "4h"),
        ("30m", 1_800, "30m"),
        ("90s", 90, "1m30s"),
        ("1d", 86_400, "1d"),
        ("1h30m", 5_400, "1h30m"),
        (" 1d1s ", 86_401, "1d1s"),
        (90, 90, "1m30s"),
        (0, 0, "0s"),
    ],
)
def test_durations(value: str | int, seconds: int, written: str):
    assert parse_duration(value) == seconds
    assert format_duration(seconds) == written


@pytest.mark.parametrize(
    "value", ["", "90", "4w", "4 hours", "1.5h", "30m1h", "1h1h", "-1h", -1, True, 1.5, "٤h"]
)
def test_what_is_no_duration_names_the_units(value: str | int):
    with pytest.raises(UnitError, match="d, h, m and s, for example 1h30m"):
        parse_duration(value)


@given(st.integers(0, 10**12))
def test_a_duration_written_is_read_back(seconds: int):
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("value", "mib"),
    [
        ("64", 65_536),
        (64, 65_536),
        (0.5, 512),
        ("64GiB", 65_536),
        ("64GB", 65_536),
        ("64 g", 65_536),
        ("512MiB", 512),
        ("1.5TiB", 1_572_864),
        ("0.0001", 1),
        (0, 0),
    ],
)
def test_memory(value: str | int | float, mib: int):
    assert parse_memory(value) == mib


@pytest.mark.parametrize(
    "value",
    ["", "lots", "64XB", "-1", "1e3", "64+", -1, True, float("nan"), float("inf"), 10**400, "2000000TiB"],
)
def test_what_is_no_memory_names_the_units(value: str | int | float):
    with pytest.raises(UnitError, match="MiB, GiB or TiB, for example 64GiB"):
        parse_memory(value)


@given(st.integers(0, MAX_MEMORY))
def test_memory_written_is_read_back(mib: int):
    assert parse_memory(format_memory(mib)) == mib


@given(st.text())
def test_any_text_is_read_or_refused(text: str):
    for parse in (Money.parse, parse_duration, parse_memory):
        with contextlib.suppress(UnitError):
            parse(text)
