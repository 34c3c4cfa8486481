"""Months of the books, by the region's own clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from baygrid.core.days import beginning, day_of

_TEXT: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_FIRST, _LAST = 1970, 9998


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """From `start` to before `end`: milliseconds since 1970, UTC. `number`: 1 to 12."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Reads "2026-11". Raises ValueError, whose message says the cure."""
        match = _TEXT.fullmatch(text)
        if match is None or not _FIRST < int(match[1]) <= _LAST:
            raise ValueError(f"{text[:40]!r} is not a month: write for example 2026-11")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, at: int) -> Month:
        """The month of a moment."""
        day = day_of(at)
        return cls(day.year, day.month)

    @property
    def start(self) -> int:
        return beginning(self.first_day)

    @property
    def end(self) -> int:
        return self.next.start

    @property
    def next(self) -> Month:
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def index(self) -> int:
        """Months since the year 0: 24323 is 2026-11."""
        return self.year * 12 + self.number

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"
