"""A language as a letter speaks it: fixed words, days, numbers with their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import Final

import yaml
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from baygrid.core.indicators.figure import RATIO
from baygrid.letter.bundle import Figure, Rate
from baygrid.letter.inline import Reference
from baygrid.papers.words import LANGUAGES

_MYRIADS: Final[Mapping[str, tuple[str, ...]]] = {
    "zh-Hans": ("亿亿", "万亿", "亿", "万"),
    "zh-Hant": ("億億", "萬億", "億", "萬"),
    "ja": ("京", "兆", "億", "万"),
}
"""Of 10^16, 10^12, 10^8, 10^4: 兆 is 10^12 in Japan and 10^6 on the mainland, so no Chinese letter has it."""
_THOUSANDS: Final = ((Decimal("1e15"), "quadrillion"), (Decimal("1e12"), "trillion"),
                     (Decimal("1e9"), "billion"), (Decimal("1e6"), "million"))  # fmt: skip
_PARTS: Final = (
    "half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip
STYLES: Final = frozenset({"", "bare", "percent", "change", "fraction", "yen", "whole", "operations"})


class NoStyle(ValueError):
    """There is no such style, or none for this unit; the message is for who writes the issue."""


@dataclass(frozen=True, slots=True)
class Voice:
    language: str

    @property
    def locale(self) -> Locale:
        return Locale.parse(LANGUAGES[self.language])

    def __call__(self, word: str, **parts: str) -> str:
        return _words()[word][[*LANGUAGES].index(self.language)].format(**parts)

    def day(self, day: date) -> str:
        return format_date(day, "long", self.locale)

    def month(self, day: date) -> str:
        return format_date(day, self.locale.datetime_skeletons["yMMMM"].pattern, self.locale)

    def year(self, year: int) -> str:
        return str(year) if self.language == "en" else f"{year}年"

    def date(self, it: Reference) -> str:
        """Of a reference to a day, a month or a year. Raises ValueError."""
        if it.head == "day":
            return self.day(date.fromisoformat(it.style))
        if it.head == "month":
            return self.month(date.fromisoformat(f"{it.style}-01"))
        return self.year(int(it.style))

    def population(self, text: str) -> str:
        """ "ai_companies in qianhai, base layer" in this language, as far as it has the words."""
        if (whole := f"of.{text}") in _words():
            return self(whole)
        of, _, rest = text.partition(" in ")
        zone, _, part = rest.partition(", ")
        if not rest or f"of.{of}" not in _words():
            return text
        zone = self(f"zone.{zone}") if f"zone.{zone}" in _words() else zone
        part = self(f"part.{part}") if f"part.{part}" in _words() else part
        return self("population_in", of=self(f"of.{of}"), zone=zone) + (f" ({part})" if part else "")

    def period(self, text: str) -> str:
        return self(f"period.{text}") if f"period.{text}" in _words() else text

    def number(self, value: Decimal, places: int) -> str:
        """To so many decimals at most, halves up."""
        rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        return format_decimal(rounded, "#,##0." + "#" * places, self.locale)

    def figure(self, figure: Figure, style: str = "", yen: Rate | None = None) -> str:
        """`style`: "NAME" or "NAME:PLACES". Raises NoStyle; ValueError for a figure without a value."""
        if figure.value is None:
            raise ValueError(f"{figure.id} has no value: {figure.note}")
        name, _, digits = style.partition(":")
        if name not in STYLES or not (digits == "" or digits.isdecimal()):
            raise NoStyle(
                f"there is no style {style!r}: use {', '.join(sorted(STYLES - {''}))}, with :PLACES"
            )
        places = int(digits) if digits else None
        return self._styled(figure.value, figure.unit, name, places, yen)

    def _styled(self, value: Decimal, unit: str, style: str, places: int | None, yen: Rate | None) -> str:
        if style in ("percent", "change", "fraction"):
            if unit != RATIO:
                raise NoStyle(f"{style} is of a ratio, not of {unit}")
            return self._share(value, style, 2 if places is None else places)
        if style == "operations":
            if unit != "PFLOP/s":
                raise NoStyle(f"operations are of PFLOP/s, not of {unit}")
            return self("operations", n=self._large(value * 10**15, 2))
        if style == "bare":
            return self.number(value, 4 if places is None else places)
        if style == "yen":
            return self._yen(value, unit, 2 if places is None else places, yen)
        return self._with_unit(value, unit, 2 if places is None else places, whole=style == "whole")

    def _share(self, value: Decimal, style: str, places: int) -> str:
        if style == "percent":
            return self("percent", n=self.number(100 * value, places))
        if style == "change":
            sign = "+" if value >= 0 else "\N{MINUS SIGN}"
            return sign + self("percent", n=self.number(abs(100 * value), places))
        return self._fraction(value)

    def _fraction(self, value: Decimal) -> str:
        """The nearest part of one, as 1/8; only where it is no further off than a twentieth."""
        parts = int((1 / value).quantize(Decimal(1), ROUND_HALF_UP)) if value > 0 else 0
        if parts < 2 or abs(value * parts - 1) > Decimal("0.05"):
            raise NoStyle(f"{value} is no simple part of one: write it in percent")
        if self.language == "en":
            return f"one {_PARTS[parts - 2]}" if parts < 13 else f"1/{parts}"
        if self.language == "ja":
            return f"{parts}分の1"
        return f"{_hanzi(parts)}分之一"

    def _with_unit(self, value: Decimal, unit: str, places: int, *, whole: bool = False) -> str:
        key = unit.replace("-", "_").replace(" ", "_")
        if key not in _words():
            raise NoStyle(f"no language has words for the unit {unit!r}: use the style bare")
        large = unit in ("CNY", "HKD") or (value == value.to_integral_value() and value % 1000 == 0)
        number = self._large(value, places) if large and not whole else self.number(value, places)
        one = f"{key}.one"
        return self(one if value == 1 and one in _words() else key, n=number)

    def _yen(self, value: Decimal, unit: str, places: int, yen: Rate | None) -> str:
        if unit != "CNY":
            raise NoStyle(f"yen are told of CNY, not of {unit}")
        if yen is None:
            raise NoStyle("the bundle has no rate of the yen")
        cny = self._with_unit(value, unit, places)
        return self("about_yen", cny=cny, yen=self._large(_two_digits(yen.of(value)), 1))

    def _large(self, value: Decimal, places: int) -> str:
        """With the words for powers that the language has: 2,213億, 2.2 million."""
        if self.language == "en":
            for power, word in _THOUSANDS:
                if abs(value) >= power:
                    return f"{self.number(value / power, places)} {word}"
            return self.number(value, places)
        for exponent, word in zip((16, 12, 8, 4), _MYRIADS[self.language], strict=True):
            power = Decimal(10) ** exponent
            if abs(value) >= power:
                return f"{self.number(value / power, places)}{word}"
        return self.number(value, places)


def _two_digits(value: Decimal) -> Decimal:
    """A conversion is never more exact than two digits."""
    return value.quantize(Decimal(1).scaleb(value.adjusted() - 1), ROUND_HALF_UP)


def _hanzi(number: int) -> str:
    digits = "一二三四五六七八九"
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else f"{digits[tens - 1]}十") + (
        digits[ones - 1] if ones else ""
    )


@cache
def _words() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = yaml.safe_load(files(__package__).joinpath("words.yaml").read_text("utf-8"))
    return found
