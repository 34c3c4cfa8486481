"""Every case beside the tables of cross-border law."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from baygrid.rulebooks.cross_border.book import NAMES, book, text
from baygrid.rulebooks.cross_border.deciding import plan, read_facts
from baygrid.rulebooks.cross_border.lists import NONE

KEYS = {"says", "as_of", "facts", "outcome", "basis", "options", "review", "missing", "told", "refused"}


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in flat.items():
        outer, dot, inner = name.partition(".")
        if dot:
            found.setdefault(outer, {})[inner] = value
        else:
            found[name] = value
    return found


CASES = [
    (direction, of["base"], case)
    for direction, folder in NAMES.items()
    for of in [yaml.safe_load(text(f"{folder}/cases.yaml"))]
    for case in of["cases"]
]


def wrong(direction: str, base: dict[str, Any], case: dict[str, Any]) -> str:
    """What is not as the case says, or nothing."""
    facts = read_facts(nested(base | case.get("facts", {})))
    found = plan(direction, case["as_of"], NONE).decide(facts).to_json()
    for key in ("outcome", "basis", "options", "review", "missing"):
        if key in case and found[key] != case[key]:
            return f"{key}: {found[key]}"
    words = " ".join([*(it["what"] for it in found["obligations"]), *found["notes"]])
    if "told" in case and case["told"] not in words:
        return f"not told: {words}"
    if case.get("refused", "") not in (found["refused"] or ""):
        return f"refused: {found['refused']}"
    return ""


@pytest.mark.parametrize(
    ("direction", "base", "case"), CASES, ids=[case["says"] for _, _, case in CASES]
)  # fmt: skip
def test_the_case_holds(direction: str, base: dict[str, Any], case: dict[str, Any]):
    assert case.keys() <= KEYS
    assert "outcome" in case
    assert not wrong(direction, base, case)


def test_both_tables_are_whole():
    for direction in NAMES:
        assert book(direction).table.name == direction
