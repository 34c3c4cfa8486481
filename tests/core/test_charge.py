"""Charges: exact, split at tariffs, recomputable."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.pricing.charge import (
    HOUR_MS,
    Charge,
    ChargeError,
    Consumption,
    charge,
)
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.units import Money, exact

HOUR = Consumption(0, HOUR_MS, 1, 8, 64 * 1024, "H100", 4)
FLAT = Tariff(0, "CNY", Fraction(20), Fraction(1, 4), Fraction(1, 50))

RATES = st.fractions(0, 100, max_denominator=10**4)
TARIFFS = st.builds(Tariff, st.just(0), st.sampled_from(("CNY", "HKD", "JPY")), RATES, RATES, RATES)
USAGES = st.builds(
    Consumption,
    start_ms=st.integers(0, 10**9),
    end_ms=st.integers(10**9, 10**11),
    nodes=st.integers(1, 64),
    cpus=st.integers(0, 256),
    memory_mib=st.integers(0, 1 << 21),
    accelerator=st.just("H100"),
    accelerators=st.integers(0, 8),
)


@st.composite
def dated(draw: st.DrawFn) -> list[Tariff]:
    """Tariffs of one currency, the first from the beginning."""
    first = draw(TARIFFS)
    starts = sorted(draw(st.sets(st.integers(1, 10**11), max_size=3)))
    return [first] + [replace(draw(TARIFFS), valid_from=at, currency=first.currency) for at in starts]


def test_an_hour():
    cost = charge(HOUR, [FLAT])
    assert [(line.item, exact(line.quantity), line.unit, str(line.amount)) for line in cost.lines] == [
        ("H100", "4", "accelerator-hour", "80.00 CNY"),
        ("cpu", "8", "cpu-hour", "2.00 CNY"),
        ("memory", "64", "GiB-hour", "1.28 CNY"),
    ]
    assert cost.total == Money.parse("83.28 CNY")


def test_a_stretch_is_split_where_the_tariff_changes():
    dearer = replace(FLAT, valid_from=HOUR_MS, cpu_hour=Fraction(1, 2))
    later = replace(FLAT, valid_from=HOUR_MS * 9)
    cost = charge(Consumption(HOUR_MS // 2, HOUR_MS * 2, 2, 1, 0), [FLAT, dearer, later])
    assert [line.to_json() for line in cost.lines] == [
        {
            "item": "cpu",
            "quantity": "1",
            "unit": "cpu-hour",
            "rate": "0.25",
            "amount": "0.25 CNY",
            "from": HOUR_MS // 2,
            "to": HOUR_MS,
        },
        {
            "item": "cpu",
            "quantity": "2",
            "unit": "cpu-hour",
            "rate": "0.5",
            "amount": "1.00 CNY",
            "from": HOUR_MS,
            "to": HOUR_MS * 2,
        },
    ]


def test_a_line_is_rounded_half_up_once():
    half = replace(FLAT, cpu_hour=Fraction(5, 1000))
    assert charge(Consumption(0, HOUR_MS, 1, 1, 0), [half]).total == Money(1, "CNY")
    assert charge(Consumption(0, HOUR_MS - 1, 1, 1, 0), [half]).total == Money(0, "CNY")
    # Ten nodes together, not ten times a rounded one.
    assert charge(Consumption(0, HOUR_MS, 10, 1, 0), [half]).total == Money(5, "CNY")


def test_amounts_beyond_what_a_float32_holds_are_exact_to_the_fen():
    rate = Tariff(0, "CNY", Fraction("16777217.01"), Fraction(0), Fraction(0))
    usage = Consumption(0, HOUR_MS * 1_000_003, 1, 0, 0, "H100", 1)
    assert str(charge(usage, [rate]).total) == "16777267341651.03 CNY" == _by_hand()


def _by_hand() -> str:
    fen = 1_677_721_701 * 1_000_003
    return f"{fen // 100}.{fen % 100:02} CNY"


def test_a_stretch_of_no_length_costs_nothing():
    assert charge(replace(HOUR, end_ms=0), [FLAT]) == Charge((), Money.zero("CNY"))


@pytest.mark.parametrize(
    ("usage", "tariffs", "why"),
    [
        (replace(HOUR, start_ms=HOUR_MS + 5), [FLAT], "the usage ends 5 ms before it starts"),
        (HOUR, [replace(FLAT, valid_from=7)], "the usage starts 7 ms before the first tariff is in force"),
        (HOUR, [], "there is no tariff to charge by"),
        (HOUR, [FLAT, replace(FLAT, valid_from=1, currency="HKD")], "must have one currency"),
        (HOUR, [FLAT, FLAT], "tariffs must be in the order in which they begin"),
        (replace(HOUR, cpus=-1), [FLAT], "cannot be negative"),
    ],
)
def test_what_cannot_be_charged(usage: Consumption, tariffs: list[Tariff], why: str):
    with pytest.raises(ChargeError, match=why):
        charge(usage, tariffs)


@given(USAGES, dated())
def test_a_bill_can_be_recomputed_from_its_json_alone(usage: Consumption, tariffs: list[Tariff]):
    cost = charge(usage, tariffs)
    again = json.loads(json.dumps(cost.to_json()))
    amounts = [Money.parse(line["amount"]) for line in again["lines"]]
    for line, amount in zip(again["lines"], amounts, strict=True):
        assert amount == Money.of(Fraction(line["quantity"]) * Fraction(line["rate"]), cost.total.currency)
    assert sum(amounts, Money.zero(cost.total.currency)) == Money.parse(again["total"]) == cost.total


@given(USAGES, dated(), st.floats(0, 1))
def test_a_charge_is_additive_over_adjacent_stretches_but_for_rounding(
    usage: Consumption, tariffs: list[Tariff], cut: float
):
    middle = usage.start_ms + int((usage.end_ms - usage.start_ms) * cut)
    parts = [charge(replace(usage, end_ms=middle), tariffs), charge(replace(usage, start_ms=middle), tariffs)]
    whole = charge(usage, tariffs)

    def exactly(charges: list[Charge]) -> Fraction:
        return sum((line.quantity * line.rate for cost in charges for line in cost.lines), Fraction(0))

    assert exactly(parts) == exactly([whole])
    # Each line is at most half a minor unit off; the cut adds at most three lines.
    lines = len(whole.lines) + sum(len(part.lines) for part in parts)
    assert abs(sum(part.total.minor for part in parts) - whole.total.minor) <= lines / 2


@given(USAGES, dated())
def test_the_total_is_the_exact_cost_but_for_half_a_minor_unit_a_line(
    usage: Consumption, tariffs: list[Tariff]
):
    cost = charge(usage, tariffs)
    true = sum((line.quantity * line.rate for line in cost.lines), Fraction(0))
    unit = Money(1, cost.total.currency).amount
    assert abs(cost.total.amount - true) <= unit * len(cost.lines) / 2
    assert len({(line.item, line.start_ms) for line in cost.lines}) == len(cost.lines)


@given(st.fractions(0, 10**9, max_denominator=10**9))
def test_exact_numbers_are_read_back(number: Fraction):
    assert Fraction(exact(number)) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(10), "10"),
        (Fraction(1, 4), "0.25"),
        (Fraction(1, 3), "1/3"),
        (Fraction(7, 20), "0.35"),
        (Fraction(100_001, 1000), "100.001"),
    ],
)
def test_exact_numbers(number: Fraction, text: str):
    assert exact(number) == text
