"""What trades pay of usage: exact, no more than was taken, however it is cut, within what is held."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.cost import Bought, Footprint, cost_at
from baygrid.core.pricing import charge as by_tariff
from baygrid.core.pricing.charge import HOUR_MS, Consumption
from baygrid.core.pricing.contracts import UNIT_HOUR, Cover, Covered, Kind, Terms, charges
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.terms import Terms as TariffTerms
from baygrid.core.units import DECIMALS, Money, exact
from tests.core.test_terms import POWER, dated

FLAT = Tariff(0, "CNY", Fraction(20), Fraction(1, 4), Fraction(1, 50))
FOUR = Consumption(0, HOUR_MS, 1, 32, 256 * 1024, "H100", 4)
FOREVER = 1 << 50


def cover(kind: Kind = Kind.RESERVED, units: int = 2000, **fields: object) -> Cover:
    said = {"ms": FOREVER, "rate": Fraction(12), "cpus": 8, "memory_mib": 65_536} | fields
    return Cover("trade-1", kind, units, **said)  # type: ignore[arg-type]


COVERS = st.builds(
    Cover,
    st.sampled_from(("trade-1", "trade-2", "trade-3")),
    st.sampled_from(Kind),
    st.integers(0, 12_000),
    st.integers(0, 10**9),
    st.fractions(0, 50, max_denominator=10**4),
    st.integers(0, 32),
    st.integers(0, 1 << 18),
)
SOME_COVERS = st.lists(COVERS, max_size=3, unique_by=lambda it: it.of)
USAGES = st.builds(
    Consumption,
    start_ms=st.integers(0, 10**9),
    end_ms=st.integers(10**9, 2 * 10**9),
    nodes=st.integers(1, 4),
    cpus=st.integers(0, 64),
    memory_mib=st.integers(0, 1 << 20),
    accelerator=st.just("H100"),
    accelerators=st.integers(0, 8),
    accelerator_share=st.just(1000),
)


def lines(it: Covered) -> list[tuple[str, str, str, str]]:
    return [(line.item, exact(line.quantity), str(line.amount), line.trade) for line in it.charge.lines]


def test_two_of_four_are_reserved_with_their_cpus_and_memory():
    (found,) = charges([FOUR], [FLAT], [cover()])
    assert lines(found) == [
        ("H100", "2", "0.00 CNY", "trade-1"),
        ("H100", "2", "40.00 CNY", ""),
        ("cpu", "16", "4.00 CNY", ""),
        ("memory", "128", "2.56 CNY", ""),
    ]
    assert [(use.worth, use.ahead) for use in found.uses] == [(2 * UNIT_HOUR, 0)]


def test_what_is_reserved_whole_costs_nothing_more():
    (found,) = charges([FOUR], [FLAT], [cover(units=4000)])
    assert lines(found) == [("H100", "4", "0.00 CNY", "trade-1")]


def test_a_commitment_is_charged_at_its_price_out_of_what_is_held_for_it():
    (found,) = charges([FOUR], [FLAT], [cover(Kind.COMMITTED, 4000)])
    assert lines(found) == [("H100", "4", "48.00 CNY", "trade-1")]
    assert found.ahead == 48_00


def test_a_trade_ends_in_the_middle_of_usage():
    half = HOUR_MS // 2
    (found,) = charges([FOUR], [FLAT], [cover(units=4000, ms=half)])
    assert lines(found) == [
        ("H100", "2", "0.00 CNY", "trade-1"),
        ("H100", "2", "40.00 CNY", ""),
        ("cpu", "16", "4.00 CNY", ""),
        ("memory", "128", "2.56 CNY", ""),
    ]


def test_a_unit_of_a_plain_offer_is_a_cpu_with_memory():
    plain = Consumption(0, HOUR_MS, 2, 4, 8192)
    (found,) = charges(
        [plain], [FLAT], [cover(Kind.SPOT, 6000, cpus=0, memory_mib=1024, rate=Fraction(1, 10))]
    )
    assert lines(found) == [
        ("cpu", "6", "0.60 CNY", "trade-1"),
        ("cpu", "2", "0.50 CNY", ""),
        ("memory", "10", "0.20 CNY", ""),
    ]


def test_no_unit_brings_more_cpus_than_it_has():
    greedy = replace(FOUR, accelerators=1, cpus=64)
    (found,) = charges([greedy], [FLAT], [cover(units=1000)])
    assert ("cpu", "56", "14.00 CNY", "") in lines(found)


def test_energy_and_egress_are_the_tariffs():
    tariff = replace(FLAT, terms=TariffTerms(0, 0, Fraction(1), POWER))
    usage = replace(FOUR, egress_bytes=1 << 30)
    (found,) = charges([usage], [tariff], [cover(units=4000)])
    free = by_tariff.charge(usage, [tariff])
    besides = [line for line in free.lines if line.item in ("energy", "egress")]
    assert besides
    assert [line for line in found.charge.lines if not line.trade] == besides


def test_the_minimum_is_for_what_no_trade_pays():
    tariff = replace(FLAT, terms=TariffTerms(7200, 0, Fraction(0), None))
    (found,) = charges([FOUR], [tariff], [cover(units=4000)])
    assert found.charge.total.minor == 0
    (half,) = charges([FOUR], [tariff], [cover(units=2000)])
    assert ("H100", "4", "80.00 CNY", "") in lines(half)
    (none,) = charges([replace(FOUR, end_ms=0)], [tariff], [cover(units=0)])
    assert ("H100", "8", "160.00 CNY", "") in lines(none)


def test_a_cover_is_told_from_another_by_its_listing():
    terms = Terms("listing-1", Kind.RESERVED, "o", "CNY", Fraction(12), 8, 65_536, 0, FOREVER)
    assert cover().is_of(terms)
    assert not cover(rate=Fraction(11)).is_of(terms)
    assert not cover(Kind.SPOT).is_of(terms)


@given(COVERS)
def test_a_cover_survives_json(it: Cover):
    assert Cover.of_json(json.loads(json.dumps(it.to_json()))) == it


@given(USAGES, dated())
def test_without_trades_it_is_the_tariffs_charge(usage: Consumption, tariffs: list[Tariff]):
    assert [it.charge for it in charges([usage], tariffs, ())] == by_tariff.charges([usage], tariffs)


@given(USAGES, dated(), SOME_COVERS)
def test_all_of_the_usage_is_paid_once_and_no_trade_for_more_than_was_taken(
    usage: Consumption, tariffs: list[Tariff], covers: list[Cover]
):
    bare = [replace(tariff, terms=None) for tariff in tariffs]
    (found,) = charges([usage], bare, covers)
    hours = Fraction((usage.end_ms - usage.start_ms) * usage.nodes, HOUR_MS)
    unit, need = ("accelerator-hour", usage.accelerators) if usage.accelerators else ("cpu-hour", usage.cpus)
    assert sum(line.quantity for line in found.charge.lines if line.unit == unit) == hours * need
    for item in ("cpu", "memory"):
        rest = sum(line.quantity for line in found.charge.lines if line.item == item and not line.trade)
        asked = hours * (usage.cpus if item == "cpu" else Fraction(usage.memory_mib, 1024))
        assert 0 <= rest <= asked
    for it, use in zip(covers, found.uses, strict=True):
        mine = [line for line in found.charge.lines if line.trade == it.of]
        assert use.worth == sum(line.quantity for line in mine) * UNIT_HOUR <= it.worth
        if it.kind is Kind.COMMITTED:
            assert use.ahead == sum(line.amount.minor for line in mine)
            assert use.ahead <= it.rate * Fraction(use.worth, UNIT_HOUR) * 10 ** DECIMALS[bare[0].currency]
    assert found.charge.total == sum(
        (line.amount for line in found.charge.lines), Money.zero(bare[0].currency)
    )


@given(USAGES, dated(), SOME_COVERS, st.floats(0, 1))
def test_usage_in_two_records_costs_the_same_but_for_rounding(
    usage: Consumption, tariffs: list[Tariff], covers: list[Cover], cut: float
):
    middle = usage.start_ms + int((usage.end_ms - usage.start_ms) * cut)
    parts = charges([replace(usage, end_ms=middle), replace(usage, start_ms=middle)], tariffs, covers)
    (whole,) = charges([usage], tariffs, covers)
    of_parts = sum((it.charge.total for it in parts), Money.zero(tariffs[0].currency))
    count = len(whole.charge.lines) + sum(len(it.charge.lines) for it in parts)
    assert abs((of_parts - whole.charge.total).minor) <= count
    for n, use in enumerate(whole.uses):
        assert use.worth == sum(it.uses[n].worth for it in parts)
    again = charges([replace(usage, start_ms=middle)], tariffs, parts[1].covers)
    assert [it.uses for it in again] == [parts[1].uses]


@given(USAGES, dated(), SOME_COVERS, st.integers(1, 10**6))
def test_what_is_held_covers_what_is_charged(
    usage: Consumption, tariffs: list[Tariff], covers: list[Cover], seconds: int
):
    """Of a run of any length up to the time that the hold was for, at one tariff."""
    tariff = tariffs[0]
    usage = replace(usage, end_ms=usage.start_ms + seconds * 1000)
    covers = [replace(it, ms=it.ms // 1000 * 1000) for it in covers]
    (found,) = charges([usage], [tariff], covers)
    footprint = Footprint(
        usage.nodes, usage.cpus, usage.memory_mib, usage.accelerators, usage.accelerator_share
    )
    bought = [
        Bought(
            it.units,
            it.ms // 1000,
            Fraction(0) if it.kind is Kind.COMMITTED else it.paid,
            it.cpus,
            it.memory_mib,
        )
        for it in covers
    ]
    longest = seconds + 3600
    held = cost_at(tariff, tariff.currency, footprint, longest, bought)
    assert found.charge.total.minor - found.ahead <= held


@pytest.mark.parametrize("kind", Kind)
def test_nothing_bought_is_what_the_tariff_says(kind: Kind):
    footprint = Footprint(1, 32, 256 * 1024, 4)
    assert cost_at(FLAT, "CNY", footprint, 3600) == 9312
    assert cost_at(FLAT, "CNY", footprint, 3600, [Bought(0, 3600, cover(kind).paid, 8, 65_536)]) == 9312
    assert cost_at(FLAT, "CNY", footprint, 3600, [Bought(4000, 3600, Fraction(12), 8, 65_536)]) == 4800
