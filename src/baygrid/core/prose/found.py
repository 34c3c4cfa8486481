"""What a reading gives: figures, how else they could be read, and what is doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final, Literal

from baygrid.core.units import exact

LANGUAGES: Final = ("ja", "zh-Hans", "zh-Hant", "en")

_ROUNDED: Final = Context(prec=28)


def decimal(value: Fraction) -> str:
    """Exact where a decimal number can be (then `exactly` is None), else to 28 digits."""
    text = exact(abs(value))
    if "/" in text:
        text = str(_ROUNDED.divide(Decimal(abs(value.numerator)), Decimal(value.denominator)))
    return f"-{text}" if value < 0 else text


def exactly(value: Fraction) -> str | None:
    """ "1/3", of a value that no decimal number is."""
    return str(value) if "/" in exact(abs(value)) else None


@dataclass(frozen=True, slots=True)
class Reading:
    """A value by one rule for the scale words; `plausible`: within the bounds of its unit."""

    rule: str
    value: Fraction
    plausible: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A figure as it is printed somewhere, and the `value` of its original, which is `shown` so."""

    printed: Fraction
    unit: str
    value: Fraction
    shown: str
    original: str
    reference: str


@dataclass(frozen=True, slots=True)
class Found:
    """A figure of a text, from `start` to `end`. `value` is of its language's own reading, the first of
    `readings`. `unit` is None for a bare number. `part`: whether it is an end of a range. `why`: of the flag.
    """

    text: str
    start: int
    end: int
    value: Fraction
    unit: str | None
    readings: tuple[Reading, ...]
    flag: Literal["implausible"] | None = None
    why: str | None = None
    source: Source | None = None
    part: Literal["from", "to"] | None = None
    note: str | None = None

    @property
    def suggestion(self) -> str | None:
        """The reading that a source supports, such as 500 PFLOP/s."""
        return None if self.source is None else self.source.shown
