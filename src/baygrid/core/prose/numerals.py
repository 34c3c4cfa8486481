"""Numerals of Japanese and Chinese: 2,213億, 十二点七五, 1万2千亿, 50亿亿, and what 兆 may mean.

Scale words multiply what stands before them; two beside each other multiply one another (亿亿 is 10^16), a
larger one after a smaller multiplies all before it (1万2千亿), a smaller one adds (1億2,345万).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

MOST: Final = 48
"""Characters of the longest numeral: what is longer is no number that prose has."""

DIGITS: Final = "零一二三四五六七八九"
SMALL: Final[Mapping[str, int]] = {"十": 10, "百": 100, "千": 1000}
_VALUES: Final = {**{digit: value for value, digit in enumerate(DIGITS)}, "两": 2}
_MANY: Final = {"廿": 20, "卅": 30}


@dataclass(frozen=True, slots=True)
class Rule:
    """What the scale words are worth somewhere. `prefix`: words that mean their value only at the end of a
    numeral, as prefixes of SI units do."""

    says: str
    scales: Mapping[str, int]
    prefix: str = ""


TRILLION: Final = Rule(
    "兆 = 10^12 (Japan, Hong Kong, Taiwan)",
    {"万": 10**4, "亿": 10**8, "兆": 10**12, "京": 10**16, "垓": 10**20},
)
MILLION: Final = Rule("兆 = 10^6 (mainland China)", {**TRILLION.scales, "兆": 10**6}, "兆")

RULES: Final[Mapping[str, tuple[Rule, Rule]]] = {
    "ja": (TRILLION, MILLION),
    "zh-Hant": (TRILLION, MILLION),
    "zh-Hans": (MILLION, TRILLION),
}
"""By language: how it reads, and how others would. 兆 in mainland China is the legal name of mega (GB 3100);
larger numbers there are 万亿 and 亿亿."""

_ARABIC: Final = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")
_TOKEN: Final = re.compile(
    r"[0-9][0-9,.]*|点[零一二三四五六七八九]+|[零一二两三四五六七八九]+|[十百千万亿兆京垓廿卅]"
)


def arabic(text: str) -> int | Fraction | None:
    """Of 2,213 or 12.75; None for 39,37,213 and 1.2.3, which are no one number."""
    if len(text) > MOST or _ARABIC.fullmatch(text) is None:
        return None
    text = text.replace(",", "")
    return Fraction(text) if "." in text else int(text)


def value(text: str, rule: Rule, *, colloquial: bool = False) -> int | Fraction | None:
    """The number that a folded numeral is by a rule; None for what is no numeral, and for what does not say
    one number: 两三 is two or three. `colloquial`: in Chinese 三千五 is 3,500 to some, so it is not read."""
    text = text.replace(" ", "")
    if not 0 < len(text) <= MOST:
        return None
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text or any(token in rule.prefix for token in tokens[:-1]):
        return None
    sum_ = _Sum(rule, colloquial)
    return sum_.total() if all(map(sum_.take, tokens)) else None


class _Sum:
    """A numeral as far as it is read: closed terms, the last term of a scale word, what is below 万."""

    def __init__(self, rule: Rule, colloquial: bool) -> None:
        self._scales, self._colloquial = rule.scales, colloquial
        self._closed: int | Fraction = 0
        self._term: int | Fraction = 0
        self._scale = 0
        self._section: int | Fraction = 0
        self._least = 10**4
        self._number: int | Fraction | None = None
        self._before = ""

    def take(self, token: str) -> bool:
        """Whether the token can stand here."""
        if token in self._scales:
            done = self._scaled(self._scales[token])
        elif token in SMALL:
            done = self._small(SMALL[token])
        elif token[0] == "点":
            done = self._decimals(token[1:])
        else:
            done = self._figure(token)
        self._before = token
        return done

    def total(self) -> int | Fraction | None:
        rest = self._rest()
        if rest is None or (self._scale and rest >= self._scale):
            return None
        return self._closed + self._term + rest

    def _figure(self, token: str) -> bool:
        if self._number is not None:
            return False
        if token[0].isdigit() and token.isascii():
            self._number = arabic(token)
        elif token in _MANY:
            self._section, self._least = self._section + _MANY[token], 10
            return self._least == 10 and self._section < 100
        elif len(token) == 2 and token[0] != "零":
            return False  # 两三: two or three
        else:
            self._number = int("".join(str(_VALUES[digit]) for digit in token))
        return self._number is not None and (self._least == 10**4 or self._number < self._least)

    def _decimals(self, digits: str) -> bool:
        if not self._before or self._before[0] == "点" or self._before in self._scales:
            return False
        part = Fraction(int("".join(str(_VALUES[digit]) for digit in digits)), 10 ** len(digits))
        self._number = (self._number or 0) + part
        return True

    def _small(self, size: int) -> bool:
        if size >= self._least or self._number == 0:
            return False
        self._section += (1 if self._number is None else self._number) * size
        self._least, self._number = size, None
        return True

    def _scaled(self, size: int) -> bool:
        if self._before in self._scales:
            self._term *= size
            self._scale *= size
            return True
        coefficient = self._rest() if self._before else 1
        if coefficient is None or (self._scale and not coefficient):
            return False
        if not self._scale or self._scale > size:
            if self._scale and coefficient * size >= self._scale:
                return False
            self._closed, self._term = self._closed + self._term, coefficient * size
        elif self._scale < size and coefficient < self._scale:
            self._closed, self._term = 0, (self._closed + self._term + coefficient) * size
        else:
            return False
        self._scale, self._section, self._least, self._number = size, 0, 10**4, None
        return True

    def _rest(self) -> int | Fraction | None:
        """What is below the next scale word; None where Chinese would leave out a last 百 or 千."""
        if self._number is None:
            return self._section
        left_out = self._least in (100, 1000) or (self._least == 10**4 and self._scale and not self._section)
        short = len(self._before) == 1 and self._before in _VALUES and self._number
        return None if self._colloquial and left_out and short else self._section + self._number
