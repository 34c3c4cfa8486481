"""Over which days a figure is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_PERIOD: Final = re.compile(r"([0-9]{4})(?:Q([1-4])|-([0-9]{2})(-[0-9]{2})?)?")


@dataclass(frozen=True, slots=True)
class Period:
    """From its first to its last day, both of it. A stock is of one day."""

    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> Period:
        """Of "2023", "2023Q1", "2023-01" or "2023-12-31". Raises ValueError with the cure."""
        match = _PERIOD.fullmatch(text)
        try:
            if match is None:
                raise ValueError(text)
            year, quarter, month, day = match.groups()
            if day:
                return cls.day(date.fromisoformat(text))
            if quarter:
                return cls.months(int(year), 3 * int(quarter) - 2, 3)
            return cls.months(int(year), int(month), 1) if month else cls.year(int(year))
        except ValueError:
            raise ValueError(
                f"{text[:40]!r} is no period: write 2023, 2023Q1, 2023-01 or 2023-12-31"
            ) from None

    @classmethod
    def months(cls, year: int, first: int, count: int) -> Period:
        """So many months of one year, from the month `first`."""
        end = first + count
        after = date(year + 1, 1, 1) if end == 13 else date(year, end, 1)
        return cls(date(year, first, 1), after - timedelta(days=1))

    @classmethod
    def year(cls, year: int) -> Period:
        return cls(date(year, 1, 1), date(year, 12, 31))

    @classmethod
    def day(cls, day: date) -> Period:
        return cls(day, day)

    @property
    def before(self) -> Period:
        """The same days a year earlier."""
        return Period(year_before(self.first), year_before(self.last))

    def __str__(self) -> str:
        """Text that `parse` reads back, or first and last day."""
        first, last = self.first, self.last
        if first == last:
            return str(first)
        names = (f"{first.year}", f"{first.year}Q{(first.month + 2) // 3}", f"{first:%Y-%m}")
        return next((it for it in names if Period.parse(it) == self), f"{first}/{last}")


def year_before(day: date) -> date:
    """The same day of the year before; of 29 February the 28th. There is none before the year 1."""
    return day.replace(year=max(1, day.year - 1), day=28 if (day.month, day.day) == (2, 29) else day.day)


def same_days(last: date, years: int) -> tuple[date, ...]:
    """The same day of so many years, the earliest first."""
    days = [last]
    for _ in range(years - 1):
        days.append(year_before(days[-1]))
    return tuple(reversed(days))
