"""Times in an address."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query

from baygrid.api import bodies
from baygrid.app.problems import Invalid
from baygrid.ports.basics import Instant

Time = Annotated[str | None, Query(max_length=40, examples=["2026-11-01T00:00:00Z"])]


def instant_of(name: str, text: str | None) -> Instant | None:
    """Raises Invalid."""
    if text is None:
        return None
    try:
        return bodies.instant(text)
    except ValueError as error:
        raise Invalid.at(name, str(error)) from None


Day = Annotated[
    str | None, Query(max_length=10, json_schema_extra={"format": "date"}, examples=["2026-11-01"])
]


def day_of(name: str, text: str | None) -> date | None:
    """Of the region's clock. Raises Invalid."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Invalid.at(name, f"{text!r} is no day: write it as 2026-11-01") from None
