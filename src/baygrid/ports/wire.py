"""Messages as JSON, read strictly and forgivingly at once.

Types are strict (a wrong one names its path), unknown fields are ignored and missing ones take their default:
that is what lets agent and server differ by one version. One decoder per class is built once from its
annotations, because an agent with thousands of attempts sends them all.
"""

from __future__ import annotations

import hashlib
import json
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import orjson

from baygrid.core.rating.value import Rating
from baygrid.core.reading import shown
from baygrid.ports.messages import DriverReport, Outside, PartitionReport, Usage

T = TypeVar("T")
Decoder = Callable[[Any], Any]


class WireError(ValueError):
    """Data that is no such message; the text says where and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str] = []

    def under(self, part: str) -> WireError:
        """The same complaint, one level further out."""
        self.path.insert(0, part)
        return self

    def __str__(self) -> str:
        where = "".join(self.path).removeprefix(".")
        return f"{where}: {self.reason}" if where else self.reason


def encode(value: Any) -> bytes:
    """A message as JSON text."""
    return orjson.dumps(value, default=_plain)


def decode(cls: type[T], text: bytes | str) -> T:
    """A message from JSON text. Raises ValueError."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise WireError(f"not JSON: {error}") from None
    return from_json(cls, data)


def to_json(value: Any) -> Any:
    """A message as dictionaries, lists and plain values."""
    return orjson.loads(encode(value))


def from_json(cls: type[T], data: Any) -> T:
    """A message from dictionaries and lists. Raises ValueError with the path of what is wrong."""
    kind: Any = cls
    message: T = _decoder(kind)(data)
    return message


def inventory_digest(inventory: Sequence[PartitionReport], driver: DriverReport | None = None) -> str:
    """What agent and server compare before nodes, and what is told of the driver, are sent again."""
    told = inventory if driver is None else {"inventory": inventory, "driver": driver}
    return hashlib.sha256(orjson.dumps(told, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def usage_bytes(usage: Usage) -> bytes:
    """What the agent signs: canonical JSON, which any language can write again.

    Keys sorted, no spaces; the only fraction, `cpu_seconds`, is a text with three decimals, so that no
    library's way of printing numbers matters. `accelerator_share` is left out where it is 1000 and
    `egress_bytes` where it is 0, so that records which were signed before there were these stay as they are.
    """
    data = usage_document(usage)
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def usage_document(usage: Usage) -> dict[str, Any]:
    """What `usage_bytes` is the canonical JSON of."""
    data = {field.name: getattr(usage, field.name) for field in fields(usage)}
    data["cpu_seconds"] = f"{usage.cpu_seconds:.3f}"
    if usage.accelerator_share == 1000:
        del data["accelerator_share"]
    if usage.egress_bytes == 0:
        del data["egress_bytes"]
    return {**data, "type": "baygrid-usage-1"}


def outside_bytes(job: Outside) -> bytes:
    """What the agent signs of a job that ran without Baygrid: canonical JSON, as `usage_bytes`."""
    data = {field.name: getattr(job, field.name) for field in fields(job)}
    data |= {"accelerators": dict(job.accelerators), "type": "baygrid-outside-1"}
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def rating_bytes(rating: Rating) -> bytes:
    """What the agent signs of a rating: canonical JSON, as `usage_bytes`. Every fraction is a text with at
    most 12 significant digits (printf's %.12g): a digit beyond is not signed, and means nothing."""
    as_read = to_json(from_json(Rating, to_json(rating)))  # 5 and 5.0 are the same fraction
    data = {"rating": _fractions_as_text(as_read), "type": "baygrid-rating-1"}
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _fractions_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _fractions_as_text(one) for key, one in value.items()}
    return f"{value:.12g}" if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


@cache
def _decoder(kind: Any) -> Decoder:
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _optional(*(one for one in arguments if one is not types.NoneType))
    if origin is tuple and len(arguments) == 2 and arguments[1] is not Ellipsis:
        return _pair(_decoder(arguments[0]), _decoder(arguments[1]))
    if origin in (tuple, Sequence):
        return _many(_decoder(arguments[0]))
    if origin is Mapping:
        return _mapping(_decoder(arguments[0]), _decoder(arguments[1]))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind)
    if is_dataclass(kind):
        return _dataclass(kind)
    raise TypeError(f"{kind!r} has no form on the wire")


