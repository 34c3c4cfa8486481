"""Numbers, money, days and moments as a reader writes them. Amounts are exact: nothing here is a float."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, dates, numbers, units

from baygrid.core.units import DECIMALS, Money
from baygrid.portal.language import Language

ZONE: Final = "Asia/Shanghai"
"""Where the region's clocks are."""
OFFERED: Final = (
    ZONE, "Asia/Hong_Kong", "Asia/Macau", "Asia/Taipei", "Asia/Tokyo", "Asia/Singapore", "Europe/London",
    "Europe/Berlin", "America/New_York", "America/Los_Angeles", "UTC",
)  # fmt: skip
_SPANS: Final = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_BYTES: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def zone_of(name: str | None) -> ZoneInfo:
    """The zone of this name, else the region's."""
    return ZoneInfo(name if name is not None and name in _zones() else ZONE)


@cache
def _zones() -> Set[str]:
    """To find them is to look through folders."""
    return available_timezones()


@dataclass(frozen=True, slots=True)
class Voice:
    """How one reader is told figures: in a language, by the clock of a zone."""

    language: Language
    zone: ZoneInfo

    def number(self, value: int | Decimal | Fraction | float, places: int = 0) -> str:
        """With at most so many decimals, without zeros at the end."""
        pattern = "#,##0" + ("." + "#" * places if places else "")
        return numbers.format_decimal(_decimal(value), pattern, locale=self.language.locale)

    def figure(self, value: Fraction | float, digits: int = 3) -> str:
        """A measured value: that many significant digits, no exponent."""
        rounded = Decimal(f"{float(value):.{digits}g}")
        places = max(0, -int(rounded.as_tuple().exponent))
        return self.number(rounded, places)

    def percent(self, part: int | Fraction, whole: int | Fraction = 1) -> str:
        share = Fraction(part) / Fraction(whole) if whole else Fraction(0)
        return numbers.format_percent(_decimal(share), locale=self.language.locale)

    def money(self, amount: Money) -> str:
        return self.rate(amount.amount, amount.currency)

    def minor(self, minor: int, currency: str) -> str:
        """Money of a row that keeps its currency apart."""
        return self.money(Money(minor, currency))

    def rate(self, amount: Fraction, currency: str) -> str:
        """Major units of a currency, with every decimal that a rate has."""
        exact = _decimal(amount)
        places = max(DECIMALS[currency], -int(exact.normalize().as_tuple().exponent))
        pattern = numbers.parse_pattern(self.language.locale.currency_formats["standard"].pattern)
        pattern.frac_prec = (DECIMALS[currency], places)
        return str(pattern.apply(exact, self.language.locale, currency=currency, currency_digits=False))

    def price(self, amount: Fraction, currency: str) -> str:
        """A price that was reckoned from a measured rate: five significant digits, at least the currency's
        decimals."""
        return self.rate(Fraction(Decimal(f"{float(amount):.5g}")), currency)

    def span(self, seconds: int) -> str:
        """A length of time in its two largest units."""
        left, said = max(0, seconds), list[str]()
        for unit, size in _SPANS:
            count, left = divmod(left, size)
            if count or (unit == "second" and not said):
                said.append(units.format_unit(count, unit, length="short", locale=self.language.locale))
            elif said:
                break
        text = " ".join(said[:2])
        return text if self.language.tag == "en" else text.replace(" ", "")

    def bytes(self, count: int) -> str:
        size, unit = Fraction(count), 0
        while size >= 1024 and unit + 1 < len(_BYTES):
            size, unit = size / 1024, unit + 1
        return f"{self.number(size, 1 if unit else 0)} {_BYTES[unit]}"

    def local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(self.zone)

    def moment(self, at: int) -> str:
        """A day and a time by the reader's clock; the page says which clock that is."""
        return f"{self.day(at)} {self.clock(at)}"

    def minute(self, at: int) -> str:
        """The same without seconds."""
        return f"{self.day(at)} {dates.format_time(self.local(at), 'HH:mm', locale=self.language.locale)}"

    def clock(self, at: int) -> str:
        return dates.format_time(self.local(at), "HH:mm:ss", locale=self.language.locale)

    def zoned(self, at: int) -> str:
        """A moment with the name of the zone."""
        return f"{self.moment(at)} {self.zone_name(at)}"

    def day(self, at: int | date) -> str:
        value = at if isinstance(at, date) else self.local(at).date()
        return dates.format_skeleton("yMMMd", value, locale=self.language.locale)

    def iso(self, at: int) -> str:
        """For programs, in `<time datetime>`."""
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")

    def zone_name(self, at: int) -> str:
        return dates.get_timezone_gmt(self.local(at), "long", locale=self.language.locale)

    def place(self, zone: str) -> str:
        """The city that a zone is named after."""
        return zone if zone == "UTC" else _city(zone, self.language.locale)


@cache
def _city(zone: str, locale: Locale) -> str:
    """Every page names them all."""
    return dates.get_timezone_location(zone, locale=locale, return_city=True)


def _decimal(value: int | Decimal | Fraction | float) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return (
        value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)
    )
