"""What is code of Hong Kong's table: the condition of each rule, option and obligation that has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baygrid.core.law.conditions import Condition, Every, Is, Not, Some

_PERSONAL: Final = Every(Some(Is("data.pi"), Is("data.spi")), Not(Is("data.anonymised")))
_NOT_ONLY_ITS_OWN: Final = Some(Not(Is("data.origin", ("overseas",))), Is("data.domestic_mixed"))
_NEW: Final = Is("purpose", ("new",))
_MARKETING: Final = Is("direct_marketing")
_BOTH_SIDES: Final = (Is("exporter.jurisdiction", ("hk",)), Is("recipient.registered_in_hk_or_gba9"))

RULES: Final[Mapping[str, Condition]] = {
    "H0": Not(_PERSONAL),
    "H5-onward": Every(
        Not(Is("recipient.registered_in_hk_or_gba9")),
        _NOT_ONLY_ITS_OWN,
        Is("received_under", ("gba_sc",)),
    ),
    "H2": _NEW,
    "H3": _MARKETING,
    "H1": Is("purpose", ("same", "related")),
}

OPTIONS: Final[Mapping[str, Condition]] = {
    "gba_sc-pilot": Every(*_BOTH_SIDES, Is("sector", ("banking", "credit-reference", "healthcare"))),
    "gba_sc": Every(*_BOTH_SIDES),
}

OBLIGATIONS: Final[Mapping[str, Condition]] = {
    "marketing-notice": _MARKETING,
    "marketing-consent": _MARKETING,
    "processor": Is("recipient.data_processor"),
}
