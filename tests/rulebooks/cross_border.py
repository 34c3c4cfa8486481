"""Facts to try cross-border law with, and what a decision says, in the words of its cases."""

from __future__ import annotations

from datetime import date
from typing import Any

from baygrid.core.law.decisions import Decision
from baygrid.core.law.facts import Kind
from baygrid.rulebooks.cross_border.book import facts
from baygrid.rulebooks.cross_border.lists import read_lists

DAYS = [
    date.fromisoformat(day)
    for day in (
        "2022-09-01", "2023-05-31", "2023-06-01", "2023-12-12", "2023-12-13", "2024-03-21", "2024-03-22",
        "2024-10-31", "2024-11-01", "2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01", "2026-01-30",
        "2026-11-22", "2027-06-30",
    )
]  # fmt: skip
COUNTS = [0, 1, 9_999, 10_000, 90_000, 90_001, 99_999, 100_000, 999_999, 1_000_000, 9_999_999, 10_000_000]
TEXTS = {
    "exporter.jurisdiction": ["cn", "hk"],
    "exporter.city": ["shenzhen"],
    "exporter.ftz_zone": ["none", "qianhai-shekou"],
    "recipient.jurisdiction": ["cn", "hk", "gb"],
    "recipient.zone": ["none", "hetao-hong-kong-park"],
    "sector": ["banking", "retail"],
}
LISTS = read_lists(
    {
        "lists": [
            {"kind": "ftz", "zone": "qianhai-shekou", "reference": "invented", "enabled": True},
            {"kind": "hetao", "zone": "hetao-hong-kong-park", "reference": "invented", "enabled": True},
        ]
    }
)


def _values(name: str) -> list[Any]:
    fact = facts()[0][name]
    if fact.kind is Kind.YES_NO:
        return [True, False]
    return COUNTS if fact.kind is Kind.COUNT else list(fact.choices) or TEXTS[name]


VALUES: dict[str, list[Any]] = {name: _values(name) for name in facts()[0] if name != "direction"}
"""By fact what to try: both sides of every number."""


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in flat.items():
        outer, dot, inner = name.partition(".")
        if dot:
            found.setdefault(outer, {})[inner] = value
        else:
            found[name] = value
    return found


def said(decision: Decision) -> dict[str, Any]:
    found = decision.to_json()
    duties = found["obligations"]
    return {
        **found,
        "before": [it["id"] for it in duties if it["when"] == "before_first_byte"],
        "then": [it["id"] for it in duties if it["when"] != "before_first_byte"],
        "articles": {it["id"]: it["basis"] for it in duties}
        | {it["rule"]: it["basis"] for it in found["trace"]},
        "told": " ".join([*(it["what"] for it in duties), *found["notes"]]),
    }
