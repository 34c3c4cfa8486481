"""The registry in the store: bodies with their history, returns by key, zones in versions."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

import pytest

from baygrid.core.region.bodies import Body, Kind, Label, Labelled, Record, Return, Spell, record
from baygrid.core.region.codes import Scheme
from baygrid.ports.registry import BodyRow, Change, ChangeRow, ImportRow, ZonesRow, return_key
from baygrid.ports.store import Conflict, Exists, Store, Tx

FIGURE = Return(
    "a", "ai_companies", "qianhai", "2023", "revenue", Decimal("0.10"), "CNY", "us", date(2024, 3, 27)
)


def a_record(id: str, code: str = "") -> Record:
    body = Body(
        id, Kind.COMPANY, Scheme.USCC if code else None, code, {"zh_hans": "深蓝", "en": "Deep_Blue 100%"},
        date(2020, 1, 1), None, False, True, "算法",
    )  # fmt: skip
    spell = Spell(id, date(2020, 1, 1), None, "1 Bay Road", 113.85, 22.52, "前海")
    label = Label(id, Labelled.LAYER, "base", None, date(2024, 1, 1), "芯片", "us", "Li Mei")
    return record(body, [spell], [label])


def row(id: str, code: str = "") -> BodyRow:
    return BodyRow(id, 1, a_record(id, code), ("deepblue",), f"{id}\n深蓝\ndeep_blue 100%")


def change(it: BodyRow) -> ChangeRow:
    return ChangeRow(it.id, it.version, Change.LABEL, 5, "tok-1", "Li", "why", {"n": [1]}, it.record)


def add(store: Store, *rows: BodyRow) -> None:
    store.write(lambda tx: tx.registry.insert_bodies(rows))


def test_bodies_are_read_as_they_were_written(store: Store):
    rows = [row("a", "x"), row("b"), replace(row("c"), organisation="acme")]
    add(store, *rows)
    assert store.read(lambda tx: tx.registry.bodies("", 9)) == rows
    assert store.read(lambda tx: tx.registry.bodies("a", 1)) == rows[1:2]
    assert store.read(lambda tx: tx.registry.body("c")) == rows[2]
    assert store.read(lambda tx: tx.registry.body("d")) is None
    assert store.read(lambda tx: tx.registry.some(["b", "d"])) == {"b": rows[1]}


def test_those_that_are_on_the_platform_are_told_but_not_what_became_part_of_another(store: Store):
    linked = [replace(row(id), organisation=f"org-{id}") for id in ("b", "a")]
    add(store, *linked, row("c"), replace(row("d"), organisation="org-d", merged_into="a"))
    assert store.read(lambda tx: tx.registry.linked()) == linked[::-1]


@pytest.mark.parametrize(
    ("search", "found"),
    [("深蓝", ["a", "b"]), ("deep_blue 100%", ["a", "b"]), ("deep%", []), ("a\n", ["a"]), ("\\", [])],
)
def test_a_search_is_for_the_text_itself(store: Store, search: str, found: list[str]):
    add(store, row("a"), row("b"))
    assert [it.id for it in store.read(lambda tx: tx.registry.bodies("", 9, search=search))] == found


def test_an_id_and_a_code_are_taken_once(store: Store):
    add(store, row("a", "x"))
    for again in (row("a"), row("b", "x")):
        with pytest.raises(Exists):
            add(store, row("c"), again)
    assert [it.id for it in store.read(lambda tx: tx.registry.bodies("", 9))] == ["a"]
    store.write(lambda tx: tx.registry.update_bodies([replace(row("a", "x"), version=2, merged_into="b")]))
    add(store, row("b", "x"))  # a part of another leaves its code to it


def test_a_change_is_of_the_version_that_was_read(store: Store):
    add(store, row("a"), row("b"))
    second = replace(row("a", "x"), version=2, text="new", keys=("k", "l"), merged_into="b", organisation="o")
    store.write(lambda tx: tx.registry.update_bodies([second, replace(row("b"), version=2)]))
    assert store.read(lambda tx: tx.registry.body("a")) == second
    with pytest.raises(Conflict):
        store.write(lambda tx: tx.registry.update_bodies([second]))


def test_what_was_done_is_kept_in_order(store: Store):
    first, second = change(row("a")), change(replace(row("a", "x"), version=2))
    store.write(lambda tx: tx.registry.log([second, change(row("b"))]))
    store.write(lambda tx: tx.registry.log([first]))
    assert store.read(lambda tx: tx.registry.changes("a")) == [first, second]
    with pytest.raises(Exists):
        store.write(lambda tx: tx.registry.log([first]))


def test_returns_are_exact_and_of_one_value_for_each_key(store: Store):
    of_all = replace(FIGURE, body="", value=Decimal("221300000000"))
    later = replace(FIGURE, received=date(2024, 6, 1), value=Decimal(1))
    store.write(lambda tx: tx.registry.insert_returns([FIGURE, of_all, later], 5, "import-1"))
    assert store.read(lambda tx: [it for _, it in tx.registry.returns("", 9)]) == [of_all, FIGURE, later]
    assert store.read(lambda tx: tx.registry.returns(return_key(FIGURE), 9)) == [(return_key(later), later)]
    assert store.read(lambda tx: tx.registry.returns_of([return_key(later)])) == {return_key(later): later}
    with pytest.raises(Exists):
        store.write(lambda tx: tx.registry.insert_returns([replace(FIGURE, value=Decimal(2))], 5, "import-2"))


def test_zones_and_imports_are_kept_in_versions(store: Store):
    assert store.read(lambda tx: tx.registry.zones()) is None
    rows = [ZonesRow(n, {"features": [n]}, n, "tok-1") for n in (1, 2)]
    done = [ImportRow(f"import-{n}", n, "tok-1", {"bodies.csv": "0" * 64}, {"bodies_new": n}) for n in (1, 2)]
    for number in (0, 1):
        store.write(partial(_keep, zones=rows[number], done=done[number]))
    assert store.read(lambda tx: tx.registry.zones()) == rows[1]
    assert store.read(lambda tx: tx.registry.imports()) == done[::-1]
    with pytest.raises(Exists):
        store.write(lambda tx: tx.registry.insert_zones(rows[0]))


def _keep(tx: Tx, zones: ZonesRow, done: ImportRow) -> None:
    tx.registry.insert_zones(zones)
    tx.registry.insert_import(done)
