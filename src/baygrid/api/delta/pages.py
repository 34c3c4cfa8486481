"""Pages: of lists by `maxResults`, of files by `maxFiles`. A token says where the next one begins; whoever
changes a token gets another place in what they may read anyway, or is told that it is none."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Query

from baygrid.api.delta.asked import INT32, whole
from baygrid.app.problems import Invalid

T = TypeVar("T")
USUAL: Final = 500
"""So many of a list where the client does not say."""
MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of files begins: in which snapshots, at which file. `asked`: a digest of the question."""

    snapshots: tuple[str, ...]
    start: int
    asked: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Of a list: how many at most (None: as many as is usual), after which."""

    most: int | None = None
    token: str | None = None


def asked_page(
    most: Annotated[str | None, Query(alias="maxResults", description="how many at most; 0 for none")] = None,
    token: Annotated[
        str | None, Query(alias="pageToken", description="`nextPageToken` of the page before")
    ] = None,
) -> Asked:
    """Raises Invalid."""
    if most is None:
        return Asked(None, token)
    number = whole("maxResults", most)
    if not 0 <= number <= INT32:
        raise Invalid.at("maxResults", f"must be from 0 to {INT32}")
    return Asked(number, token)


Page = Annotated[Asked, Depends(asked_page)]


def listed(rows: Sequence[T], key: Callable[[T], str], page: Asked) -> tuple[list[T], str | None]:
    """A page of rows that are in the order of their keys, and the token of the next. Raises Invalid."""
    most, token = USUAL if page.most is None else page.most, page.token
    after = "" if not token else _opened(token, str)
    left = [row for row in rows if key(row) > after]
    some = left[: min(most, MOST)]
    if len(some) == len(left):
        return some, None
    return some, _sealed(key(some[-1]) if some else after)


def digest(question: Any) -> str:
    """What must be the same on all pages: `repr` of a value."""
    return hashlib.sha256(repr(question).encode()).hexdigest()[:16]


def place_of(token: str, asked: str) -> Place:
    """Raises Invalid, also for the token of another question."""
    said = _opened(token, list)
    if len(said) != 3 or not isinstance(said[0], list) or not isinstance(said[1], int) or said[1] < 0:
        raise _strange()
    if said[2] != asked:
        raise Invalid.at("pageToken", "is of another question: ask the same on every page")
    return Place(tuple(map(str, said[0])), said[1], asked)


def token_of(place: Place) -> str:
    return _sealed([list(place.snapshots), place.start, place.asked])


def _sealed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _opened(token: str, kind: type[T]) -> T:
    try:
        value = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise _strange() from None
    if not isinstance(value, kind):
        raise _strange()
    return value


def _strange() -> Invalid:
    return Invalid.at("pageToken", "is none of this server: begin again without it")
