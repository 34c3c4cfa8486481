"""Bundles as files: JSON that is read strictly, and the one text of a document that is signed."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import orjson

from baygrid.core.pricing.recompute.reading import read_bundle
from baygrid.core.pricing.recompute.values import Bundle
from baygrid.core.reading import shown

SIGNED: Final = "signed"
_MOST: Final = 2**63


class Unreadable(ValueError):
    """No JSON, or JSON of which two readers could make two things; the message says why."""


def canonical(document: Any) -> bytes:
    """JSON with sorted keys and no spaces: what is signed."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def load_bundle(text: bytes) -> Bundle:
    """The bundle of a file. Raises Unreadable, or DocumentError for what is no bundle."""
    document = load(text)
    rest = (
        {key: value for key, value in document.items() if key != SIGNED} if isinstance(document, dict) else {}
    )
    try:
        data = canonical(rest)
    except TypeError as error:
        raise Unreadable(str(error)) from None
    return read_bundle(document, data)


def load(text: bytes) -> Any:
    """What JSON text says. Narrower than RFC 8259: no name twice in one object, no number beyond 64 bits.
    Raises Unreadable."""
    try:
        return json.loads(
            text.decode(),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_number,
            parse_constant=_number,
        )
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 text at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is no JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"it has {shown(twice)} twice in one object")
    return found


def _whole(text: str) -> int:
    if len(text) > 20 or not -_MOST <= int(text) < _MOST:
        raise Unreadable("it has a number of more than 64 bits")
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Unreadable(f"it has a number that is none: {text[:20]}")
    return number
