"""JSON text and foreign text, made such that both databases take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import orjson


def clean(text: str) -> str:
    """`text` without what PostgreSQL or UTF-8 cannot hold: NUL and lone surrogates become U+FFFD."""
    if text.isascii():
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def clean_or_none(text: str | None) -> str | None:
    return None if text is None else clean(text)


def clean_all(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same for every text, and every list of texts, in `values`."""
    return {
        name: clean(value)
        if isinstance(value, str)
        else [clean(item) for item in value]
        if isinstance(value, list)
        else value
        for name, value in values.items()
    }


def dumps(value: Any) -> str:
    """JSON text; NUL is escaped in it, so PostgreSQL takes it. Any kind of mapping or sequence is fine."""
    try:
        return orjson.dumps(value, _plain).decode()
    except TypeError as error:
        if "surrogate" not in str(error):
            raise
        return orjson.dumps(_cleaned(value)).decode()


def loads(text: str) -> Any:
    return orjson.loads(text)


def _plain(value: Any) -> Any:
    """What orjson does not know itself."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no place in a document")


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_cleaned(item) for item in value]
    return value
