"""An explanation as a sentence and a table of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from baygrid.cli.shapes import Explanation, money

COLUMNS: Final = ("centre", "partition", "offer", "verdict", "cost", "reason")


def rows(explanation: Explanation) -> list[list[str]]:
    """A row for each candidate, the chosen one first, then in the order in which they were looked at."""
    candidates = sorted(explanation["candidates"], key=lambda candidate: candidate["verdict"] != "chosen")
    return [
        [
            candidate["centre"],
            candidate.get("partition") or "",
            candidate.get("offer") or "",
            candidate["verdict"],
            money(candidate.get("cost")),
            reasons(candidate.get("reasons", ())),
        ]
        for candidate in candidates
    ]


def reasons(items: Sequence[Mapping[str, Any]]) -> str:
    """All reasons of a candidate in one text."""
    return "; ".join(str(reason["text"]) for reason in items)
