"""How large a figure can be, by unit and with the reason; and figures that are known to be printed wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from baygrid.core.prose.found import Source
from baygrid.core.prose.units import FLOPS


@dataclass(frozen=True, slots=True)
class Bound:
    """`most` of a unit, either way from zero; `reason` says what there is, of when, and who says so."""

    most: int
    reason: str


_PRODUCT: Final = "the whole world produces about 110 trillion USD in a year (IMF, 2024)"
BOUNDS: Final[Mapping[str, Bound]] = {
    FLOPS: Bound(
        2 * 10**21,
        "the fastest machine measured does 1.809 x 10^18 in 64 bits (TOP500, November 2025) and some 10^19 in"
        " mixed precision; all AI compute of China together is 1.59 x 10^21 in 16 bits (MIIT, January 2026);"
        " peaks announced beyond that count sparse operations of 4 bits (1.6 x 10^22, Oracle, October 2025)",
    ),
    "persons": Bound(10**10, "there are about 8.2 x 10^9 people (UN World Population Prospects 2024)"),
    "companies": Bound(
        4 * 10**8,
        "China has about 1.9 x 10^8 registered businesses, sole traders among them (SAMR, end of 2024)",
    ),
    "km2": Bound(511 * 10**6, "the surface of the earth is 5.1 x 10^8 km2"),
    "CNY": Bound(10**15, _PRODUCT),
    "HKD": Bound(10**15, _PRODUCT),
    "USD": Bound(13 * 10**13, _PRODUCT),
    "JPY": Bound(2 * 10**16, _PRODUCT),
}

SOURCES: Final = (
    Source(
        printed=Fraction(5 * 10**22),
        unit=FLOPS,
        value=Fraction(5 * 10**17),
        shown="500 PFLOP/s",
        original="50亿亿次",
        reference=(
            "the Chinese original on the Qianhai Shenzhen-Hong Kong AI computing centre (January 2024): 500P"
            " on completion, in Japanese 50京回. It is to do 1.6 billion images, 1.9 million hours of speech"
            " or 7,000 km in an hour; Cyberport's 3,000 PFLOP/s do 10 billion, 11 million and 40,000 (Sing"
            " Tao, 24 December 2025), about as much for each PFLOP/s"
        ),
    ),
)
"""What a figure of a text, read as its language is read, stands for in truth."""


def plausible(value: Fraction, unit: str | None) -> bool:
    bound = BOUNDS.get(unit or "")
    return bound is None or abs(value) <= bound.most


def why_not(unit: str | None) -> str | None:
    bound = BOUNDS.get(unit or "")
    return None if bound is None else f"more than there can be: {bound.reason}"


def source_of(value: Fraction, unit: str | None) -> Source | None:
    return next((it for it in SOURCES if it.unit == unit and it.printed == value), None)
