"""Paragraphs as they are written: plain words, references to figures and days, links.

`{SET.ID|STYLE}` is a figure of the bundle, `{day|2024-03-27}` (also `month`, `year`) a date, `{name.ID}` a
name that the issue lists, `{exhibit|ID}` the number of a table or chart, `[words](TARGET)` a link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_PIECE: Final = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}|\[([^\[\]]+)\]\(([^()\s]*)\)")
DATES: Final = ("day", "month", "year")


@dataclass(frozen=True, slots=True)
class Plain:
    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """`{head|style}`."""

    head: str
    style: str

    @property
    def is_figure(self) -> bool:
        return self.head not in (*DATES, "exhibit") and not self.head.startswith("name.")

    def __str__(self) -> str:
        return f"{{{self.head}|{self.style}}}" if self.style else f"{{{self.head}}}"


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    target: str


Piece = Plain | Reference | Link


def pieces(text: str) -> Iterator[Piece]:
    at = 0
    for match in _PIECE.finditer(text):
        if match.start() > at:
            yield Plain(text[at : match.start()])
        head, style, words, target = match.groups()
        yield Link(words, target) if words is not None else Reference(head.strip(), (style or "").strip())
        at = match.end()
    if at < len(text):
        yield Plain(text[at:])


def references(text: str) -> list[Reference]:
    return [it for it in pieces(text) if isinstance(it, Reference)]
