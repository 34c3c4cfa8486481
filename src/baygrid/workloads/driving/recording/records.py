"""The records of an MCAP file: what each is, and where (mcap.dev/spec, version 0, "Records")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

HEAD: Final = 9
"""Bytes before a record's content: what it is (1 byte), its length (8)."""
MESSAGE_HEAD: Final = 22
"""Bytes of a message's content before its data."""


class Damaged(Exception):
    """Bytes that are not what they should be, in words."""


def head(data: bytes | memoryview, at: int = 0) -> tuple[int, int]:
    """What the record is that begins there, and the length of its content."""
    return data[at], int.from_bytes(data[at + 1 : at + HEAD], "little")


def records(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """What each record is, and where its content begins and ends. Raises Damaged."""
    at = 0
    while at < len(data):
        content = at + HEAD
        if content > len(data):
            raise Damaged("cut off within a record")
        code, length = head(data, at)
        at = content + length
        if at > len(data):
            raise Damaged("a record is longer than the chunk that it is in")
        yield code, content, at


def message(data: bytes | memoryview, at: int = 0) -> tuple[int, int]:
    """The channel, and the time of the recording (nanoseconds), of a message whose content begins there."""
    return int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 6 : at + 14], "little")
