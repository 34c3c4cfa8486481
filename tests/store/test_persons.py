"""Persons in the store: counted exactly, as by a set, at the thresholds of the law with real rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baygrid.core.data.terms import Terms
from baygrid.ports.contracts import CountRow, ExporterRow, GrantRow
from baygrid.ports.store import Conflict, Store, Tx
from baygrid.store import open_store
from tests.store.records import data_contract, organise

AT_ONCE = 20_000


def person(n: int) -> bytes:
    """As random as a hash."""
    return (n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128).to_bytes(16)


def chunks(first: int, last: int) -> Iterator[bytes]:
    for at in range(first, last, AT_ONCE):
        yield b"".join(map(person, range(at, min(at + AT_ONCE, last))))


def begin(tx: Tx) -> None:
    organise(tx)
    tx.persons.insert_exporter(ExporterRow("lab", "sealed", 0))
    for n, counts in enumerate((True, True, False)):
        grant = GrantRow(f"g{n}", f"contract-{n}", "demo", "visits", Terms())
        tx.contracts.insert(data_contract(id=f"contract-{n}", share=f"s{n}", counts=counts), [grant])


@pytest.fixture
def tables(store: Store) -> Store:
    store.write(begin)
    return store


def expose(store: Store, grant: str, first: int, last: int, *, sensitive: bool = False) -> int:
    return sum(
        store.write(lambda tx, some=some: tx.persons.expose(grant, sensitive, some))  # type: ignore[misc]
        for some in chunks(first, last)
    )


def counts(store: Store, *grants: str) -> tuple[int, int]:
    return store.read(lambda tx: tx.persons.counts(grants))


def test_a_person_counts_once_however_often_it_is_shown(tables: Store):
    assert expose(tables, "g0", 0, 30) == 30
    assert expose(tables, "g0", 10, 40) == 10
    assert expose(tables, "g1", 20, 60) == 40
    assert counts(tables, "g0") == (40, 0)
    assert counts(tables, "g0", "g1") == (60, 0)
    assert counts(tables) == (0, 0)


def test_whose_sensitive_data_any_grant_shows_is_not_among_the_others(tables: Store):
    expose(tables, "g0", 0, 30)
    expose(tables, "g1", 20, 25, sensitive=True)
    assert counts(tables, "g0", "g1") == (25, 5)
    assert counts(tables, "g0") == (30, 0)
    expose(tables, "g0", 0, 10, sensitive=True)  # its labels have changed
    assert counts(tables, "g0", "g1") == (15, 15)
    expose(tables, "g0", 0, 10, sensitive=False)
    assert counts(tables, "g0", "g1") == (25, 5)


def test_a_person_twice_in_one_go_is_one(tables: Store):
    twice = person(1) + person(2) + person(1)
    tables.write(lambda tx: tx.persons.expose("g0", False, twice))
    assert counts(tables, "g0") == (2, 0)


@pytest.mark.parametrize("persons", [b"", b"short", person(1) + b"x"])
def test_what_are_not_persons_is_refused(tables: Store, persons: bytes):
    with pytest.raises(ValueError, match="not persons"):
        tables.write(lambda tx: tx.persons.expose("g0", False, persons))
    assert counts(tables, "g0") == (0, 0)


def test_only_opened_grants_of_contracts_that_count_are_counted(tables: Store):
    def counted(since: int) -> list[str]:
        return tables.read(lambda tx: tx.persons.counted("lab", since))

    assert counted(0) == []

    def opening(tx: Tx) -> None:
        for n, closed in enumerate((None, 50, None)):
            tx.contracts.change_grant(GrantRow(f"g{n}", "", "", "", Terms(), "v", 10, closed))

    tables.write(opening)
    assert counted(0) == ["g0", "g1"]
    assert counted(49) == ["g0", "g1"]
    assert counted(50) == ["g0"]  # it was not readable at any time since then
    assert tables.read(lambda tx: tx.persons.counted("nobody", 0)) == []


def test_what_was_served_is_counted_by_years(tables: Store):
    expose(tables, "g0", 0, 20, sensitive=True)
    expose(tables, "g1", 10, 30)
    assert tables.write(lambda tx: tx.persons.observe("g1", 2027)) == 20
    assert tables.write(lambda tx: tx.persons.observe("g0", 2027)) == 20
    assert tables.write(lambda tx: tx.persons.observe("g0", 2027)) == 0
    assert tables.read(lambda tx: tx.persons.observed("lab", 2027)) == (10, 20)
    assert tables.read(lambda tx: tx.persons.observed("lab", 2026)) == (0, 0)


def test_what_was_never_opened_can_be_forgotten(tables: Store):
    expose(tables, "g0", 0, 20)
    expose(tables, "g1", 0, 20)
    tables.write(lambda tx: tx.persons.forget("g0"))
    assert counts(tables, "g0", "g1") == (20, 0)
    assert counts(tables, "g0") == (0, 0)


def test_an_exporter_has_a_version_that_goes_up(tables: Store):
    assert tables.write(lambda tx: tx.persons.lock("lab")) == ExporterRow("lab", "sealed", 0)
    assert tables.write(lambda tx: tx.persons.bump("lab")) == 1
    assert tables.read(lambda tx: tx.persons.exporter("lab")) == ExporterRow("lab", "sealed", 1)
    assert tables.write(lambda tx: tx.persons.lock("nobody")) is None
    with pytest.raises(Conflict):
        tables.write(lambda tx: tx.persons.insert_exporter(ExporterRow("lab", "other", 0)))


def test_what_was_counted_is_kept(tables: Store):
    rows = [CountRow("lab", version, since, 7, 10 * version, 1) for since in (0, 5) for version in (1, 2)]
    for row in [*rows, rows[0]]:
        tables.write(lambda tx, row=row: tx.persons.insert_count(row))  # type: ignore[misc]
    assert tables.read(lambda tx: tx.persons.history("lab", 5)) == rows[2:]


PERSONS = st.sets(st.integers(0, 40), min_size=1)
SHOWN = st.lists(st.tuples(st.sampled_from(["g0", "g1", "g2"]), st.booleans(), PERSONS), max_size=8)


@given(SHOWN, st.sets(st.sampled_from(["g0", "g1", "g2"])))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
def test_counts_are_those_of_a_set(shown: list[tuple[str, bool, set[int]]], asked: set[str]):
    store = open_store("sqlite://")
    store.write(begin)
    said: dict[tuple[str, int], bool] = {}
    for grant, sensitive, persons in shown:
        store.write(lambda tx: tx.persons.expose(grant, sensitive, b"".join(map(person, persons))))  # noqa: B023
        said |= {(grant, one): sensitive for one in persons}
    of = [(one, sensitive) for (grant, one), sensitive in said.items() if grant in asked]
    spi = {one for one, sensitive in of if sensitive}
    assert counts(store, *asked) == (len({one for one, _ in of} - spi), len(spi))
    store.close()


@pytest.mark.parametrize(
    "database", ["memory", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_at_a_threshold_one_person_makes_the_difference(tables: Store):
    expose(tables, "g0", 0, 60_000)
    expose(tables, "g1", 30_000, 99_999)
    assert counts(tables, "g0", "g1") == (99_999, 0)
    expose(tables, "g1", 99_999, 100_000)
    assert counts(tables, "g0", "g1") == (100_000, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "database", ["file", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_a_million_persons_are_counted_to_the_last(tables: Store):
    expose(tables, "g0", 0, 999_999)
    assert counts(tables, "g0") == (999_999, 0)
    expose(tables, "g1", 500_000, 1_000_000, sensitive=True)
    assert counts(tables, "g0", "g1") == (500_000, 500_000)
