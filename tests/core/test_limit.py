"""A running attempt is told to stop in time to end within its hold, and not a moment too early."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import event, given
from hypothesis import strategies as st

from baygrid.core.cost import Footprint
from baygrid.core.pricing.charge import HOUR_MS, Consumption, charges
from baygrid.core.pricing.hold import KILL_WAIT_S, hold_at_placement
from baygrid.core.pricing.limit import stop_at
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.terms import Energy, Terms

CHEAP = Tariff(0, "CNY", Fraction(0), Fraction(1), Fraction(0))
ONE_CPU = Consumption(0, 0, 1, 1, 0)
GRACE_MS, NOTICE_MS = 60_000, 5_000

PRICES = st.fractions(0, 100, max_denominator=100)
DAYS = st.lists(PRICES, min_size=24, max_size=24).map(tuple)
TERMS = st.none() | st.builds(
    Terms,
    st.integers(0, 3600),
    st.sampled_from((0, 60)),
    PRICES,
    st.none() | st.builds(Energy, DAYS, st.integers(0, 500), st.just(0), st.just(480)),
)
TARIFFS = st.builds(Tariff, st.just(0), st.just("CNY"), PRICES, PRICES, PRICES, TERMS)


@st.composite
def dated(draw: st.DrawFn) -> list[Tariff]:
    """The first from the beginning, others within some hours."""
    starts = sorted(draw(st.sets(st.integers(1, 10 * HOUR_MS), max_size=3)))
    return [replace(draw(TARIFFS), valid_from=at) for at in (0, *starts)]


def cost(usage: Consumption, tariffs: list[Tariff], end: int) -> int:
    (found,) = charges([replace(usage, end_ms=end)], tariffs)
    return found.total.minor


def test_a_dearer_tariff_ends_it_in_time():
    """Four hours at 1 are held; from the second hour on it costs 3."""
    dearer = replace(CHEAP, valid_from=HOUR_MS, cpu_hour=Fraction(3))
    at = stop_at(ONE_CPU, [CHEAP, dearer], 400, 4 * HOUR_MS, GRACE_MS, NOTICE_MS)
    assert at is not None
    end = at + NOTICE_MS + GRACE_MS
    assert cost(ONE_CPU, [CHEAP, dearer], end) == 400
    assert cost(ONE_CPU, [CHEAP, dearer], end + 1000) == 401
    assert abs(end - 2 * HOUR_MS) <= 6_001, "an hour for 1 and one for 3, but for half a fen"


def test_what_is_covered_is_never_told():
    assert stop_at(ONE_CPU, [CHEAP], 407, 4 * HOUR_MS, GRACE_MS, NOTICE_MS) is None
    later = replace(CHEAP, valid_from=5 * HOUR_MS, cpu_hour=Fraction(100))
    assert stop_at(ONE_CPU, [CHEAP, later], 407, 4 * HOUR_MS, GRACE_MS, NOTICE_MS) is None
    cheaper = replace(CHEAP, valid_from=HOUR_MS, cpu_hour=Fraction(0))
    assert stop_at(ONE_CPU, [CHEAP, cheaper], 407, 4 * HOUR_MS, GRACE_MS, NOTICE_MS) is None


def test_one_that_is_too_late_is_told_at_once():
    assert stop_at(replace(ONE_CPU, start_ms=7), [CHEAP], 0, HOUR_MS, GRACE_MS, NOTICE_MS) == 7


@given(
    dated(),
    st.integers(0, HOUR_MS),
    st.integers(1, 12 * 3600),
    st.integers(0, 600),
    st.fractions(0, 3, max_denominator=100),
)
def test_told_at_the_last_moment_it_ends_within_its_hold(
    tariffs: list[Tariff], start: int, time_s: int, grace_s: int, part: Fraction
):
    it = Footprint(2, 3, 2048, 1)
    usage = Consumption(start, start, it.nodes, it.cpus, it.memory_mib, "H100", it.accelerators)
    hold = int(hold_at_placement(tariffs[:1], it, time_s, grace_s).minor * part)
    longest, ending = time_s * 1000, (grace_s + KILL_WAIT_S) * 1000
    at = stop_at(usage, tariffs, hold, longest, ending, NOTICE_MS)
    event(f"told: {at is not None}")
    if at is None:
        assert cost(usage, tariffs, start + longest + ending) <= hold
        return
    assert start <= at <= start + longest
    assert cost(usage, tariffs, start + longest + ending) > hold
    if at > start:
        assert cost(usage, tariffs, at + NOTICE_MS + ending) <= hold
    if at + 1000 < start + longest:
        assert cost(usage, tariffs, at + 1000 + NOTICE_MS + ending) > hold


@given(TARIFFS, st.integers(0, 10**11), st.integers(1, 12 * 3600), st.integers(0, 600))
def test_what_its_own_tariff_holds_is_enough_whenever_it_runs(
    tariff: Tariff, start: int, time_s: int, grace_s: int
):
    it = Footprint(2, 3, 2048, 1)
    usage = Consumption(start, start, it.nodes, it.cpus, it.memory_mib, "H100", it.accelerators)
    hold = hold_at_placement([tariff], it, time_s, grace_s).minor
    assert stop_at(usage, [tariff], hold, time_s * 1000, (grace_s + KILL_WAIT_S) * 1000, NOTICE_MS) is None
