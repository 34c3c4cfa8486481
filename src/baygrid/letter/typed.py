"""Numbers that somebody typed into prose, in any of the letter's languages."""

from __future__ import annotations

import re
from typing import Final

from baygrid.core.prose.reader import read

_DIGITS: Final = re.compile(r"\d[\d,.，．]*[%％]?")


def typed(words: str, language: str) -> list[str]:
    """In their order: all that the reader of figures takes for one, and all other digits."""
    found = {it.start: it.text for it in read(words, language)}
    ends = {start: start + len(text) for start, text in found.items()}
    for it in _DIGITS.finditer(words):
        if not any(start <= it.start() < end for start, end in ends.items()):
            found[it.start()] = it.group()
    return [found[start] for start in sorted(found)]
