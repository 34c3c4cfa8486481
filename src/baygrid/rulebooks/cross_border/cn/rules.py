"""What is code of the mainland's table: the condition of each rule, option and obligation that has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baygrid.core.law.conditions import ALWAYS, AtLeast, Condition, Every, Is, Listed, Not, Some

_PERSONAL: Final = Every(Some(Is("data.pi"), Is("data.spi")), Not(Is("data.anonymised")))
"""What is sensitive is personal, whatever is said of `pi`."""

_IMPORTANT: Final = Is("data.important", ("notified", "published"))
_IN_ZONE: Final = Listed("exporter.ftz_zone", "ftz")
_ON_LIST: Final = Every(_IN_ZONE, Is("ftz.listed"))
_ROUTES: Final = Some(
    Is("data.spi"),
    AtLeast(("ytd_after.spi",), "spi_routes"),
    AtLeast(("ytd_after.pi_nonsensitive",), "pi_routes"),
)
_GREATER_BAY: Final = (
    Is("exporter.registered_in_gba9"),
    Is("recipient.registered_in_hk_or_gba9"),
    Not(Is("exporter.ciio")),
    Not(_IMPORTANT),
)

RULES: Final[Mapping[str, Condition]] = {
    "M0": Is("data.core"),
    "M0-judicial": Every(
        Is("recipient.is_foreign_judicial_or_enforcement"), Not(Is("recipient.approved_by_authority"))
    ),
    "M1": Is("recipient.on_art42_list"),
    "M2": _IMPORTANT,
    "M3": Not(_PERSONAL),
    "M4": Every(Is("data.origin", ("overseas",)), Not(Is("data.domestic_mixed"))),
    "M5": Is("exporter.state_organ"),
    "M6-contract": Is("ground", ("contract",)),
    "M6-hr": Is("ground", ("hr",)),
    "M6-emergency": Is("ground", ("emergency",)),
    "M6b": Is("ground", ("legal_duty",)),
    "M7": Every(_IN_ZONE, Not(Is("ftz.listed"))),
    "M7b-assessment": Every(_ON_LIST, Is("ftz.listed_route", ("security_assessment",))),
    "M7b-routes": Every(_ON_LIST, Is("ftz.listed_route", ("standard_contract_or_certification",))),
    "M7-hetao": Every(Listed("recipient.zone", "hetao"), Is("research_only")),
    "M8": Is("exporter.ciio"),
    "M9-order11": Some(
        AtLeast(("exporter.handled_persons",), "handled_assessment"),
        # Order 11 does not leave sensitive information out of the count of personal information.
        AtLeast(("since_previous_year.pi_nonsensitive", "since_previous_year.spi"), "pi_assessment"),
        AtLeast(("since_previous_year.spi",), "spi_assessment"),
    ),
    "M10-order11": ALWAYS,
    "M9": Some(
        AtLeast(("ytd_after.spi",), "spi_assessment"),
        AtLeast(("ytd_after.pi_nonsensitive",), "pi_assessment"),
    ),
    "M10": _ROUTES,
    "M11": Not(_ROUTES),
}

OPTIONS: Final[Mapping[str, Condition]] = {
    "sc": ALWAYS,
    "cert": ALWAYS,
    "gba_sc-pilot": Every(*_GREATER_BAY, Is("sector", ("banking", "credit-reference", "healthcare"))),
    "gba_sc": Every(*_GREATER_BAY),
}

OBLIGATIONS: Final[Mapping[str, Condition]] = {
    "notice": _PERSONAL,
    "separate-consent": Every(_PERSONAL, Is("ground", ("other",))),
    "pipia": _PERSONAL,
    "important-data-duties": AtLeast(("exporter.handled_persons",), "handled_important"),
}
