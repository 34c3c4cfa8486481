"""The words, numbers and days of a paper in its reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Final

import yaml
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from baygrid.core.days import day_of
from baygrid.core.pricing.months import Month
from baygrid.core.units import DECIMALS, Money
from baygrid.papers.capitals import in_capitals

LANGUAGES: Final[Mapping[str, str]] = {
    "en": "en_HK",
    "zh-Hans": "zh_Hans_CN",
    "zh-Hant": "zh_Hant_HK",
    "ja": "ja_JP",
}
"""Each language of papers with the locale whose numbers and days it has."""


@dataclass(frozen=True, slots=True)
class Words:
    """Of one language. Raises KeyError for one that there is none of."""

    language: str

    @property
    def locale(self) -> Locale:
        return Locale.parse(LANGUAGES[self.language])

    def __call__(self, word: str, **parts: str) -> str:
        return _catalogue()[word][list(LANGUAGES).index(self.language)].format(**parts)

    def known(self, word: str, otherwise: str) -> str:
        """A word that may have no translation, such as an accelerator's model."""
        return self(word) if word in _catalogue() else otherwise

    def money(self, amount: Money) -> str:
        """Without its currency, which the paper tells once."""
        places = DECIMALS[amount.currency]
        pattern = "#,##0." + "0" * places if places else "#,##0"
        value = Decimal(amount.minor).scaleb(-places)
        return format_decimal(value, pattern, self.locale, decimal_quantization=False)

    def number(self, value: Fraction, places: int = 6) -> str:
        """To so many decimals, without zeros at the end."""
        return format_decimal(rounded(value, places), "#,##0." + "#" * places, self.locale)

    def percent(self, value: Fraction) -> str:
        return format_percent(rounded(value, 6), "#,##0.####%", self.locale)

    def day(self, at: int) -> str:
        """Of the region's clock; milliseconds since 1970, UTC."""
        return self.date(day_of(at))

    def date(self, day: date) -> str:
        return format_date(day, "medium", self.locale)

    def iso_day(self, text: str) -> str:
        """Of "2026-11-30"."""
        return self.date(date.fromisoformat(text))

    def month(self, month: Month) -> str:
        pattern = self.locale.datetime_skeletons["yMMMM"]
        return format_date(month.first_day, pattern.pattern, self.locale)

    def capitals(self, amount: Money) -> str:
        """As Chinese papers write an amount against alteration; "" in other languages."""
        if not self.language.startswith("zh"):
            return ""
        return in_capitals(amount, traditional=self.language == "zh-Hant")


def rounded(value: Fraction, places: int) -> Decimal:
    """Half up, exactly."""
    scaled = (2 * value.numerator * 10**places + value.denominator) // (2 * value.denominator)
    return Decimal(scaled).scaleb(-places)


@cache
def _catalogue() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = yaml.safe_load(files(__package__).joinpath("words.yaml").read_text("utf-8"))
    return found
