"""Amounts with their unit: money, lengths of time, memory.

All three are whole numbers inside (minor units of a currency, seconds, MiB), so sums are exact and
hold in any order. Texts that cannot be read raise `UnitError`, whose message says the cure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

DECIMALS: Final[Mapping[str, int]] = {"CNY": 2, "HKD": 2, "JPY": 0}
"""The currencies and how many decimals each has: 1 CNY is 100 minor units, 1 JPY is 1."""

WORK: Final[Mapping[str, int]] = {"images": 1_000_000, "audio_hours": 1, "km": 1}
"""The units of work in which centres state their size, and for how many of each a price is told."""

HOUR_S: Final = 3600
MIB_PER_GIB: Final = 1024
BYTES_PER_GIB: Final = 1 << 30

_CURRENCIES: Final = ", ".join(DECIMALS)
_MONEY: Final = re.compile(r"([+-]?)([0-9]{1,18})(?:\.([0-9]+))? ?([A-Z]{3})")
_DURATION: Final = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_DURATION_CURE: Final = "write days, hours, minutes and seconds as d, h, m and s, for example 1h30m"
_SECONDS: Final = (86_400, 3_600, 60, 1)
_MEMORY: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))? ?([A-Za-z]*)")
_MEMORY_CURE: Final = "write a number of GiB, or a number with MiB, GiB or TiB, for example 64GiB"
_MIB: Final = {
    "": 1024,
    **dict.fromkeys(("m", "mb", "mib"), 1),
    **dict.fromkeys(("g", "gb", "gib"), 1024),
    **dict.fromkeys(("t", "tb", "tib"), 1024 * 1024),
}
MAX_MEMORY: Final = 1 << 30
"""The largest memory that is read, in MiB (1 PiB)."""


class UnitError(ValueError):
    """A text or number is not an amount of the unit asked for; the message says what to write."""


class CurrencyMismatch(UnitError):
    """Two amounts of different currencies were added, subtracted or put in order."""


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `minor` units (fen, cents, yen) of one currency. May be negative.

    Sums and order exist only within one currency (else `CurrencyMismatch`). Equality is total, so
    that money can be a key: 0 CNY and 0 HKD are simply not equal.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are a whole number, not {type(self.minor).__name__}")
        if self.currency not in DECIMALS:
            raise UnitError(f"unknown currency {self.currency!r}: use one of {_CURRENCIES}")

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in this currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str) -> Money:
        """Read "500 CNY" or "-0.25 HKD". Never rounds: more decimals than the currency has is an error."""
        match = _MONEY.fullmatch(text.strip())
        if match is None:
            raise UnitError(f"{text[:40]!r} is not an amount of money: write for example 500 CNY")
        sign, whole, part, currency = match.groups(default="")
        decimals = DECIMALS.get(currency)
        if decimals is None:
            raise UnitError(f"unknown currency {currency!r}: use one of {_CURRENCIES}")
        if len(part) > decimals:
            allowed = f"{decimals} decimals" if decimals else "no decimals"
            raise UnitError(f"{text.strip()[:40]!r} has too many decimals: {currency} has {allowed}")
        minor = int(whole + part.ljust(decimals, "0"))
        return cls(-minor if sign == "-" else minor, currency)

    @classmethod
    def of(cls, amount: Fraction | Decimal | int, currency: str) -> Money:
        """The nearest money to `amount` major units; exactly half goes away from zero.

        So 0.005 CNY is 0.01 CNY and -0.005 CNY is -0.01 CNY. This is the one rounding rule for
        money; floats are refused, since they have rounded already.
        """
        if isinstance(amount, bool) or not isinstance(amount, Fraction | Decimal | int):
            raise TypeError(f"money is made of Fraction, Decimal or int, not {type(amount).__name__}")
        if isinstance(amount, Decimal):
            if not amount.is_finite() or amount.adjusted() > 30:
                raise UnitError(f"{amount} is not an amount of money")
            if amount.adjusted() < -30:  # rounds to nothing; exact, its denominator could fill memory
                amount = 0
        exact = Fraction(amount) * 10 ** DECIMALS.get(currency, 0)
        minor = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
        return cls(-minor if exact < 0 else minor, currency)

    @property
    def amount(self) -> Fraction:
        """The exact amount in major units."""
        return Fraction(self.minor, 10 ** DECIMALS[self.currency])

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self} and {other} are of different currencies: convert one first")
        return other.minor

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def __str__(self) -> str:
        """ "500.00 CNY", which `parse` reads back."""
        decimals = DECIMALS[self.currency]
        whole, part = divmod(abs(self.minor), 10**decimals)
        sign = "-" if self.minor < 0 else ""
        return f"{sign}{whole}{f'.{part:0{decimals}}' if decimals else ''} {self.currency}"


def parse_duration(value: str | int) -> int:
    """Seconds from "4h", "30m", "90s", "1d", "1h30m", or from a whole number of seconds."""
    if isinstance(value, str):
        text = value.strip()
        match = _DURATION.fullmatch(text)
        if match is None or not text:
            raise UnitError(f"{text[:40]!r} is not a length of time: {_DURATION_CURE}")
        return sum(int(n) * unit for n, unit in zip(match.groups("0"), _SECONDS, strict=True))
    if type(value) is not int:
        raise UnitError(f"a length of time cannot be a {type(value).__name__}: {_DURATION_CURE}")
    if value < 0:
        raise UnitError(f"a length of time cannot be negative: {_DURATION_CURE}")
    return value


def format_duration(seconds: int) -> str:
    """The shortest text that `parse_duration` reads back: 5400 is "1h30m", 0 is "0s"."""
    text, left = "", seconds
    for unit, letter in zip(_SECONDS, "dhms", strict=True):
        count, left = divmod(left, unit)
        text += f"{count}{letter}" if count else ""
    return text or "0s"


def parse_memory(value: str | int | float) -> int:
    """MiB from "64" or 64 (GiB), "64GiB", "512MiB", "1.5TiB"; a part of a MiB counts as a whole one.

    M, G and T with or without B or iB, in any case, all mean powers of 1024, as Slurm and SkyPilot
    read them: a job that writes 64GB gets 64 GiB.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError(f"an amount of memory cannot be a {type(value).__name__}: {_MEMORY_CURE}")
    if isinstance(value, str):
        match = _MEMORY.fullmatch(value.strip())
        unit = _MIB.get(match[3].lower()) if match else None
        if match is None or unit is None:
            raise UnitError(f"{value.strip()[:40]!r} is not an amount of memory: {_MEMORY_CURE}")
        part = match[2] or ""
        exact = Fraction(int(match[1] + part) * unit, 10 ** len(part))
    elif 0 <= value <= MAX_MEMORY:  # also keeps out NaN and infinity
        exact = Fraction(value) * 1024
    else:
        raise UnitError(f"this number is no amount of memory: {_MEMORY_CURE}")
    mib = -(-exact.numerator // exact.denominator)
    if mib > MAX_MEMORY:
        raise UnitError(f"this is more memory than 1 PiB: {_MEMORY_CURE}")
    return mib


def format_memory(mib: int) -> str:
    """A text that `parse_memory` reads back: 65536 is "64GiB", 1536 is "1536MiB"."""
    return f"{mib // 1024}GiB" if mib % 1024 == 0 else f"{mib}MiB"


def exact(number: Fraction) -> str:
    """ "0.25", or "1/3" where no decimal number is exact. Not negative."""
    left, places = number.denominator, 0
    while left % 10 == 0:
        left, places = left // 10, places + 1
    for factor in (2, 5):
        while left % factor == 0:
            left, places = left // factor, places + 1
    if left != 1:
        return f"{number.numerator}/{number.denominator}"
    whole, part = divmod(number.numerator * 10**places // number.denominator, 10**places)
    return f"{whole}.{part:0{places}}".rstrip("0").rstrip(".") if places else str(whole)
