"""Versions of a shared table by number and by time. Instants are milliseconds since 1970, UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class OutOfHistory(ValueError):
    """What was asked for is not, or no more, in the table's history. The message says what is."""


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    at: int


@dataclass(frozen=True, slots=True)
class History:
    """What may be read of it, oldest first, at least one: numbers and times never fall."""

    versions: Sequence[Version]

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    def numbered(self, number: int) -> Version:
        """Raises OutOfHistory."""
        for version in self.versions:
            if version.number == number:
                return version
        raise OutOfHistory(f"there is no version {number} to read: {self._what_there_is()}")

    def as_of(self, at: int) -> Version:
        """The newest version that was there at this time. Raises OutOfHistory."""
        for version in reversed(self.versions):
            if version.at <= at:
                return version
        raise OutOfHistory(f"there was no version to read at this time: {self._what_there_is()}")

    def since(self, at: int) -> Version:
        """The oldest version made at or after this time. Raises OutOfHistory."""
        for version in self.versions:
            if version.at >= at:
                return version
        raise OutOfHistory(f"no version was made at or after this time: {self._what_there_is()}")

    def _what_there_is(self) -> str:
        first, last = self.versions[0].number, self.newest.number
        return f"only {first}" if first == last else f"there are {first} to {last}"


def window(history: History, start: Version, end: int | None) -> tuple[int, int]:
    """First and last version of a change feed, both included; beyond the newest there is nothing. Raises
    OutOfHistory."""
    last = history.newest.number if end is None else min(end, history.newest.number)
    if last < start.number:
        raise OutOfHistory(f"the end, version {last}, lies before the start, version {start.number}")
    return start.number, last
