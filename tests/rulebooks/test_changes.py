"""What changed between two days, on both sides of each day, in the real books and in altered ones."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from itertools import chain
from typing import Any

import pytest
import yaml

from baygrid.core.law.plan import NotLoaded
from baygrid.rulebooks import written
from baygrid.rulebooks.changes import Change, changes
from baygrid.rulebooks.cross_border.book import conditions
from baygrid.rulebooks.cross_border.book import read as read_table
from baygrid.rulebooks.cross_border.book import text as table_text
from baygrid.rulebooks.cross_border.lists import NONE
from baygrid.rulebooks.cross_border.standing import changes as standing_changes
from baygrid.rulebooks.measures.book import formulas, read, text
from baygrid.rulebooks.things import all_books, days

BOOKS = all_books()
DAY = timedelta(days=1)
FIRST, LAST = date(2022, 9, 1), date(2027, 12, 31)
LAWS = [it for it in BOOKS if getattr(it, "status", "") not in ("draft", "example")]
EVENTS = sorted({it for it in chain(*map(days, LAWS)) if FIRST < it <= LAST})


def on(day: date) -> list[Change]:
    return changes(BOOKS, day - DAY, day)


TOLD = [
    ("2023-06-01", "way begins", "", "sc: the standard contract", "Order 13", "before anything leaves"),
    ("2023-12-13", "way begins", "", "banking, credit reference or healthcare", "GBA SC Guidelines 2-3", ""),
    ("2024-01-02", "clause begins", "", "office, at most 3,000,000 CNY for an", "No. 1", "2024-09-02"),
    ("2024-03-22", "threshold changes", "pi_assessment 100,000", "pi_assessment 1,000,000", "7(2)", ""),
    ("2024-03-22", "rule begins", "", "M4, EXEMPT: the personal information", "Provisions 4", ""),
    ("2024-03-22", "rule ends", "M9-order11, SECURITY_ASSESSMENT", "", "Order 11", ""),
    ("2024-03-22", "article changes", "rule M8: Order 11", "rule M8: Provisions 7(1)", "", ""),
    ("2024-09-03", "clause ends", "I(1) Rent of an office", "", "Document No. 1", "2024-09-02"),
    ("2024-09-03", "clause begins", "", "I(3) Growth; II(5); II(6)", "SQHG [2024] No. 20, II(5)", ""),
    ("2024-09-29", "applications begin", "", "I(3) Growth; II(5)", "I(3)", "2024-10-27"),
    ("2024-10-28", "applications end", "I(3) Growth; II(5)", "", "I(3)", ""),
    ("2024-11-01", "way changes", "banking", "gba_sc: both sides are", "GBA SC Guidelines", ""),
    ("2024-12-18", "clause begins", "", "(训力券), at most 10,000,000 CNY", "", "2026-12-17"),
    ("2025-01-01", "duty begins", "", "10,000,000 persons or more", "NDSR 28", ""),
    ("2026-01-01", "duty begins", "", "one is for 3 years", "Certification", "3 years after the certificate"),
    ("2026-01-30", "note begins", "", "What was sent this year under a standard contract", "M9", ""),
    ("2026-12-18", "clause ends", "Compute voucher", "", "compute voucher", "2026-12-17"),
]  # fmt: skip


@pytest.mark.parametrize(("day", "what", "before", "after", "article", "by"), TOLD)
def test_what_begins_ends_or_changes_is_told_on_its_day(day, what, before, after, article, by):
    of = date.fromisoformat(day)

    def told(found: list[Change]) -> list[Change]:
        return [
            it
            for it in found
            if (it.what, str(it.since)) == (what, day)
            and (before in it.before if before else not it.before)
            and (after in it.after if after else not it.after)
            and article in it.article
            and by in it.by
        ]

    assert told(on(of))
    assert not told(changes(BOOKS, of - 30 * DAY, of - DAY))
    assert not told(changes(BOOKS, of, of + 30 * DAY))


def test_on_days_without_an_event_nothing_changes_and_on_each_other_day_something_does():
    assert all(on(it) for it in EVENTS)
    quiet = [FIRST + it * DAY for it in range(1, (LAST - FIRST).days) if FIRST + it * DAY not in EVENTS]
    assert len(quiet) > 1500
    assert not any(on(it) for it in random.Random(8).sample(quiet, 100))


def test_two_stretches_tell_what_the_whole_tells():
    whole = changes(BOOKS, FIRST, LAST)
    for middle in EVENTS:
        for cut in (middle - DAY, middle):
            assert changes(BOOKS, FIRST, cut) + changes(BOOKS, cut, LAST) == whole


@pytest.mark.parametrize("day", EVENTS, ids=str)
def test_no_rule_and_no_way_that_stands_differently_is_left_out(day):
    """Against `law diff`, which looks at the days themselves."""
    told = [f"{it.before} {it.after}" for it in on(day)]
    for change in standing_changes(day - DAY, day, NONE):
        it = change.after or change.before
        assert it is not None
        if it.kind in ("rule", "option"):
            assert any(it.name in text for text in told), it


def test_every_row_says_where_it_stands_and_whom_it_is_for():
    for it in changes(BOOKS, FIRST, LAST):
        assert it.article, it
        assert it.who, it
        assert it.before != it.after, it
    first = json.loads(json.dumps(changes(BOOKS, FIRST, LAST)[0].to_json()))
    assert [*first] == ["what", "text", "article", "since", "before", "after", "who", "todo", "by"]


def _shenzhen(**parameters: Any) -> Any:
    document = written.load(text("shenzhen-2024", "rulebook.yaml"))
    document["parameters"] |= parameters
    return read("shenzhen-2024", document, formulas("shenzhen-2024"))


def test_a_rate_and_a_ceiling_that_change_are_told_once_each():
    turn = date(2025, 7, 1)
    halves = {"compute_rate": ("0.50", "0.40"), "compute_cap": ("10000000", "8000000")}
    altered = _shenzhen(
        **{
            name: [
                {"value": old, "to": str(turn - DAY), "reference": "as it was"},
                {"value": new, "from": str(turn), "reference": "notice of June"},
            ]
            for name, (old, new) in halves.items()
        }
    )
    found = changes([altered], turn - DAY, turn)
    assert [(it.what, it.before, it.after, it.article) for it in found] == [
        ("rate changes", "compute_rate 0.50", "compute_rate 0.40", "notice of June"),
        ("ceiling changes", "compute_cap 10,000,000", "compute_cap 8,000,000", "notice of June"),
    ]
    assert not changes([altered], turn, turn + DAY)


def test_a_rule_that_is_given_an_end_is_told_after_its_last_day():
    document = yaml.safe_load(table_text("cn/rulebook.yaml"))
    document["rules"]["M0"]["to"] = "2026-05-31"
    found = changes(
        [read_table("cn_out", document, conditions("cn_out"))], date(2026, 5, 31), date(2026, 6, 1)
    )
    assert [(it.what, it.before.split(":")[0]) for it in found] == [("rule ends", "M0, PROHIBITED")]


def test_a_draft_and_an_example_are_nobodys_law():
    document = written.load(text("shenzhen-2024", "rulebook.yaml"))
    for status in ("draft", "example"):
        made = read("shenzhen-2024", document | {"status": status}, formulas("shenzhen-2024"))
        assert not changes([made], FIRST, LAST)


def test_days_that_are_not_loaded_and_days_the_wrong_way_round_are_refused():
    with pytest.raises(NotLoaded, match="before 2022-09-01 is not loaded"):
        changes(BOOKS, FIRST - DAY, LAST)
    with pytest.raises(ValueError, match="is before"):
        changes(BOOKS, LAST, FIRST)
    assert changes(BOOKS, LAST, LAST) == []
