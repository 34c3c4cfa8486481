"""Tables as text. Own code, because loading a table library takes longer than most commands do."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

GAP: Final = "  "
_LEAST: Final = 8
"""A column is not made narrower than this, whatever the terminal."""


def cells(text: str) -> int:
    """How many places of a terminal a text takes: a Chinese character takes two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) != 0 for character in text)


def clean(value: object) -> str:
    """A value as one line of a table; control characters (of a job's name, say) cannot move the cursor."""
    if value is None or value == "":
        return "-"
    return "".join(c if c.isprintable() else " " for c in str(value))


def cut(text: str, width: int) -> str:
    """The beginning of a text, in at most `width` places."""
    if cells(text) <= width:
        return text
    kept, used = "", 1
    for character in text:
        used += cells(character)
        if used > width:
            break
        kept += character
    return kept + "…"


def wrap(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` places, broken at spaces where there are any."""
    lines, line = [], ""
    for word in text.split(" "):
        while cells(word) > width:
            head = cut(word, width)[:-1] or word[0]
            lines += [line] * bool(line) + [head]
            line, word = "", word[len(head) :]
        joined = f"{line} {word}" if line else word
        if cells(joined) <= width:
            line = joined
        else:
            lines.append(line)
            line = word
    return [*lines, line] if line or not lines else lines


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    width: int | None = None,
    right: Sequence[str] = (),
    bold: bool = False,
) -> list[str]:
    """Lines of a table with a heading. With a `width` the last column wraps, and where that is not enough
    the widest of the others are cut; without one (a pipe) nothing is lost. `right`: columns of figures."""
    texts = [[clean(value) for value in row] for row in rows]
    widths = [max(cells(cell) for cell in column) for column in zip(columns, *texts, strict=True)]
    if width is not None:
        widths = _fit(widths, width)
    lines = []
    for number, row in enumerate([list(columns), *texts]):
        last = wrap(row[-1], widths[-1]) if width is not None else [row[-1]]
        for depth, part in enumerate(last):
            line = [
                cut(cell, room) if depth == 0 else "" for cell, room in zip(row[:-1], widths, strict=False)
            ]
            padded = [
                " " * (room - cells(cell)) + cell if name in right else cell + " " * (room - cells(cell))
                for name, cell, room in zip(columns, [*line, part], widths, strict=True)
            ]
            text = GAP.join(padded).rstrip()
            lines.append(f"\x1b[1m{text}\x1b[0m" if bold and number == 0 else text)
    return lines


def _fit(widths: list[int], width: int) -> list[int]:
    room = width - len(GAP) * (len(widths) - 1)
    fitted = list(widths)
    fitted[-1] = max(min(fitted[-1], room - sum(fitted[:-1])), min(fitted[-1], 3 * _LEAST))
    while sum(fitted) > room:
        widest = max(range(len(fitted)), key=lambda column: fitted[column])
        if fitted[widest] <= _LEAST:
            break
        fitted[widest] -= 1
    return fitted
