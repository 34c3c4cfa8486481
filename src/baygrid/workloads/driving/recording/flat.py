"""Messages that hold nothing but numbers behind their header (inertial readings, speeds, fixes), unpacked in
one go: a drive has hundreds of them a second, and reading field by field is most of what they cost.

Fields: "Interface definition" of the ROS 2 documentation. Their places, plain CDR: "Common Object Request
Broker Architecture" 3.3, part 2, section 9.3 (OMG): each number lies at a multiple of its size, counted from
behind the four bytes that tell the order of all others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from types import SimpleNamespace
from typing import Any, Final

_NUMBERS: Final[Mapping[str, str]] = {
    "bool": "?", "byte": "B", "char": "b", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H",
    "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f", "float64": "d",
}  # fmt: skip
_FIELD: Final = re.compile(r"([A-Za-z]\w*(?:/\w+)*)(?:\[(\d{1,2})\])?\s+([a-z]\w*)(?:\s+[-+.\w]+)?")
"""Type, how many of it, name; a default is for whoever writes."""
_CONSTANT: Final = re.compile(r"\w+\s+[A-Z]\w*\s*=.*")
_HEADER: Final = [("builtin_interfaces/Time", "", "stamp"), ("string", "", "frame_id")]
_DEEPEST: Final = 4
_HEAD: Final = Struct("<4xIII")
"""After the order: the stamp, and the bytes of the frame's name."""

Fields = list[tuple[str, str, str]]
Build = Callable[[Sequence[Any]], SimpleNamespace]


def flat(type_: str, definition: str) -> Callable[[bytes], Any] | None:
    """What makes messages of little-endian bytes, of a type as its `definition` tells it; None where it is
    anything but a header and numbers. It raises struct.error where the bytes end too early."""
    told = _told(type_, definition)
    fields = told.get(_short(type_), [])
    header = fields and fields[0][0] in {"Header", "std_msgs/Header"} and fields[0][1:] == ("", "header")
    if not header or told.get("std_msgs/Header") != _HEADER:
        return None
    codes: list[str] = []
    build = _built(fields[1:], _short(type_), told, codes, 0)
    if build is None:
        return None
    unpacks = [_struct(codes, phase).unpack_from for phase in range(8)]

    def message(data: bytes) -> Any:
        sec, nanosec, length = _HEAD.unpack_from(data)
        begin = _HEAD.size + length
        found = build(unpacks[(begin - 4) % 8](data, begin))
        frame = data[_HEAD.size : begin - 1].decode() if length > 1 else ""
        found.header = SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec), frame_id=frame)
        return found

    return message


def _told(type_: str, definition: str) -> dict[str, Fields]:
    """The fields of each type that the definition tells of; of none, where a line of it is not understood."""
    first, *others = re.split(r"^=+\s*$", definition, flags=re.MULTILINE)
    found: dict[str, Fields] = {}
    for text in (f"MSG: {type_}\n{first}", *others):
        name, _, body = text.strip().removeprefix("MSG: ").partition("\n")
        fields = found.setdefault(_short(name.strip()), [])
        for line in (each.partition("#")[0].strip() for each in body.splitlines()):
            if not line or _CONSTANT.fullmatch(line):
                continue
            if not (field := _FIELD.fullmatch(line)):
                return {}
            fields.append((_short(field[1]), field[2] or "", field[3]))
    return found


def _short(type_: str) -> str:
    return type_.replace("/msg/", "/")


def _built(fields: Fields, of: str, told: Mapping[str, Fields], codes: list[str], deep: int) -> Build | None:
    """What makes the fields of a type out of all numbers of a message, of which `codes` gets its own."""
    parts: list[tuple[str, Build | int | slice]] = []
    for type_, count, name in fields:
        if code := _NUMBERS.get(type_):
            at = len(codes)
            codes += [code] * int(count or 1)
            parts.append((name, slice(at, len(codes)) if count else at))
            continue
        whole = type_ if "/" in type_ else f"{of.partition('/')[0]}/{type_}"
        inner = (
            None if count or deep == _DEEPEST else _built(told.get(whole, []), whole, told, codes, deep + 1)
        )
        if inner is None:
            return None
        parts.append((name, inner))
    if not parts:
        return None

    def build(numbers: Sequence[Any]) -> SimpleNamespace:
        return SimpleNamespace(
            **{name: part(numbers) if callable(part) else numbers[part] for name, part in parts}
        )

    return build


def _struct(codes: Sequence[str], phase: int) -> Struct:
    """The numbers one after the other, the first of which lies so many bytes behind a multiple of 8."""
    layout, at = "<", phase
    for code in codes:
        size = Struct(f"<{code}").size
        gap = -at % size
        layout += "x" * gap + code
        at += gap + size
    return Struct(layout)
