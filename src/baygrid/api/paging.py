"""Pages of lists: `limit`, `cursor`, `next`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from baygrid.app.problems import Invalid
from baygrid.ports.records import Cursor

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=500, description="how many at most")]
After = Annotated[str | None, Query(alias="cursor", max_length=200, description="`next` of the page before")]
DEFAULT = 50
_MOST = 2**63 - 1


def window(
    rows: Sequence[T], key: Callable[[T], str], cursor: str | None, limit: int
) -> tuple[Sequence[T], str | None]:
    """A page of a list that is at hand whole. `cursor` is the key of the last row of the page before."""
    start = 0
    if cursor is not None:
        places = [index for index, row in enumerate(rows) if key(row) == cursor]
        if not places:
            raise Invalid.at("cursor", "is not of this list: begin again without it")
        start = places[0] + 1
    page = rows[start : start + limit]
    return page, key(page[-1]) if start + limit < len(rows) else None


def event_cursor(text: str | None) -> Cursor:
    """A place in the event stream; nothing is its beginning. Raises Invalid."""
    if not text:
        return Cursor()
    try:
        cursor = Cursor.parse(text)
    except ValueError:
        raise Invalid.at(
            "after", "is no cursor of an event: use the id of an event, or leave it out"
        ) from None
    if not (0 <= cursor.transaction <= _MOST and 0 <= cursor.id <= _MOST):
        raise Invalid.at("after", "is no cursor of an event: use the id of an event, or leave it out")
    return cursor
