"""Ratings: figures that follow from what was measured, what cannot be true, which one counts, the price of
a unit of work."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.pricing.tariff import Tariff
from baygrid.core.rating.judging import DAY_MS, FRESH_MS, fresh, impossible, stale_at, wrong_plan
from baygrid.core.rating.prices import price
from baygrid.core.rating.value import Gate, Plan
from baygrid.core.rating.yardsticks import PROFILES, centre_per_pflops
from baygrid.core.terms import Energy, Terms
from baygrid.core.units import WORK
from tests.core.ratings import AT, cpu_rating, rating

CLOCK = 600_000
TARIFF = Tariff(0, "CNY", Fraction(20), Fraction(1, 4), Fraction(1, 50))
amounts = st.floats(1e-3, 1e6)


def test_what_follows_from_what_was_measured():
    it = rating()
    assert it.units_per_hour == 7_200_000
    assert it.devices == 2
    assert it.flops == 1.6e12
    assert it.utilisation == 1.6e12 / 1e15
    assert it.units_per_declared_pflops == 3_600_000
    assert it.units_per_measured_pflops == 7_200_000
    assert it.input_share == 0.3


def test_where_nothing_is_declared_or_timed_nothing_follows():
    it = cpu_rating(stages={})
    assert (it.units_per_declared_pflops, it.input_share) == (None, None)
    assert it.devices == it.cpus == 2


def test_work_that_nobody_counts_has_no_utilisation():
    it = rating(unit="km", profile="driving@1", flop_per_unit=None)
    assert (it.flops, it.utilisation, impossible(it, AT, CLOCK)) == (None, None, None)
    assert it.units_per_measured_pflops == 7_200_000


def test_the_centres_own_figures_for_each_pflops():
    assert [centre_per_pflops(unit) for unit in WORK] == [3.2e6, 3_800, 14]
    assert round(centre_per_pflops("images") / 3600) == 889
    assert set(PROFILES) == set(WORK)


@given(units=amounts, seconds=amounts, flop=amounts, scale=st.floats(0.01, 100))
def test_figures_keep_their_dimensions(units: float, seconds: float, flop: float, scale: float):
    """Twice the work in twice the time is the same rate; half the time is twice the rate, everywhere."""
    it = rating(units=units, seconds=seconds, flop_per_unit=flop)
    same = replace(it, units=units * scale, seconds=seconds * scale)
    faster = replace(it, seconds=seconds / scale)
    for figure in ("units_per_hour", "flops", "utilisation", "units_per_measured_pflops"):
        assert getattr(same, figure) == pytest.approx(getattr(it, figure))
        assert getattr(faster, figure) == pytest.approx(getattr(it, figure) * scale)
    assert it.flops == pytest.approx(it.units_per_hour / 3600 * flop)
    assert price(faster, TARIFF) * Fraction(scale) == pytest.approx(price(it, TARIFF))


def test_a_unit_of_work_costs_what_its_devices_cost_while_they_do_it():
    hour = 2 * 20 + 16 * Fraction(1, 4) + 32 * Fraction(1, 50)
    assert price(rating(), TARIFF) == hour / Fraction("7.2")
    spoken = rating(unit="audio_hours", profile="speech@1", units=10.0, seconds=100.0)
    assert price(spoken, TARIFF) == hour / 360


def test_energy_counts_at_the_mean_of_the_days_prices():
    day = (Fraction(0),) * 12 + (Fraction(2),) * 12
    it = rating()
    dearer = replace(TARIFF, terms=Terms(energy=Energy(day, 5, 700, 480)))
    watts = 5 * it.cpus + 700 * it.accelerators
    assert price(it, dearer) - price(it, TARIFF) == Fraction(watts, 1000) / Fraction("7.2")


def test_a_rating_that_can_be_true():
    assert impossible(rating(), AT, CLOCK) is None
    assert impossible(cpu_rating(), AT + 399 * DAY_MS, CLOCK) is None


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"gate": Gate(passed=False, why="top-1 agreement is 87 %")}, "gate", "87 %"),
        ({"gate": Gate(passed=True, figures={"agreement": float("nan")})}, "gate.figures", "finite"),
        ({"gate": Gate(passed=True, figures={"\x1b[31m": 1.0})}, "gate.figures", "printable"),
        ({"profile": "images"}, "profile", "images@1"),
        ({"profile": "images@one"}, "profile", "images@1"),
        ({"unit": "furlongs"}, "unit", "images, audio_hours, km"),
        ({"precision": "int1"}, "precision", "fp32"),
        ({"model": ""}, "model", "printable"),
        ({"input": "x" * 501}, "input", "500"),
        ({"software": {"a\n": "1"}}, "software", "names"),
        ({"nodes": 0}, "nodes", "at least 1"),
        ({"cpus": -1}, "cpus", "at least 1"),
        ({"accelerators": 0}, "accelerators", "together"),
        ({"accelerator": None}, "accelerators", "together"),
        ({"memory_mib": 1 << 70}, "memory_mib", ""),
        ({"units": 0.0}, "units", "number"),
        ({"units": float("inf")}, "units", "number"),
        ({"seconds": float("nan")}, "seconds", "number"),
        ({"units": 1e20, "seconds": 1e-9}, "units", "so short"),
        ({"gemm_fp32": None, "gemm_fp16": None}, "gemm_fp32", "missing"),
        ({"units": 1e12}, "units", "matrix products"),
        ({"stages": {"infer": -1.0}}, "stages", "below 0"),
        ({"measured_at": AT + CLOCK + 1}, "measured_at", "future"),
        ({"measured_at": AT - 401 * DAY_MS}, "measured_at", "measure anew"),
    ],
)
def test_a_rating_that_cannot_be_true(change: dict[str, Any], field: str, says: str):
    found = impossible(rating(**change), AT, CLOCK)
    assert found is not None
    assert found[0] == field
    assert says in found[1]


def test_a_rating_ages():
    assert fresh(rating(), AT + FRESH_MS - 1)
    assert not fresh(rating(), AT + FRESH_MS)
    assert stale_at(rating()) == AT + FRESH_MS


def test_a_plan_says_units_of_work():
    assert wrong_plan(Plan("hub", {"images": 1.6e9, "audio_hours": 1.9e6, "km": 7000.0}, 5e17)) is None
    assert wrong_plan(Plan("hub")) is None
    for plan in (Plan("hub", {"miles": 1.0}), Plan("hub", {"km": 0.0}), Plan("hub", {}, flops=float("nan"))):
        assert wrong_plan(plan) is not None
