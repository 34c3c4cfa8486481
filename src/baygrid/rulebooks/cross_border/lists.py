"""Lists that an operator loads: negative lists of free trade zones, white lists of parks. None comes with
Baygrid, as none of Guangdong, Qianhai or Hetao was found; what is not loaded gives nothing.

    lists:
      - {kind: ftz, zone: qianhai-shekou, from: 2027-03-01, reference: "notice ...", enabled: true}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import yaml
from pydantic import Field, ValidationError

from baygrid.core.law.parameters import Span
from baygrid.core.reading import DocumentError, Problem
from baygrid.rulebooks.written import Raw, RawSpan


@dataclass(frozen=True, slots=True)
class Loaded:
    """A list of a zone or a park, over its days. One that is not `enabled` is shown and gives nothing."""

    kind: str
    zone: str
    span: Span
    reference: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Lists:
    loaded: tuple[Loaded, ...] = ()

    def on(self, day: date) -> dict[str, frozenset[str]]:
        """The zones by kind whose list is in force and enabled."""
        found: dict[str, set[str]] = {}
        for it in self.loaded:
            if it.enabled and day in it.span:
                found.setdefault(it.kind, set()).add(it.zone)
        return {kind: frozenset(zones) for kind, zones in found.items()}


NONE: Final = Lists()


class _Loaded(RawSpan):
    kind: Literal["ftz", "hetao"]
    zone: str = Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", description="small letters and dashes")
    reference: str = Field(min_length=1)
    enabled: bool = False


class _Lists(Raw):
    lists: list[_Loaded]


def read_lists(document: object) -> Lists:
    """Raises DocumentError with every mistake."""
    try:
        raw = _Lists.model_validate(document)
    except ValidationError as error:
        problems = [
            Problem(".".join(map(str, it["loc"])), it["msg"].lower() + ": see docs/law.md")
            for it in error.errors()
        ]
        raise DocumentError(tuple(problems)) from None
    return Lists(tuple(Loaded(it.kind, it.zone, it.span(), it.reference, it.enabled) for it in raw.lists))


def load_lists(text: str) -> Lists:
    """Of YAML. Raises DocumentError."""
    try:
        return read_lists(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise DocumentError((Problem("", f"is not valid YAML: {error}"),)) from None
