"""Holds cover the charge of the same time."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.cost import Footprint, cost_at
from baygrid.core.pricing.charge import Consumption, charge
from baygrid.core.pricing.hold import KILL_WAIT_S, hold_at_placement
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.units import Money

FLAT = Tariff(0, "CNY", Fraction(20), Fraction(1, 4), Fraction(1, 50))
DEAR = replace(FLAT, accelerator_hour=Fraction(25))
ONE = Footprint(1, 8, 64 * 1024, 4)

RATES = st.fractions(0, 100, max_denominator=10**4)
TARIFFS = st.builds(Tariff, st.just(0), st.sampled_from(("CNY", "HKD", "JPY")), RATES, RATES, RATES)
FOOTPRINTS = st.builds(
    Footprint, st.integers(1, 64), st.integers(0, 256), st.integers(0, 1 << 21), st.integers(0, 8)
) | st.builds(
    Footprint,
    st.integers(1, 64),
    st.integers(0, 256),
    st.integers(0, 1 << 21),
    st.just(1),
    st.integers(1, 999),
)


def test_cost_of_an_hour():
    assert cost_at(FLAT, "CNY", ONE, 3600) == 8_328
    assert cost_at(FLAT, "CNY", replace(ONE, nodes=3), 3600) == 3 * 8_328
    assert cost_at(FLAT, "CNY", ONE, 0) == 0
    assert cost_at(FLAT, "CNY", Footprint(1, 1, 0), 1) == 1, "a part of a fen is held as a whole one"


def test_half_a_device_costs_half():
    half = Footprint(2, 0, 0, 1, 500)
    assert cost_at(FLAT, "CNY", half, 3600) == 2_000
    assert cost_at(FLAT, "CNY", replace(half, accelerator_share=1), 3600) == 4
    usage = Consumption(0, 3_600_000, 2, 0, 0, "H100", 1, 500)
    (line,) = charge(usage, [FLAT]).lines
    assert line.quantity == 1
    assert line.amount.minor == 2_000


def test_at_placement_the_hold_shrinks_and_never_grows():
    whole = hold_at_placement([FLAT], ONE, 3600, 60)
    assert whole.minor == cost_at(FLAT, "CNY", ONE, 3600 + 60 + KILL_WAIT_S)
    assert hold_at_placement([FLAT], ONE, 3600, 60, at_most=whole) == whole
    assert hold_at_placement([FLAT], ONE, 3600, 60, at_most=Money(100, "CNY")) == Money(100, "CNY")
    assert hold_at_placement([FLAT], ONE, 3600, 60, at_most=Money(10**9, "CNY")) == whole


@given(
    TARIFFS, FOOTPRINTS, st.integers(0, 10**7), st.integers(0, 600), st.integers(0, 10**11), st.floats(0, 1)
)
def test_a_hold_is_never_below_the_charge_of_the_same_time(
    rate: Tariff, footprint: Footprint, time_s: int, grace_s: int, start: int, used: float
):
    hold = hold_at_placement([rate], footprint, time_s, grace_s)
    end = start + int(1000 * (time_s + grace_s + KILL_WAIT_S) * used)
    f = footprint
    cost = charge(
        Consumption(start, end, f.nodes, f.cpus, f.memory_mib, "H100", f.accelerators, f.accelerator_share),
        [rate],
    )
    assert hold >= cost.total


@given(TARIFFS, FOOTPRINTS, st.integers(0, 10**7))
def test_a_hold_is_less_than_a_minor_unit_an_item_too_much(rate: Tariff, footprint: Footprint, seconds: int):
    each = (
        rate.accelerator_hour * footprint.accelerators * Fraction(footprint.accelerator_share, 1000)
        + rate.cpu_hour * footprint.cpus
        + rate.gib_hour * Fraction(footprint.memory_mib, 1024)
    )
    true = each * footprint.nodes * Fraction(seconds, 3600)
    above = Money(cost_at(rate, rate.currency, footprint, seconds), rate.currency).amount - true
    assert 0 <= above < 3 * Money(1, rate.currency).amount
