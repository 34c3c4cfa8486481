"""Counting by DuckDB is counting one body at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.core.indicators.period import Period
from baygrid.observatory.frames import Reported, Side, opened
from tests.observatory.plainly import DAYS, Small, registries


@settings(deadline=None, max_examples=25)
@given(registries(), st.tuples(DAYS, DAYS).map(sorted), st.sampled_from([date(2023, 6, 1), date(2024, 6, 1)]))
def test_frames_count_as_one_counts_by_hand(small: Small, days: list[date], known: date):
    first, day = days
    with opened(small.registry) as frames:
        assert frames.counts(day) == small.counts(day)
        assert frames.fields(day) == small.fields(day)
        assert frames.flows(first, day) == small.flows(first, day)
        assert frames.registered(day) == sum(
            small.alive(it, day) for it in small.bodies if it.kind == "company"
        )
        for year in (2022, 2023):
            found = frames.reported(Period.year(year), day, known)
            by_hand = small.reported(str(year), day, known)
            assert {zone: set(rows) for zone, rows in found.items()} == {
                zone: groups(rows.values()) for zone, rows in by_hand.items()
            }
            amounts = frames.amounts("city", Period.year(year), day, known)
            assert sorted(amounts) == sorted(revenue for _, revenue, _ in by_hand["city"].values())
        assert frames.panel("city", Period.year(2023), known) == panel(small, "city", known)


def groups(rows: Iterable[tuple[str | None, Decimal, Decimal | None]]) -> set[Reported]:
    """Companies of one layer that said the same."""
    found: dict[tuple[str | None, bool], list[tuple[Decimal, Decimal | None]]] = defaultdict(list)
    for layer, revenue, ai in rows:
        found[layer, ai is not None].append((revenue, ai))
    return {
        Reported(
            layer, both, len(each), sum(amounts), two(amounts), *((sum(ai), two(ai)) if both else (None, ()))
        )
        for (layer, both), each in found.items()
        for amounts, ai in (tuple(zip(*each, strict=True)),)
    }


def panel(small: Small, zone: str, known: date) -> tuple[Side, Side]:
    years = [small.reported(str(year), date(year, 12, 31), known)[zone] for year in (2023, 2022)]
    bodies = years[0].keys() & years[1].keys()
    sides = [[year[body][1] for body in bodies] for year in years]
    now, before = (Side(len(bodies), sum(it, Decimal(0)), two(it)) for it in sides)
    return now, before


def two(amounts: Iterable[Decimal]) -> tuple[Decimal, ...]:
    return tuple(sorted(amounts, reverse=True)[:2])


@settings(deadline=None, max_examples=25)
@given(registries(), st.tuples(DAYS, DAYS).map(sorted))
def test_what_comes_and_goes_is_the_difference(small: Small, days: list[date]):
    """Companies at the end are those at the beginning, and who entered, less who left; in every zone."""
    first, day = days
    with opened(small.registry) as frames:
        flows, was, now = frames.flows(first, day), frames.counts(first), frames.counts(day)
    for zone in ("city", "bay", "isle"):
        came = sum(flows.get((zone, it), 0) for it in ("founded", "moved_in", "otherwise_in"))
        went = sum(flows.get((zone, it), 0) for it in ("dissolved", "moved_out", "otherwise_out"))
        before, after = (
            sum(count for (its, kind, _), count in counts.items() if (its, kind) == (zone, "company"))
            for counts in (was, now)
        )
        assert after == before + came - went
