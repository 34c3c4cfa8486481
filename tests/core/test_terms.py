"""Minimum and rounding up, egress, energy by the hour: exact, once for an attempt, covered by holds."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.cost import Footprint, cost_at
from baygrid.core.pricing.charge import HOUR_MS, Charge, Consumption, charge, charges
from baygrid.core.pricing.hold import KILL_WAIT_S, hold_at_placement
from baygrid.core.pricing.tariff import Tariff, in_force
from baygrid.core.terms import Energy, Terms, terms_of
from baygrid.core.units import Money, exact

GIB = 1 << 30
PEAK = tuple(Fraction(1) if 8 <= hour < 22 else Fraction("0.3") for hour in range(24))
POWER = Energy(PEAK, watts_cpu=10, watts_accelerator=700, utc_offset_min=480)
RATES = Tariff(0, "CNY", Fraction(20), Fraction(1, 4), Fraction(1, 50))
ONE_CPU = Consumption(0, HOUR_MS, 1, 1, 0)

PRICES = st.fractions(0, 100, max_denominator=10**4)
ENERGIES = st.builds(
    Energy,
    st.lists(PRICES, min_size=24, max_size=24).map(tuple) | PRICES.map(lambda price: (price,) * 24),
    st.integers(0, 50),
    st.integers(0, 1500),
    st.integers(-720, 840),
)
TERMS = st.builds(
    Terms,
    st.integers(0, 7200),
    st.sampled_from((0, 1, 60, 600, 3600)),
    PRICES,
    st.none() | ENERGIES,
)
TARIFFS = st.builds(
    Tariff, st.just(0), st.sampled_from(("CNY", "HKD", "JPY")), PRICES, PRICES, PRICES, st.none() | TERMS
)
FOOTPRINTS = st.builds(
    Footprint,
    st.integers(1, 16),
    st.integers(0, 64),
    st.integers(0, 1 << 20),
    st.integers(0, 8),
    st.just(1000),
    st.integers(0, 1 << 40),
)


@st.composite
def dated(draw: st.DrawFn) -> list[Tariff]:
    """Tariffs of one currency, the first from the beginning."""
    first = draw(TARIFFS)
    starts = sorted(draw(st.sets(st.integers(1, 10**9), max_size=3)))
    return [first] + [replace(draw(TARIFFS), valid_from=at, currency=first.currency) for at in starts]


@st.composite
def usages(draw: st.DrawFn, end: int = 3 * 10**8) -> Consumption:
    start = draw(st.integers(0, 10**9))
    it = draw(FOOTPRINTS)
    return Consumption(
        start,
        start + draw(st.integers(0, end)),
        it.nodes,
        it.cpus,
        it.memory_mib,
        "H100",
        it.accelerators,
        1000,
        it.input_bytes,
    )


def lines(cost: Charge) -> list[tuple[str, str, str, str]]:
    return [(line.item, exact(line.quantity), line.unit, str(line.amount)) for line in cost.lines]


@pytest.mark.parametrize(
    ("terms", "ms", "billed"),
    [
        (Terms(), 1, 1),
        (Terms(minimum_s=60), 0, 60_000),
        (Terms(minimum_s=60), 60_001, 60_001),
        (Terms(round_up_s=60), 0, 0),
        (Terms(round_up_s=60), 60_000, 60_000),
        (Terms(round_up_s=60), 60_001, 120_000),
        (Terms(minimum_s=90, round_up_s=60), 1, 120_000),
    ],
)
def test_what_is_billed_of_a_time(terms: Terms, ms: int, billed: int):
    assert terms.billed_ms(ms) == billed


def test_minimum_and_rounding_lengthen_the_last_record_and_count_once():
    tariff = replace(RATES, terms=Terms(minimum_s=3600, round_up_s=1800))
    first, second = charges(
        [replace(ONE_CPU, end_ms=HOUR_MS), replace(ONE_CPU, start_ms=HOUR_MS, end_ms=HOUR_MS + 1)], [tariff]
    )
    assert lines(first) == [("cpu", "1", "cpu-hour", "0.25 CNY")]
    assert lines(second) == [("cpu", "0.5", "cpu-hour", "0.13 CNY")]
    assert second.lines[0].end_ms == HOUR_MS + HOUR_MS // 2
    (short,) = charges([replace(ONE_CPU, end_ms=0)], [tariff])
    assert lines(short) == [("cpu", "1", "cpu-hour", "0.25 CNY")], "what began and ended at once"


def test_the_terms_are_those_under_which_it_began():
    dearer = replace(RATES, valid_from=HOUR_MS // 2, cpu_hour=Fraction(1), terms=Terms(minimum_s=36_000))
    (cost,) = charges([ONE_CPU], [RATES, dearer])
    assert lines(cost) == [("cpu", "0.5", "cpu-hour", "0.13 CNY"), ("cpu", "0.5", "cpu-hour", "0.50 CNY")]


def test_egress_is_what_came_over_a_link():
    tariff = replace(RATES, terms=Terms(egress_gib=Fraction("0.8")))
    (cost,) = charges([replace(ONE_CPU, egress_bytes=5 * GIB // 2)], [tariff])
    assert lines(cost)[0] == ("egress", "2.5", "GiB", "2.00 CNY")
    assert lines(charges([ONE_CPU], [tariff])[0]) == [("cpu", "1", "cpu-hour", "0.25 CNY")]


def test_energy_is_split_at_the_hours_of_the_centre():
    """From 7:30 to 8:30 there: half an hour at 0.3, half at 1."""
    tariff = replace(RATES, terms=Terms(energy=POWER))
    start = 24 * HOUR_MS - HOUR_MS // 2  # 23:30 UTC
    (cost,) = charges([Consumption(start, start + HOUR_MS, 2, 10, 0, "H100", 1, 500)], [tariff])
    energy = [line for line in cost.lines if line.item == "energy"]
    # 2 nodes of 10 cpus (100 W) and half an accelerator (350 W) are 900 W.
    assert [(exact(it.quantity), exact(it.rate), str(it.amount)) for it in energy] == [
        ("0.45", "0.3", "0.14 CNY"),
        ("0.45", "1", "0.45 CNY"),
    ]
    assert [(it.start_ms - start, it.end_ms - start) for it in energy] == [
        (0, HOUR_MS // 2),
        (HOUR_MS // 2, HOUR_MS),
    ]


def test_energy_is_not_billed_for_time_that_only_rounding_adds():
    tariff = replace(RATES, terms=Terms(minimum_s=3600, energy=POWER))
    (cost,) = charges([replace(ONE_CPU, end_ms=HOUR_MS // 4)], [tariff])
    assert lines(cost) == [("cpu", "1", "cpu-hour", "0.25 CNY"), ("energy", "0.0025", "kWh", "0.00 CNY")]


def test_energy_has_a_price_for_every_hour():
    with pytest.raises(ValueError, match="24 hours, not 23"):
        Energy(PEAK[1:], 1, 1, 0)


@given(ENERGIES, st.integers(0, 10**12), st.integers(0, 10**9))
def test_stretches_cover_the_time_each_at_the_price_of_its_hours(energy: Energy, start: int, length: int):
    found = list(energy.stretches(start, start + length))
    assert sum(until - since for _, since, until in found) == length
    at = start
    for price, since, until in found:
        assert since == at < until
        at = until
        for moment in (since, (since + until) // 2, until - 1):
            hour = (moment + energy.utc_offset_min * 60_000) // HOUR_MS % 24
            assert energy.price_kwh[hour] == price
    assert all(a[0] != b[0] for a, b in pairwise(found)), "split only at another price"


@given(TERMS)
def test_terms_are_read_back(terms: Terms):
    assert terms_of(json.loads(json.dumps(terms.to_json()))) == terms


def exactly(found: list[Charge]) -> Fraction:
    return sum((line.quantity * line.rate for cost in found for line in cost.lines), Fraction(0))


@given(usages(), dated(), st.lists(st.floats(0, 1), max_size=3))
def test_cutting_a_record_changes_no_total_but_by_half_a_unit_a_line(
    usage: Consumption, tariffs: list[Tariff], cuts: list[float]
):
    edges = sorted(usage.start_ms + int((usage.end_ms - usage.start_ms) * cut) for cut in cuts)
    bounds = list(zip([usage.start_ms, *edges], [*edges, usage.end_ms], strict=True))
    parts = [
        replace(usage, start_ms=start, end_ms=end, egress_bytes=usage.egress_bytes if n == 0 else 0)
        for n, (start, end) in enumerate(bounds)
    ]
    whole, split = charges([usage], tariffs), charges(parts, tariffs)
    assert exactly(split) == exactly(whole)
    count = sum(len(cost.lines) for cost in (*whole, *split))
    assert abs(sum(cost.total.minor for cost in split) - whole[0].total.minor) <= Fraction(count, 2)


@given(usages(), dated())
def test_every_line_is_its_quantity_at_its_rate_rounded_once(usage: Consumption, tariffs: list[Tariff]):
    (cost,) = charges([usage], tariffs)
    for line in cost.lines:
        assert line.amount == Money.of(line.quantity * line.rate, cost.total.currency)
    assert sum((it.amount for it in cost.lines), Money.zero(cost.total.currency)) == cost.total


@given(usages(), dated(), TARIFFS)
def test_a_rate_change_never_touches_what_ran_before_it(
    usage: Consumption, tariffs: list[Tariff], new: Tariff
):
    """Terms and all: whatever begins when the last record has ended changes nothing."""
    known = [tariff for tariff in tariffs if tariff.valid_from < usage.end_ms]
    later = replace(new, valid_from=max(usage.end_ms, 1), currency=known[0].currency if known else "CNY")
    if known and usage.start_ms < usage.end_ms:
        assert charges([usage], [*known, later]) == charges([usage], known)


@given(
    TARIFFS, FOOTPRINTS, st.integers(0, 10**6), st.integers(0, 600), st.integers(0, 10**11), st.floats(0, 1)
)
def test_a_hold_covers_the_charge_of_the_same_time_at_any_hour(
    rate: Tariff, it: Footprint, time_s: int, grace_s: int, start: int, used: float
):
    hold = hold_at_placement([rate], it, time_s, grace_s)
    end = start + int(1000 * (time_s + grace_s + KILL_WAIT_S) * used)
    usage = Consumption(
        start, end, it.nodes, it.cpus, it.memory_mib, "H100", it.accelerators, 1000, it.input_bytes
    )
    (cost,) = charges([usage], [rate])
    assert hold >= cost.total


@given(TARIFFS, FOOTPRINTS, st.integers(0, 10**6))
def test_what_is_held_is_the_cost_at_the_dearest_hour_but_for_rounding(
    rate: Tariff, it: Footprint, seconds: int
):
    terms = rate.terms or Terms()
    true = (
        Fraction(terms.billed_s(seconds), 3600)
        * it.nodes
        * (
            rate.accelerator_hour * it.accelerators
            + rate.cpu_hour * it.cpus
            + rate.gib_hour * Fraction(it.memory_mib, 1024)
        )
    )
    true += terms.egress_gib * Fraction(it.input_bytes, GIB)
    if terms.energy is not None:
        watts = terms.energy.watts_cpu * it.cpus + terms.energy.watts_accelerator * it.accelerators
        true += max(terms.energy.price_kwh) * watts * it.nodes * Fraction(seconds, 3_600_000)
    above = cost_at(rate, rate.currency, it, seconds) - true / Money(1, rate.currency).amount
    assert 0 <= above < 5 + Fraction(seconds // 3600 + 2, 2)


def test_longer_never_costs_less():
    rate = replace(RATES, terms=Terms(90, 60, Fraction(1), POWER))
    it = Footprint(2, 4, 4096, 1, 500, GIB)
    costs = [cost_at(rate, "CNY", it, seconds) for seconds in range(0, 20_000, 7)]
    assert costs == sorted(costs)


def test_the_first_tariff_is_in_force_from_its_beginning():
    assert in_force([RATES], 0) is RATES
    assert charge(replace(ONE_CPU, end_ms=0), [RATES]).lines == ()
