"""How rulebooks are written down, whatever they are of: days, dated numbers, facts, amounts as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field

from baygrid.core.law.facts import Fact, Kind
from baygrid.core.law.parameters import Dated, Parameters, Span


class RulebookError(ValueError):
    """A rulebook contradicts itself; the message says where."""


class Raw(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RawSpan(Raw):
    """From a day to a day, both in it."""

    first: date | None = Field(default=None, validation_alias="from")
    last: date | None = Field(default=None, validation_alias="to")

    def span(self) -> Span:
        return Span(self.first, self.last)


ALWAYS: Final = RawSpan()


class RawValue(RawSpan):
    value: Decimal | date = Field(union_mode="left_to_right")
    reference: str


class RawFact(Raw):
    kind: Kind
    question: str
    choices: tuple[str, ...] = ()

    def fact(self, name: str) -> Fact:
        return Fact(name, self.kind, self.question, self.choices)


class _Text(yaml.SafeLoader):
    """Numbers stay as they are written, so that no amount is ever a binary fraction."""


_Text.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:float"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str) -> Any:
    return yaml.load(text, _Text)


def parameters(book: str, raw: Mapping[str, list[RawValue]]) -> Parameters:
    """Raises RulebookError where days of one number overlap, or are out of order."""
    for name, values in raw.items():
        for before, after in pairwise(values):
            if before.last is None or after.first is None or before.last >= after.first:
                raise RulebookError(f"{book}: values of {name} overlap or are out of order")
    return {
        name: tuple(Dated(it.value, it.span(), it.reference) for it in values) for name, values in raw.items()
    }
