"""What the law is asked of a transfer, by the names of `rulebooks.cross_border`: of contracts and of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from baygrid.core.data.labels import Important, Origin, Together

MAINLAND: Final = "cn"
HONG_KONG: Final = "hk"
DIRECTIONS: Final[Mapping[str, str]] = {MAINLAND: "cn_out", HONG_KONG: "hk_out"}
"""By where the data lie: whose law lets them out."""

_EXPORTER: Final = (
    "jurisdiction",
    "city",
    "registered_in_gba9",
    "ciio",
    "state_organ",
    "ftz_zone",
    "handled_persons",
)
_RECIPIENT: Final = (
    "jurisdiction",
    "registered_in_hk_or_gba9",
    "on_art42_list",
    "is_foreign_judicial_or_enforcement",
    "zone",
)


def side(jurisdiction: str) -> str:
    """The law of CN-QH is that of cn."""
    return jurisdiction.partition("-")[0].casefold()


def document(
    place: str,
    exporter: Mapping[str, Any],
    recipient: Mapping[str, Any],
    shown: Together,
    said: Mapping[str, Any],
    *,
    anonymised: bool = False,
    counted: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """What is not known is null in it. `place`: the side where the data lie; `said`: more facts, by dotted
    names; `counted`: persons of whom nothing sensitive and something sensitive will have left."""
    found: dict[str, Any] = {
        "direction": DIRECTIONS[place],
        "exporter": _named(_EXPORTER, exporter),
        "recipient": _named(_RECIPIENT, recipient),
        "data": {
            "pi": shown.personal,
            "spi": shown.sensitive,
            "important": None if shown.important is Important.UNKNOWN else shown.important.value,
            "core": shown.core,
            "origin": None if shown.origin is Origin.UNKNOWN else shown.origin.value,
            "domestic_mixed": shown.mixed,
            "anonymised": anonymised,
        },
    }
    for name, value in said.items():
        *outer, last = name.split(".")
        (found.setdefault(outer[0], {}) if outer else found)[last] = value
    verified = (exporter if place == HONG_KONG else recipient).get("sector")
    if verified is not None:
        found["sector"] = verified
    if counted is not None:
        persons = {"pi_nonsensitive": counted[0], "spi": counted[1]}
        found["ytd_after"] = found["since_previous_year"] = persons
    return found


def _named(names: Iterable[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts.get(name) for name in names}
