"""What is told where a bundle is not right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from baygrid.core.units import exact

NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a bundle: `paper` as "invoice 2026-11-0001", `n` the number of the usage record, `part` within
    that, such as "line 2 (cpu), amount". "" and None: not so far down."""

    paper: str = ""
    job: str = ""
    attempt: str = ""
    n: int | None = None
    part: str = ""

    def __truediv__(self, part: str) -> Place:
        """One level further in."""
        return replace(self, part=f"{self.part}, {part}" if self.part else part)

    def __str__(self) -> str:
        usage = "" if self.n is None else f"usage {self.n}"
        job, attempt = self.job and f"job {self.job}", self.attempt and f"attempt {self.attempt}"
        return ", ".join(filter(None, (self.paper, job, attempt, usage, self.part)))


@dataclass(frozen=True, slots=True)
class Difference:
    """What stands at a place, and what is right there."""

    place: Place
    stands: str
    right: str

    def __str__(self) -> str:
        return f"{self.place}: {self.stands} stands there, right is {self.right}"


def compared(place: Place, stands: object, right: object) -> Iterator[Difference]:
    """A difference where there is one."""
    if stands != right:
        yield Difference(place, _told(stands), _told(right))


def _told(value: object) -> str:
    if isinstance(value, Fraction) and value >= 0:
        return exact(value)
    return NOTHING if value is None else str(value) or "an empty text"