def _wrong(expected: str, data: Any) -> WireError:
    return WireError(f"expected {expected}, not {'null' if data is None else type(data).__name__}")


def _text(data: Any) -> str:
    if type(data) is not str:
        raise _wrong("a text", data)
    return data


def _whole(data: Any) -> int:
    if type(data) is not int:
        raise _wrong("a whole number", data)
    return data


def _number(data: Any) -> float:
    try:
        if type(data) in (float, int) and math.isfinite(data):
            return float(data)
    except OverflowError:  # a whole number that no float can be
        pass
    raise _wrong("a number", data)


def _truth(data: Any) -> bool:
    if type(data) is not bool:
        raise _wrong("true or false", data)
    return data


def _as_is(data: Any) -> Any:
    return data


_SIMPLE: dict[Any, Decoder] = {str: _text, int: _whole, float: _number, bool: _truth, Any: _as_is}


def _optional(kind: Any) -> Decoder:
    inner = _decoder(kind)
    return lambda data: None if data is None else inner(data)


def _many(item: Decoder) -> Decoder:
    def decode_many(data: Any) -> tuple[Any, ...]:
        if type(data) not in (list, tuple):
            raise _wrong("a list", data)
        found: list[Any] = []
        try:
            for one in data:
                found.append(item(one))  # noqa: PERF401 - its length is the index of what failed
        except WireError as error:
            raise error.under(f"[{len(found)}]") from None
        return tuple(found)

    return decode_many


def _pair(first: Decoder, second: Decoder) -> Decoder:
    def decode_pair(data: Any) -> tuple[Any, Any]:
        if type(data) not in (list, tuple) or len(data) != 2:
            raise _wrong("a pair", data)
        return first(data[0]), second(data[1])

    return decode_pair


def _mapping(key: Decoder, value: Decoder) -> Decoder:
    def decode_mapping(data: Any) -> dict[Any, Any]:
        if type(data) is not dict:
            raise _wrong("an object", data)
        found = {}
        name = ""
        try:
            for name, one in data.items():
                found[key(name)] = value(one)
        except WireError as error:
            raise error.under(f"[{name[:40]!r}]") from None
        return found

    return decode_mapping


def _enum(kind: type[Enum]) -> Decoder:
    members = {member.value: member for member in kind}

    def decode_enum(data: Any) -> Enum:
        try:
            return members[data]
        except (KeyError, TypeError):
            raise WireError(f"expected a {kind.__name__}, not {shown(data)}") from None

    return decode_enum


def _dataclass(kind: Any) -> Decoder:
    hints = typing.get_type_hints(kind)
    plan: list[tuple[str, Decoder, Callable[[], Any] | None]] = []
    for field in fields(kind):
        default: Callable[[], Any] | None = None
        if field.default is not MISSING:
            default = _constant(field.default)
        elif field.default_factory is not MISSING:
            default = field.default_factory
        plan.append((field.name, _decoder(hints[field.name]), default))

    def decode_dataclass(data: Any) -> Any:
        if type(data) is not dict:
            raise _wrong("an object", data)
        values: list[Any] = []
        name = ""
        try:
            for name, read, default in plan:
                if name in data:
                    values.append(read(data[name]))
                elif default is not None:
                    values.append(default())
                else:
                    raise WireError("is missing")
        except WireError as error:
            raise error.under(f".{name}") from None
        return kind(*values)

    return decode_dataclass


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value
