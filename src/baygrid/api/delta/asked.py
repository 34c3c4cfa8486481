"""What a client of Delta Sharing asks for: headers, parameters and bodies of the protocol. What the protocol
does not know is passed over, since newer clients say more; what it knows must be as it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from baygrid.app.problems import Invalid, Malformed
from baygrid.ports.basics import Instant

INT32: Final = 2**31 - 1
LONG: Final = 2**63 - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ResponseFormat(StrEnum):
    PARQUET = "parquet"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`end`: the client understands EndStreamAction."""

    format: ResponseFormat = ResponseFormat.PARQUET
    end: bool = False

    def header(self) -> dict[str, str]:
        end = ";includeendstreamaction=true" if self.end else ""
        return {"delta-sharing-capabilities": f"responseformat={self.format.value}{end}"}


@dataclass(frozen=True, slots=True)
class Query:
    """`version`, `at` and `first` (of changes) exclude each other; `last` counts with `first` only."""

    predicates: tuple[str, ...] = ()
    json_predicate: str | None = None
    limit: int | None = None
    version: int | None = None
    at: Instant | None = None
    first: int | None = None
    last: int | None = None
    most: int | None = None
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """From one of `first` and `since` to one of `last` and `until`, or the newest; all included."""

    first: int | None
    since: Instant | None
    last: int | None
    until: Instant | None
    most: int | None
    page: str | None


def capabilities(header: str | None) -> Capabilities:
    """Each is `name=value,value`, with semicolons between, in any case. Several formats leave the choice to
    the server, whose tables all fit the first one. Raises Invalid."""
    said = dict[str, list[str]]()
    for part in (header or "").lower().split(";"):
        name, _, values = part.partition("=")
        said[name.strip()] = [value.strip() for value in values.split(",") if value.strip()]
    formats = said.get("responseformat") or [ResponseFormat.PARQUET.value]
    known = [ResponseFormat(it) for it in formats if it in (*ResponseFormat,)]
    if not known:
        raise Invalid.at("delta-sharing-capabilities", "responseformat must be parquet or delta")
    chosen = ResponseFormat.PARQUET if ResponseFormat.PARQUET in known else ResponseFormat.DELTA
    return Capabilities(chosen, said.get("includeendstreamaction") == ["true"])


def file_id_hash(header: str | None) -> dict[str, str]:
    """What is echoed of it. Both schemes give a file the id that it has in the store. Raises Invalid."""
    if header is None:
        return {}
    scheme = header.strip().lower()
    if scheme not in (*ResponseFormat,):
        raise Invalid.at("fileidhash", "must be parquet or delta")
    return {"fileidhash": scheme}


def query_of(body: Any) -> Query:
    """Raises Malformed, Invalid."""
    if not isinstance(body, dict):
        raise Malformed("the body must be a JSON object; {} asks for the whole table")
    hints = body.get("predicateHints")
    if hints is not None and not (isinstance(hints, list) and all(isinstance(it, str) for it in hints)):
        raise Invalid.at("predicateHints", "must be a list of SQL conditions")
    found = Query(
        tuple(hints or ()),
        _text(body, "jsonPredicateHints"),
        _number(body, "limitHint", 0, INT32),
        _number(body, "version", 0, LONG),
        _instant(body, "timestamp"),
        _number(body, "startingVersion", 0, LONG),
        _number(body, "endingVersion", 0, LONG),
        _number(body, "maxFiles", 1, INT32),
        _text(body, "pageToken"),
    )
    _one_of(body, "version", "timestamp", "startingVersion")
    return found


def changes_of(parameters: Mapping[str, str]) -> Changes:
    """Raises Invalid."""
    said: dict[str, Any] = dict(parameters)
    for name in ("startingVersion", "endingVersion", "maxFiles"):
        if name in said:
            said[name] = whole(name, said[name])
    _one_of(said, "startingVersion", "startingTimestamp", needed=True)
    _one_of(said, "endingVersion", "endingTimestamp")
    return Changes(
        _number(said, "startingVersion", 0, LONG),
        _instant(said, "startingTimestamp"),
        _number(said, "endingVersion", 0, LONG),
        _instant(said, "endingTimestamp"),
        _number(said, "maxFiles", 1, INT32),
        _text(said, "pageToken"),
    )


def version_of(parameters: Mapping[str, str]) -> tuple[int | None, Instant | None]:
    """Of metadata: `version` or `timestamp`. Raises Invalid."""
    said: dict[str, Any] = dict(parameters)
    if "version" in said:
        said["version"] = whole("version", said["version"])
    _one_of(said, "version", "timestamp")
    return _number(said, "version", 0, LONG), _instant(said, "timestamp")


def whole(name: str, text: str) -> int:
    """Raises Invalid."""
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 20):
        raise Invalid.at(name, "must be a whole number")
    return int(text)


def instant(name: str, text: str) -> Instant:
    """ISO 8601 in UTC, as `2022-01-01T00:00:00Z`, in milliseconds. Raises Invalid."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.utcoffset() != timedelta(0):
        raise Invalid.at(name, "must be a time in UTC, as 2022-01-01T00:00:00Z")
    return (found - _EPOCH) // timedelta(milliseconds=1)


def _number(said: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = said.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid.at(name, "must be a whole number")
    if not least <= value <= most:
        raise Invalid.at(name, f"must be from {least} to {most}")
    return value


def _text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid.at(name, "must be text")
    return value


def _instant(said: Mapping[str, Any], name: str) -> Instant | None:
    text = _text(said, name)
    return None if text is None else instant(name, text)


def _one_of(said: Mapping[str, Any], *names: str, needed: bool = False) -> None:
    given = [name for name in names if said.get(name) is not None]
    if len(given) > 1:
        raise Invalid.at(given[1], f"cannot be given together with {given[0]}")
    if needed and not given:
        raise Invalid.at(names[0], f"is missing: give it or {names[1]}")
