"""Numbers of English: 1.6 billion, two hundred and eighty-nine, one eighth."""

from __future__ import annotations

import re
from typing import Final

from baygrid.core.prose.numerals import MOST

_ONES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL: Final = {
    **{word: number for number, word in enumerate(_ONES.split())},
    **{word: 10 * number for number, word in enumerate(_TENS.split(), 2)},
}
_POWERS: Final = {
    "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "quadrillion": 15, "quintillion": 18,
    "mn": 6, "bn": 9, "tn": 12, "k": 3, "m": 6, "b": 9, "t": 12,
}  # fmt: skip
_PARTS: Final = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100,
}  # fmt: skip

_WORD: Final = "|".join(
    sorted([*_SMALL, "hundred", *(w for w in _POWERS if len(w) > 2)], key=len, reverse=True)
)
_PART: Final = "|".join(sorted(_PARTS, key=len, reverse=True))
WORDS: Final = rf"(?<![A-Za-z-])(?:{'|'.join([*_SMALL])})\b(?:(?: |-| and )(?:{_WORD})\b){{0,24}}+"
"""A number in words, as a part of a pattern that ignores case."""

SCALE: Final = re.compile(
    r"(?:[ -]?(hundred|thousand|million|billion|trillion|quadrillion|quintillion)(?![A-Za-z])"
    r"|[ ]?(bn|mn|tn)(?![A-Za-z0-9]))",
    re.IGNORECASE,
)
LETTER: Final = re.compile(r"([kmbt])(?![A-Za-z0-9/²^])", re.IGNORECASE)
"""A scale word of one letter: only of money, since 5m are metres and 5k may be anything."""
FRACTION: Final = re.compile(rf"[ -]({_PART})s?(?![A-Za-z-])", re.IGNORECASE)


def scale(word: str) -> int:
    return 100 if word.lower() == "hundred" else 10 ** _POWERS[word.lower()]


def part(word: str) -> int:
    """Of what one part is, in "two thirds"."""
    return _PARTS[word.lower()]


def words(text: str) -> int | None:
    """The number in words; None for words that say none, as "five six"."""
    names = [word for word in re.split(r"[ ,-]+", text.lower()) if word != "and"]
    if len(names) > MOST:
        return None
    total, section, least, bound = 0, 0, 1000, 10**30
    for name in names:
        if name in _SMALL:
            number = _SMALL[name]
            if number >= least or (number == 0 and len(names) > 1):
                return None
            section, least = section + number, 10 if number >= 20 else 1
        elif name == "hundred":
            if not 0 < section < 10:
                return None
            section, least = section * 100, 100
        else:
            power = 10 ** _POWERS[name]
            if not section and total:
                total *= power  # million billion
                continue
            if not section or power >= bound:
                return None
            total, section, least, bound = total + section * power, 0, 1000, power
    return total + section
