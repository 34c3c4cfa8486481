"""Files are left out only where no row of them can be wanted: compared with the rows themselves."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.hints import chosen, of_json, of_sql, wanted
from baygrid.core.data.predicates import outcomes

TYPES = {"n": "int64", "x": "double", "s": "string", "d": "date32[day]", "市": "string", "on": "bool"}
Rows = list[dict[str, Any]]

_days = st.dates(date(2026, 1, 1), date(2026, 1, 9))
_columns = {
    "n": st.integers(-3, 3),
    "x": st.sampled_from([-1.5, 0.0, 2.5]),
    "s": st.sampled_from(["", "a", "ab", "中"]),
    "d": _days,
    "on": st.booleans(),
}
_row = st.fixed_dictionaries({name: st.none() | values for name, values in _columns.items()})
_valued = {"n": "long", "x": "double", "s": "string", "d": "date", "on": "bool"}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def stats(rows: Rows) -> dict[str, Any]:
    """As Delta's protocol has them."""
    found: dict[str, Any] = {"numRecords": len(rows), "minValues": {}, "maxValues": {}, "nullCount": {}}
    for name in _columns:
        values = [row[name] for row in rows if row[name] is not None]
        found["nullCount"][name] = len(rows) - len(values)
        if values:
            found["minValues"][name], found["maxValues"][name] = _json(min(values)), _json(max(values))
    return found


