"""Every page, asked by everybody: matrix.yaml is the table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from baygrid.portal.app import PAGES
from tests.portal.conftest import Visitor, csrf

MATRIX: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "matrix.yaml").read_text(encoding="utf-8")
)
WHO = {
    "none": None,
    "team": "team",
    "rival": "rival",
    "centre": "far",
    "stranger": "hub",
    "operator": "operator",
}
ROWS = [
    pytest.param(page, row, id=f"{page} {row.get('thing', '')}".strip())
    for page, rows in MATRIX.items()
    for row in rows
]


def test_every_page_is_in_the_table():
    assert {f"{it.method} /portal/{it.path}" for it in PAGES} == set(MATRIX)


def test_every_row_names_everybody_and_every_thing_is_also_absent():
    assert all(set(WHO) <= set(row) for rows in MATRIX.values() for row in rows)
    for page, rows in MATRIX.items():
        if "{" in page:
            assert {row["thing"] for row in rows} >= {"demo", "absent"}, page


@pytest.mark.parametrize(("page", "row"), ROWS)
def test_the_table(visitor: Visitor, things: dict[str, str], page: str, row: dict[str, Any]):
    method, address = page.split(" ")
    named = things if row.get("thing") == "demo" else {}
    address = re.sub(r"\{(\w+)(?::path)?\}", lambda found: named.get(found[1], "absent"), address)
    address += f"?{row['query']}" if "query" in row else ""
    found, told = {}, []
    for name, who in WHO.items():
        client = visitor(who)
        if method == "GET":
            answer = client.get(address)
        else:
            mark = csrf(client) if who is not None else ""
            typed = {key: text.replace("{who}", name) for key, text in row.get("form", {}).items()}
            answer = client.post(address, data={"csrf": mark} | typed)
        found[name] = answer.status_code
        told.append(f"{name}: {answer.status_code} {answer.text[:200]}")
        assert answer.headers["content-security-policy"]
    assert found == {name: row[name] for name in WHO}, "\n".join(told)
