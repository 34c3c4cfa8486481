"""The table of cases: what figures of prose in four languages come to."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from baygrid.core.prose.found import LANGUAGES, decimal
from baygrid.core.prose.reader import read

TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8")
)
CASES = [(language, case) for language, cases in TABLE.items() for case in cases]


@pytest.mark.parametrize(
    ("language", "case"), CASES, ids=lambda it: it["text"] if isinstance(it, dict) else it
)
def test_a_text_has_these_figures(language: str, case: dict[str, Any]):
    found = read(case["text"], language)
    assert [f"{decimal(it.value)} {it.unit or ''}".strip() for it in found] == case["is"], case["shows"]
    assert [it.suggestion or "none" for it in found if it.flag] == [*filter(None, [case.get("flagged")])]


def test_the_table_is_of_four_languages_and_says_what_each_case_shows():
    counted = Counter(language for language, _ in CASES)
    assert set(counted) == set(LANGUAGES)
    assert min(counted.values()) >= 25
    assert counted.total() >= 120
    assert all(case["shows"] for _, case in CASES)
    assert len({(language, case["text"]) for language, case in CASES}) == len(CASES)
