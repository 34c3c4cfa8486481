"""Where the numbers of a text are, in figures or in words, and their value by every rule for scale words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from baygrid.core.prose import english, numerals
from baygrid.core.prose.numerals import MOST, RULES
from baygrid.core.prose.units import currency_before

PLAIN: Final = "as written"
_SIGN: Final = 8
"""Characters that the longest sign of a currency has, with a space."""
MOST_POWER: Final = 60
"""Of ten: what is larger is no figure."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a folded text, from `start` to `end`. `values`: what it is by each rule that reads it.

    `head` is it without its scale words, None where it has none: in 3〜5億 those of 5億 go for 3 as well.
    `in_words`: it has no Arabic figures. `share`: it is a part of one, or (100) of a hundred.
    """

    text: str
    start: int
    end: int
    values: tuple[tuple[str, Fraction], ...]
    head: int | Fraction | None = None
    in_words: bool = False
    share: int = 0


_HAN: Final = "零一二两三四五六七八九十百千壹贰廿卅"
_FIGURES: Final = r"[0-9]++(?:[.,][0-9]++)*+"
_SCALES: Final = "百千万亿兆京垓"
_NOT_MEGA: Final = "兆(?!瓦|赫|帕|字|比特|伏|焦|候)"
_NUMERAL: Final = (
    rf"(?:{_FIGURES}|[{_HAN}])"
    rf"(?:{_FIGURES}| ?(?:[百千万亿垓]|{_NOT_MEGA}|京(?![都城])|[余多](?=[万亿]))|[{_HAN}]|点(?=[{_HAN}]))*+"
)
_POWER: Final = (
    r"(?:(?P<times>[0-9]++(?:\.[0-9]++)?+) ?[×xX*] ?)?+(?<![0-9.,])10"
    r"(?:\^(?P<up>-?[0-9]{1,2})(?![0-9])|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})|の(?P<ja>[0-9]{1,2})乗|的(?P<zh>[0-9]{1,2})次方)"
)
_RAISED: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_CJK: Final = re.compile(f"{_POWER}|(?P<number>{_NUMERAL})")
_ENGLISH: Final = re.compile(f"{_POWER}|(?P<number>{_FIGURES})|(?P<words>(?i:{english.WORDS}))")
_PARTS: Final = re.compile(rf" ?分[之の] ?({_NUMERAL})")
_TAIL: Final = re.compile(rf"[ {_SCALES}]*\Z")


def numbers(folded: str, language: str) -> Iterator[Number]:
    """In their order. Each character is looked at a bounded number of times."""
    place, pattern = 0, _ENGLISH if language == "en" else _CJK
    while (found := pattern.search(folded, place)) is not None:
        if found.end() - found.start() > 4 * MOST:
            number = None
        elif found.lastgroup not in ("number", "words"):
            number = _power(found)
        elif language == "en":
            number = _english(folded, found)
        else:
            number = _cjk(folded, found, language)
        place = found.end() if number is None else number.end
        if number is not None:
            yield number


def _power(found: re.Match[str]) -> Number | None:
    """5×10^17, 10の22乗."""
    raised = found["raised"]
    power = int(found["up"] or found["ja"] or found["zh"] or (raised or "0").translate(_RAISED))
    if abs(power) > MOST_POWER or len(found["times"] or "") > MOST:
        return None
    value = Fraction(found["times"] or 1) * Fraction(10) ** power
    return Number(found[0], found.start(), found.end(), ((PLAIN, value),))


def _cjk(folded: str, found: re.Match[str], language: str) -> Number | None:
    """What does not hold together as a whole may end in a number all the same: 统一1,200万."""
    start = found.start()
    text = found[0]
    number = _numeral(text, start, language)
    if number is None:
        last = re.search(r"[0-9][0-9.,]*[^0-9.,]*\Z", text)
        if last is None or not last.start() or text[last.start() - 1] in "0123456789.,":
            return None
        number = _numeral(last[0], start + last.start(), language)
    if number is None:
        return None
    parts = _PARTS.match(folded, number.end)
    if parts is None or len(parts[1]) > MOST:
        return number
    above = _numeral(parts[1], parts.start(1), language)
    if above is None or not (whole := number.values[0][1]):
        return None
    in_hundred = number.text == "百"
    value = above.values[0][1] / (1 if in_hundred else whole)
    text = folded[number.start : above.end]
    return Number(text, number.start, above.end, ((PLAIN, value),), share=100 if in_hundred else 1)


def _numeral(text: str, start: int, language: str) -> Number | None:
    text = text.rstrip(" 余多")
    clean = re.sub("[余多 ]", "", text)
    readings = [
        (rule.says if "兆" in clean else PLAIN, Fraction(value))
        for rule in RULES[language][: 2 if "兆" in clean else 1]
        if (value := numerals.value(clean, rule, colloquial=language != "ja")) is not None
        and value < 10**MOST_POWER
    ]
    if not readings:
        return None
    tail = _TAIL.search(clean)
    head = numerals.value(clean[: tail.start()], RULES[language][0]) if tail and tail[0] else None
    in_words = re.search("[0-9]", clean) is None
    return Number(text, start, start + len(text), tuple(readings), head, in_words)


def _english(folded: str, found: re.Match[str]) -> Number | None:
    start, end = found.span()
    in_words = found["words"] is not None
    value = english.words(found[0]) if in_words else numerals.arabic(found[0])
    if value is None and in_words and " and " in found[0].lower():
        end = start + found[0].lower().index(" and ")
        value = english.words(folded[start:end])
    if value is None:
        return None
    head = None if in_words else value
    scaled = False
    while (word := english.SCALE.match(folded, end)) is not None and value < 10**MOST_POWER:
        value, end, scaled = value * english.scale(word[1] or word[2]), word.end(), True
    letter = english.LETTER.match(folded, end)
    if letter is not None and not scaled and currency_before(folded[max(0, start - _SIGN) : start]):
        value, end, scaled = value * english.scale(letter[1]), letter.end(), True
    if value >= 10**MOST_POWER:
        return None
    part = english.FRACTION.match(folded, end) if in_words and not scaled else None
    if part is not None:
        values = ((PLAIN, Fraction(value, english.part(part[1]))),)
        return Number(folded[start : part.end()], start, part.end(), values, in_words=True, share=1)
    values = ((PLAIN, Fraction(value)),)
    return Number(folded[start:end], start, end, values, head if scaled else None, in_words=in_words)
