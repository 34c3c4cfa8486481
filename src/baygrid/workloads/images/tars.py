"""Tar files (POSIX ustar and pax, GNU) by their headers alone: what is in them, and where.

Python's own reader trusts what it reads: an extended header of 10 GB would be held in memory. Nothing is ever
unpacked here; a member's name is a name and leads nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

BLOCK: Final = 512
MOST_EXTENDED: Final = 1 << 20
"""Bytes of an extended header: longer ones are damage, or worse."""

MOST_DIGITS: Final = 19
"""Of a length: no file has more bytes."""

Read = Callable[[int, int], bytes]


class Broken(Exception):
    """A tar that cannot be read on from here, and why."""


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file inside: `offset` and `size` of its bytes, and the `end`, where what follows has its first
    header. Cut short where the tar ends before it does."""

    name: str
    offset: int
    size: int
    end: int


def members(read: Read, size: int, offset: int = 0) -> Iterator[Member]:
    """In the tar's order, from the member on whose first header lies at `offset`. Raises Broken after those
    before the damage, also where the tar lacks its end."""
    longer: dict[str, str] = {}
    while offset < size:
        header = read(offset, BLOCK)
        if len(header) < BLOCK:
            raise Broken(f"cut off in a header at byte {offset:,}")
        if not header.strip(b"\0"):
            return
        if not _checks(header):
            raise Broken(f"no header at byte {offset:,}" if offset else "not a tar")
        length = _number(header[124:136])
        kind = header[156:157]
        start = offset + BLOCK
        plain = kind in b"0\0 7"
        if plain:
            length = _length(longer.get("size"), length)
        offset = start + -(-length // BLOCK) * BLOCK
        if kind in b"Lx":
            longer |= _extended(kind, read, start, length)
        elif plain and not (name := longer.get("path") or _name(header)).endswith("/"):
            yield Member(name, start, length, offset)
        if kind not in b"LKxg":
            longer = {}
    raise Broken("it ends without its end mark: cut off")


def _extended(kind: bytes, read: Read, start: int, length: int) -> dict[str, str]:
    """The name that follows in full (GNU), or records "LENGTH KEY=VALUE" (pax)."""
    if length > MOST_EXTENDED:
        raise Broken(f"an extended header of {length:,} bytes")
    data = read(start, length)
    if kind == b"L":
        return {"path": _text(data.partition(b"\0")[0])}
    found: dict[str, str] = {}
    while data:
        digits, space, _ = data[:20].partition(b" ")
        if not space or not digits.isdigit() or not len(digits) < int(digits) <= len(data):
            raise Broken("a damaged extended header")
        key, _, value = data[len(digits) + 1 : int(digits) - 1].partition(b"=")
        found[_text(key)] = _text(value)
        data = data[int(digits) :]
    return found


def _checks(header: bytes) -> bool:
    """The sum of all bytes, its own field taken as spaces, is in the header."""
    try:
        return _number(header[148:156]) == sum(header) - sum(header[148:156]) + 8 * 32
    except Broken:
        return False


def _number(field: bytes) -> int:
    """Octal digits, or (GNU) base 256 after a set first bit."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise Broken("a damaged header") from None


def _length(told: str | None, length: int) -> int:
    if told is None:
        return length
    if not told.isdecimal() or len(told) > MOST_DIGITS:
        raise Broken("a damaged extended header")
    return int(told)


def _name(header: bytes) -> str:
    name, prefix = (_text(field.partition(b"\0")[0]) for field in (header[:100], header[345:500]))
    return f"{prefix}/{name}" if prefix and header[257:263] == b"ustar\0" else name


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