@st.composite
def _leaf(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(_columns)))
    column = {"op": "column", "name": name, "valueType": _valued[name]}
    if draw(st.integers(0, 4)) == 0:
        return {"op": "isNull", "children": [column]}
    value = draw(_columns[name])
    text = str(value).lower() if isinstance(value, bool) else str(value)
    literal = {"op": "literal", "value": text, "valueType": _valued[name]}
    op = draw(st.sampled_from(["equal", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"]))
    return {"op": op, "children": draw(st.permutations([column, literal]))}


_trees = st.recursive(
    _leaf(),
    lambda inner: st.one_of(
        st.builds(lambda one: {"op": "not", "children": [one]}, inner),
        st.builds(
            lambda op, parts: {"op": op, "children": parts},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
    ),
    max_leaves=6,
)


def truth(tree: dict[str, Any], row: dict[str, Any]) -> bool | None:
    """SQL's own answer for one row."""
    op, children = tree["op"], tree["children"]
    if op == "isNull":
        return row[children[0]["name"]] is None
    if op in ("and", "or", "not"):
        parts = [truth(child, row) for child in children]
        if op == "not":
            return None if parts[0] is None else not parts[0]
        stop = op == "or"
        return stop if stop in parts else None if None in parts else not stop
    turned = children[0]["op"] == "literal"
    column, literal = children[::-1] if turned else children
    found = row[column["name"]]
    if found is None:
        return None
    read: dict[str, Any] = {
        "long": int,
        "double": float,
        "string": str,
        "date": date.fromisoformat,
        "bool": "true".__eq__,
    }
    said = read[literal["valueType"]](literal["value"])
    left, right = (said, found) if turned else (found, said)
    return {
        "equal": left == right,
        "lessThan": left < right,
        "lessThanOrEqual": left <= right,
        "greaterThan": left > right,
        "greaterThanOrEqual": left >= right,
    }[op]


@given(_trees, st.lists(_row, max_size=4))
def test_what_a_row_is_is_among_the_outcomes_of_its_file(tree: dict[str, Any], rows: Rows) -> None:
    predicate = of_json(json.dumps(tree))
    assert predicate is not None
    assert {truth(tree, row) for row in rows} <= outcomes(predicate, stats(rows), TYPES)


@given(_trees, st.lists(st.lists(_row, max_size=3), max_size=4), st.integers(0, 5))
def test_a_limit_never_costs_a_row_that_is_wanted(
    tree: dict[str, Any], files: list[Rows], limit: int
) -> None:
    predicate = wanted([], json.dumps(tree), TYPES)
    kept = chosen(files, stats, TYPES, predicate, limit)
    matching = [sum(truth(tree, row) is True for row in rows) for rows in files]
    assert sum(sum(truth(tree, row) is True for row in rows) for rows in kept) >= min(limit, sum(matching))


def _file(low: int, high: int) -> dict[str, Any]:
    return {
        "numRecords": 10,
        "minValues": {"n": low, "s": "b", "d": "2026-01-02", "市": "深"},
        "maxValues": {"n": high, "s": "d", "d": "2026-01-04", "市": "深"},
        "nullCount": {"n": 0, "s": 0, "d": 0, "市": 0},
    }


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("n = 4", True),
        ("n = 3", False),
        ("N > 3", True),
        ("3 < n", True),
        ("3 <= n", False),
        ("n <> 2", False),
        ("`n` >= -5", False),
        ("n IS NULL", True),
        ("n is not null", False),
        ("s < 'b'", True),
        ("s >= 'd'", False),
        ("d >= '2026-01-05'", True),
        ("d <= '2026-01-02'", False),
        ("'2026-01-05' <= d", True),
        ("市 = '广'", True),
        ("市 = '深'", False),
        ("s = 'it''s'", True),
        # what cannot be read, or would be cast, leaves nothing out
        ("n = 'x'", False),
        ("s = 4", False),
        ("d >= 'soon'", False),
        ("n = 4 OR 1 = 1", False),
        ("absent = 4", False),
        ("n LIKE 4", False),
        ("n = 9; DROP TABLE t", False),
    ],
)
def test_a_sql_hint_leaves_out_what_it_can(text: str, left_out: bool) -> None:
    predicate = wanted([text], None, TYPES)
    assert (chosen([_file(1, 3)], lambda it: it, TYPES, predicate, None) == []) is left_out


def _equal(name: str, value: str, type: str) -> str:
    return json.dumps(
        {
            "op": "equal",
            "children": [
                {"op": "column", "name": name, "valueType": type},
                {"op": "literal", "value": value, "valueType": type},
            ],
        }
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "NaN",
        '{"op": "equal"}',
        '{"op": "and", "children": [{"op": "isNull", "children": [{"op": "column", "name": "n"}]}]}',
        '{"op": "like", "children": []}',
        '{"op": "isNull", "children": [{"op": "literal", "value": "1", "valueType": "int"}]}',
        _equal("n", "four", "int"),
        '{"op": "not", "children": [' * 300 + "1" + "]}" * 300,
    ],
)
def test_a_json_hint_that_is_none_is_passed_over(text: str) -> None:
    assert of_json(text) is None
    assert len(chosen([_file(1, 3)], lambda it: it, TYPES, wanted([], text, TYPES), None)) == 1


def test_a_number_read_as_32_bits_leaves_out_only_what_fits() -> None:
    for high, left_out in ((3, True), (2**31 - 1, True), (2**31, False)):
        predicate = of_json(_equal("n", "-7", "int"))
        assert (chosen([_file(1, high)], lambda it: it, TYPES, predicate, None) == []) is left_out


def test_a_column_of_another_type_than_the_hint_says_is_not_judged() -> None:
    for type in ("string", "double", "date", "float", "uuid"):
        value = "2026-01-01" if type == "date" else "9"
        assert len(chosen([_file(1, 3)], lambda it: it, TYPES, of_json(_equal("n", value, type)), None)) == 1


def test_instants_are_compared_whatever_zone_they_are_written_in() -> None:
    file = {
        "numRecords": 1,
        "minValues": {"t": "2026-01-01T08:00:00.123+08:00"},
        "maxValues": {"t": "2026-01-01T00:00:00.123Z"},
        "nullCount": {"t": 0},
    }
    types = {"t": "timestamp[us, tz=UTC]"}
    for value, left_out in (
        ("2026-01-01T00:00:00.123999Z", False),  # statistics may be cut to milliseconds
        ("2026-01-01T00:00:00.125Z", True),
        ("2026-01-01T00:00:00.122Z", True),
    ):
        predicate = of_json(_equal("t", value, "timestamp"))
        assert (chosen([file], lambda it: it, types, predicate, None) == []) is left_out


def test_a_file_whose_rows_are_not_all_wanted_does_not_fill_a_limit() -> None:
    files = [_file(1, 3), _file(2, 2), _file(1, 2), _file(2, 2)]
    predicate = of_sql("n = 2", TYPES)
    assert len(chosen(files, lambda it: it, TYPES, predicate, 10)) == 2
    assert len(chosen(files, lambda it: it, TYPES, predicate, 11)) == 4
    assert len(chosen(files, lambda it: it, TYPES, None, 11)) == 2
    assert chosen(files, lambda it: it, TYPES, None, 0) == []


def test_a_number_that_is_none_may_be_greater_than_all() -> None:
    file = {"numRecords": 2, "minValues": {"x": 1.0}, "maxValues": {"x": 2.0}, "nullCount": {"x": 0}}
    assert len(chosen([file], lambda it: it, TYPES, of_json(_equal("x", "nan", "double")), None)) == 1
    assert len(chosen([file], lambda it: it, TYPES, of_sql("x > 5", TYPES), None)) == 1
    assert chosen([file], lambda it: it, TYPES, of_sql("x < 1.0", TYPES), None) == []
