"""Facts of parties: read as they are, every mistake told, nothing unknown taken for no."""

from typing import Any

import pytest

from baygrid.core.data.parties import FACTS, Party, pilot_span, read_party
from baygrid.core.days import beginning
from baygrid.core.reading import DocumentError

PILOT = {
    "parent": "Acme (Hong Kong) Ltd",
    "registered": "91440300MA5XXXXX0X",
    "scope": ["clinical research", "影像"],
    "from": "2027-01-01",
    "until": "2027-12-31",
}


def problems(document: object) -> dict[str, str]:
    with pytest.raises(DocumentError) as raised:
        read_party(document)
    return {it.path: it.message for it in raised.value.problems}


def test_what_is_said_is_read_and_the_rest_is_unknown():
    facts = {"jurisdiction": "cn", "city": "深圳", "ciio": False, "sector": None, "handled_persons": 0}
    found = read_party({"facts": facts, "pilot": PILOT})
    assert found == Party({"jurisdiction": "cn", "city": "深圳", "ciio": False, "handled_persons": 0}, PILOT)
    assert read_party({"facts": {}, "pilot": None}) == Party({}, None)


@pytest.mark.parametrize("value", ["CN", "China", "c", 1, True, ""])
def test_a_jurisdiction_is_a_code(value: object):
    assert "small letters" in problems({"facts": {"jurisdiction": value}})["facts.jurisdiction"]


@pytest.mark.parametrize(
    "name", [name for name in FACTS if name not in ("jurisdiction", "handled_persons", "city", "sector")]
)
def test_a_text_is_no_truth_value(name: str):
    assert f"facts.{name}" in problems({"facts": {name: 7}})


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ""),
        ({"facts": {}, "more": 1}, "more"),
        ({"facts": []}, "facts"),
        ({}, "facts"),
        ({"facts": {"cioo": True}}, "facts.cioo"),
        ({"facts": {7: True}}, "facts"),
        ({"facts": {"ciio": "no"}}, "facts.ciio"),
        ({"facts": {"city": "two\nlines"}}, "facts.city"),
        ({"facts": {"city": " "}}, "facts.city"),
        ({"facts": {"handled_persons": -1}}, "facts.handled_persons"),
        ({"facts": {}, "pilot": 3}, "pilot"),
        ({"facts": {}, "pilot": PILOT | {"from": "2027-13-01"}}, "pilot.from"),
        ({"facts": {}, "pilot": PILOT | {"from": "20270101"}}, "pilot.from"),
        ({"facts": {}, "pilot": PILOT | {"scope": []}}, "pilot.scope"),
        ({"facts": {}, "pilot": PILOT | {"scope": ["x", 3]}}, "pilot.scope"),
        ({"facts": {}, "pilot": PILOT | {"until": "2026-12-31"}}, "pilot.until"),
        (
            {"facts": {"registered_in_gba9": True, "registered_in_hk_or_gba9": False}},
            "facts.registered_in_hk_or_gba9",
        ),
        (
            {"facts": {"registered_in_gba9": False, "registered_in_hk_or_gba9": True, "jurisdiction": "sg"}},
            "facts.registered_in_hk_or_gba9",
        ),
    ],
)  # fmt: skip
def test_mistakes_say_where(document: object, path: str):
    assert set(problems(document)) == {path}


def test_every_mistake_is_told_at_once():
    found = problems({"facts": {"ciio": 1, "x": 2}, "pilot": {"parent": "A"}})
    assert set(found) == {"facts.ciio", "facts.x", *(f"pilot.{name}" for name in PILOT if name != "parent")}


def test_one_of_hong_kong_is_in_the_bay_area_without_being_in_the_nine_cities():
    facts: dict[str, Any] = {"registered_in_gba9": False, "registered_in_hk_or_gba9": True}
    assert read_party({"facts": facts | {"jurisdiction": "hk"}}).facts["registered_in_hk_or_gba9"]
    assert read_party({"facts": facts}).facts == facts


def test_a_pilot_serves_on_its_last_day_too():
    from datetime import date

    start, before = pilot_span(PILOT)
    assert (start, before) == (beginning(date(2027, 1, 1)), beginning(date(2028, 1, 1)))
