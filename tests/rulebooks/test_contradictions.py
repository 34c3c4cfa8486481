"""What one person says of one transfer and cannot all be so; and that nothing else is refused for it."""

from datetime import date
from typing import Any

import pytest

from baygrid.core.reading import DocumentError
from baygrid.rulebooks.cross_border import decide, decide_stated
from tests.rulebooks.cross_border import nested

TODAY = date(2026, 11, 22)
BASE: dict[str, Any] = {
    "direction": "cn_out",
    "exporter.jurisdiction": "cn",
    "exporter.city": "Shenzhen",
    "exporter.registered_in_gba9": True,
    "exporter.ciio": False,
    "exporter.state_organ": False,
    "exporter.ftz_zone": "none",
    "recipient.jurisdiction": "hk",
    "recipient.registered_in_hk_or_gba9": True,
    "recipient.on_art42_list": False,
    "recipient.is_foreign_judicial_or_enforcement": False,
    "data.pi": True,
    "data.spi": False,
    "data.important": "no",
    "data.core": False,
    "data.origin": "domestic",
    "data.domestic_mixed": False,
    "ytd_after.pi_nonsensitive": 5,
    "ytd_after.spi": 0,
    "ground": "other",
}
PI, SPI = "ytd_after.pi_nonsensitive", "ytd_after.spi"


@pytest.mark.parametrize(
    ("facts", "path", "cure"),
    [
        ({"recipient.jurisdiction": "CN"}, "recipient.jurisdiction", "no border is crossed"),
        ({"direction": "hk_out"}, "recipient.jurisdiction", "no border is crossed"),
        ({"data.pi": False, "data.spi": True}, "data.pi", "make data.pi true, or data.spi false"),
        ({"exporter.registered_in_gba9": False}, "exporter.registered_in_gba9", "make it true"),
        ({"ftz.listed": True}, "ftz.listed", "name its exporter.ftz_zone"),
        ({SPI: 7, "since_previous_year.spi": 6}, "since_previous_year.spi", "6 persons are fewer than the 7"),
        (
            {PI: 7, "since_previous_year.pi_nonsensitive": 6},
            "since_previous_year.pi_nonsensitive",
            "1 January",
        ),
    ],
)
def test_facts_that_cannot_be_so_together_are_refused_with_the_cure(facts: Any, path: str, cure: str):
    with pytest.raises(DocumentError) as refused:
        decide_stated(nested(BASE | facts), TODAY)
    (problem,) = refused.value.problems
    assert problem.path == path
    assert cure in problem.message
    decide(nested(BASE | facts), TODAY)  # of several sources the stricter rule counts


@pytest.mark.parametrize(
    "facts",
    [
        {"recipient.jurisdiction": None},
        {"direction": "hk_out", "exporter.jurisdiction": "hk", "recipient.jurisdiction": "cn"},
        {"recipient.jurisdiction": "gb"},
        {"data.pi": False, PI: 99_999},  # of earlier transfers
        {"data.pi": None, "data.spi": True},
        {"data.spi": True, SPI: 0},  # of which nobody is counted yet
        {"exporter.city": "Shantou", "exporter.registered_in_gba9": False},
        {"exporter.city": None, "exporter.registered_in_gba9": False},
        {"ftz.listed": False},
        {"exporter.ftz_zone": "Qianhai Shekou", "ftz.listed": True},
        {"since_previous_year.spi": 0, "since_previous_year.pi_nonsensitive": 5},
        {SPI: None, "since_previous_year.spi": 0},
    ],
)
def test_what_can_be_so_and_what_is_unknown_is_no_contradiction(facts: Any):
    assert decide_stated(nested(BASE | facts), TODAY) == decide(nested(BASE | facts), TODAY)


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({PI: 99_999}, "EXEMPT"),
        ({PI: 100_000}, "STANDARD_CONTRACT_OR_CERTIFICATION"),
        ({SPI: 1}, "STANDARD_CONTRACT_OR_CERTIFICATION"),
        ({PI: 99_999, SPI: 9_999}, "STANDARD_CONTRACT_OR_CERTIFICATION"),
        ({SPI: 10_000}, "SECURITY_ASSESSMENT"),
        ({PI: 999_999}, "STANDARD_CONTRACT_OR_CERTIFICATION"),
        ({PI: 1_000_000}, "SECURITY_ASSESSMENT"),
        ({"exporter.ciio": True, PI: 1}, "SECURITY_ASSESSMENT"),
        ({"exporter.ciio": True, "ground": "hr"}, "EXEMPT"),
        ({"exporter.ciio": True, "ground": "contract", "data.important": "notified"}, "SECURITY_ASSESSMENT"),
        ({"data.spi": True, "data.origin": "overseas", SPI: 2_000_000}, "EXEMPT"),
        (
            {"data.spi": True, "data.origin": "overseas", "data.domestic_mixed": True, SPI: 2_000_000},
            "SECURITY_ASSESSMENT",
        ),
        ({"data.pi": False}, "FREE"),
        (
            {
                "recipient.jurisdiction": "sg", "recipient.registered_in_hk_or_gba9": False, SPI: 1,
                "choice": "gba_sc",
            },
            "STANDARD_CONTRACT_OR_CERTIFICATION",
        ),
    ],
)  # fmt: skip
def test_the_boundaries_of_the_provisions_are_no_contradictions(facts: Any, outcome: str):
    assert decide_stated(nested(BASE | facts), TODAY).outcome == outcome
