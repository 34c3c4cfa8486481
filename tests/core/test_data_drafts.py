"""Drafts for counsel: what they hold, what they leave open, and that they say what they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baygrid.core.data.drafts import OPEN, Matter, Table, Task, drafts

MATTER = Matter(
    id="contract-1",
    share="clinic",
    day="2026-11-23",
    provider="hospital",
    consumer="lab",
    exporter={"city": "Shenzhen"},
    recipient={"jurisdiction": "hk"},
    purpose="a study of waiting times",
    ground="other",
    choice="sc",
    onward=False,
    start="2026-11-23",
    until=None,
    outcome="STANDARD_CONTRACT_OR_CERTIFICATION",
    basis=("Provisions 8",),
    notes=("a note",),
    tables=[Table("hospital/visits", "CN-QH", [("name", "personal")], "age > 5", {"name": "hash"}, None)],
    persons=(12_000, 34),
    tasks=[Task("File it | now", "SC Measures 7", "exporter", "2026-12-07", "no")],
)


@pytest.mark.parametrize(
    ("choice", "annex"),
    [
        (None, set()),
        ("cert", set()),
        ("sc", {"standard-contract-annex.md"}),
        ("gba_sc", {"gba-contract-annex.md"}),
    ],
)
def test_the_annex_is_that_of_the_chosen_route(choice: str | None, annex: set[str]):
    found = drafts(replace(MATTER, choice=choice))
    assert found.keys() == {"impact-assessment.md", "filing-checklist.md"} | annex


@pytest.mark.parametrize(
    "name", ["impact-assessment.md", "filing-checklist.md", "standard-contract-annex.md"]
)
def test_each_says_that_it_is_a_draft_and_of_what(name: str):
    text = drafts(MATTER)[name]
    assert "to be completed and checked by counsel" in text
    assert "It is not legal advice" in text
    assert "Contract contract-1, share clinic, as of 2026-11-23." in text
    assert ("STANDARD_CONTRACT_OR_CERTIFICATION: Provisions 8" in text) == (
        name != "standard-contract-annex.md"
    )


def test_what_is_known_is_in_them_and_the_rest_is_open():
    found = drafts(MATTER)
    for name in ("impact-assessment.md", "standard-contract-annex.md"):
        text = found[name]
        for said in (
            "hospital/visits",
            "`age > 5`",
            "`name`: personal; behind a mask (hash)",
            "12,000",
            ": 34",
        ):
            assert said in text
        assert OPEN in text
    assert "how many" in drafts(replace(MATTER, persons=None))["impact-assessment.md"].lower()


def test_a_task_is_one_row_whatever_it_says():
    rows = [line for line in drafts(MATTER)["filing-checklist.md"].splitlines() if line.startswith("| File")]
    assert rows == ["| File it \\| now | SC Measures 7 | exporter | 2026-12-07 | no |"]
