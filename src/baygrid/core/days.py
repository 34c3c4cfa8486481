"""Days of the books and of the law: those of the region's own clock.

The rulebooks are law by the days of Shenzhen, invoices are paid by its calendar, and Hong Kong keeps the same
time: UTC+8, without summer time since 1992. So there is one fixed offset, whatever machine reads them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

REGION: Final = timezone(timedelta(hours=8), "UTC+8")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def day_of(at: int) -> date:
    """The day of a moment (milliseconds since 1970, UTC)."""
    return (_EPOCH + at * _MS).astimezone(REGION).date()


def beginning(day: date) -> int:
    """Its first moment, in milliseconds since 1970, UTC."""
    return (datetime.combine(day, time(), REGION) - _EPOCH) // _MS
