"""Pages: of lists by `maxResults`, of files by `maxFiles`. A token says where the next one begins; whoever
changes a token gets another place in what they may read anyway, or is told that it is none."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

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


def listed(
    rows: Sequence[T], key: Callable[[T], str], parameters: Mapping[str, str]
) -> tuple[list[T], str | None]:
    """A page of rows that are in the order of their keys, and the token of the next. Raises Invalid."""
    most = whole("maxResults", parameters["maxResults"]) if "maxResults" in parameters else USUAL
    if not 0 <= most <= INT32:
        raise Invalid.at("maxResults", f"must be from 0 to {INT32}")
    token = parameters.get("pageToken")
    after = "" if not token else _opened(token, str)
    left = [row for row in rows if key(row) > after]
    page = left[: min(most, MOST)]
    if len(page) == len(left):
        return page, None
    return page, _sealed(key(page[-1]) if page else after)


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
