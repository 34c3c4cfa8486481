"""Byte ranges of a GET (RFC 9110, section 14): one at a time. Of several, and of what is no range at all, the
answer is the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=\s*(?:(\d{1,19})-(\d{0,19})|-(\d{1,19}))\s*", re.ASCII | re.IGNORECASE)


class NotSatisfiable(Exception):
    """Nothing of the range is in the content (416)."""


@dataclass(frozen=True, slots=True)
class Range:
    """`length` bytes from `start` on. `whole`: all there is, since nobody asked for less."""

    start: int
    length: int
    whole: bool

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def asked_range(header: str | None, size: int) -> Range:
    """What to send of `size` bytes. Raises NotSatisfiable."""
    found = None if header is None else _RANGE.fullmatch(header.strip())
    if found is None:
        return Range(0, size, True)
    first, last, suffix = found.groups()
    if suffix is not None:
        length = min(int(suffix), size)
        start = size - length
    else:
        start = int(first)
        if last and int(last) < start:
            return Range(0, size, True)  # not a range, says the RFC
        length = (min(int(last), size - 1) if last else size - 1) - start + 1
    if length <= 0:
        raise NotSatisfiable
    return Range(start, length, False)
