"""Numbers of the law, each with the days on which it holds and where it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both in it. None: without end on that side."""

    first: date | None = None
    last: date | None = None

    def __contains__(self, day: date) -> bool:
        return not self.before(day) and not self.after(day)

    def before(self, day: date) -> bool:
        """Whether `day` is before it begins."""
        return self.first is not None and day < self.first

    def after(self, day: date) -> bool:
        """Whether `day` is after its end."""
        return self.last is not None and day > self.last


@dataclass(frozen=True, slots=True)
class Dated:
    """One value, over its days, with its source."""

    value: Decimal | date
    span: Span
    reference: str


class Lapsed(LookupError):
    """A parameter has no value on the day asked about; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


Parameters = Mapping[str, tuple[Dated, ...]]
"""By name, in the order of their days, which do not overlap."""


def value_on(parameters: Parameters, name: str, day: date) -> Dated:
    """Raises Lapsed: an old value does not live on because nobody said what comes after it. KeyError: no
    such parameter."""
    for dated in parameters[name]:
        if day in dated.span:
            return dated
    raise Lapsed(name)
