"""The last day of a clock of the law, by the calendar of the mainland or of Hong Kong."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

from baygrid.core.law.decisions import Duty
from baygrid.rulebooks import written
from baygrid.rulebooks.cross_border.book import text

_DAY = timedelta(days=1)


class NotPublished(LookupError):
    """A clock runs into a year whose holidays are not published; the message says which."""


def due(duty: Duty, day: date) -> date:
    """The last day of the duty's clock, which begins on `day`: the first working day counted is the one after
    it. Of a clock that runs backwards, the first day of it before `day`. Raises NotPublished, and ValueError
    of a duty without a clock."""
    if duty.clock is None or duty.number is None:
        raise ValueError(f"{duty.id} has no clock")
    step = -_DAY if duty.clock.before else _DAY
    if duty.clock.unit == "years":
        return _years(day, duty.number)
    left = duty.number
    while left:
        day += step
        left -= is_working_day(duty.clock.calendar, day)
    return day


def is_working_day(calendar: str, day: date) -> bool:
    """Of "cn" or "hk". Raises NotPublished."""
    published = _published(calendar)
    if day.year > published:
        raise NotPublished(
            f"holidays of {day.year} are not published for {calendar}: the last are of {published}"
        )
    working: bool = _calendar(calendar).is_working_day(day)
    return working


def _years(day: date, years: int) -> date:
    """A term of years ends the day before the same day."""
    try:
        return day.replace(year=day.year + years) - _DAY
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)


@cache
def _published(calendar: str) -> int:
    return int(written.load(text("calendars.yaml"))[calendar]["published_to"])


@cache
def _calendar(calendar: str) -> Any:
    import holidays

    return holidays.country_holidays(calendar.upper())
