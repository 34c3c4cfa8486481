"""Figures of prose: `read(text, language)`. Rather none than a wrong one: what may be a date, an ordinal or
part of a name is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from baygrid.core.prose import context
from baygrid.core.prose.context import NEAR
from baygrid.core.prose.folding import fold
from baygrid.core.prose.found import LANGUAGES, Found, Reading
from baygrid.core.prose.numbers import Number, numbers
from baygrid.core.prose.numerals import DIGITS
from baygrid.core.prose.plausible import plausible, source_of, why_not
from baygrid.core.prose.units import (
    DOLLAR,
    FLOPS,
    NEVER,
    OPERATIONS,
    PREFIXES,
    YEN,
    YUAN,
    currency_before,
    unit_at,
)

_SIGN: Final = re.compile(r"(?:(?<![0-9A-Za-z%)])[-+±]|[▲△] ?|负|マイナス|(?<![A-Za-z])(?i:minus|plus) )$")
_SIGNS: Final = ("-", "+", "±", "▲", "△", "负", "ス", "s", "S")
"""How signs end: a look at it spares the pattern."""
_NEGATIVE: Final = re.compile(r"[-▲△负]|マイナス|minus", re.IGNORECASE)
# 毎秒, 1秒間に, with a few words up to the number.
_A_SECOND: Final = re.compile(r"(?:每一?秒|[1一]秒(?:间に|间|钟|あたり|当たり))[^。、，；,;!?！？\n]{0,8}$")
_EACH: Final = re.compile("间?(?:あたり|当たり)")
_LESS_BEFORE: Final = re.compile(
    r"(?:下降|减少|下跌|降低|下滑|回落|缩减)了?约? ?$"
    r"|(?<![A-Za-z])(?i:down|fell|fallen|dropped|declined|decreased|shrank)(?: by)?(?: about)? $"
)
_LESS_AFTER: Final = re.compile(
    r"(?:の)?(?:减(?!税)|低下|下落)|[ -](?i:decrease|decline|drop|fall|reduction|lower|less|fewer)(?![a-z])"
)
# 200余家, 300多人, 5強: "and some", where a counter or nothing follows.
_ABOUT: Final = re.compile(" ?[余多强弱](?=[^一-龠]|[家个名人元户社倍次台张枚公平])")
# 三割五分 is 35 %; 成 and 割 begin many words that are none.
_TENTHS: Final = re.compile(
    "(?:割(?![引合])|成(?![不为立功果本熟都分员绩就型品年交份长人对语]))"
    "(?:(?P<more>[一二三四五六七八九1-9])分?|(?P<half>半))?"
)
_RANGED: Final = re.compile("[~–—至到-]|から|ないし| to ")
"""Somewhere between two numbers: a look that spares finding their units, which may stand before it."""
_RANGE: Final = re.compile(" ?(?:~|–|—|-|至|到(?![达])|から|ないし| to ) ?")
_LARGE: Final = 10**15
"""So many 次 or 回 are operations of computers, and prose means those of a second."""
_YEARS: Final = range(1900, 2100)
_COUNTERS: Final = frozenset({"items", "companies", "institutions", "persons", OPERATIONS, "households"})


def read(text: str, language: str) -> tuple[Found, ...]:
    """The figures of a text in one of `LANGUAGES`, in their order. Raises ValueError for another language.

    Never fails on a text, and takes time in proportion to its length.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no figures are read in {language!r}: use one of {', '.join(LANGUAGES)}")
    folded = context.without_addresses(fold(text))
    reader = _Reader(text, folded, language)
    return tuple(reader.figures(list(numbers(folded, language))))


@dataclass(frozen=True, slots=True)
class _Measured:
    """The unit behind a number, up to `end`, with what it makes of the value."""

    unit: str | None
    end: int
    factor: int = 1
    more: int = 0
    note: str | None = None

    def of(self, value: Fraction, *, minus: bool) -> Fraction:
        if self.factor != 1 or self.more:
            value = value * self.factor + self.more
        return -value if minus else value


@dataclass(frozen=True, slots=True)
class _Reader:
    text: str
    folded: str
    language: str

    def figures(self, found: Sequence[Number]) -> Iterator[Found]:
        place = 0
        while place < len(found):
            ends = self._range(found, place)
            if ends is not None:
                yield from ends
                place += 2
                continue
            one = self._figure(found[place])
            place += 1
            if one is not None:
                yield one

    def _range(self, found: Sequence[Number], place: int) -> tuple[Found, ...] | None:
        """3〜5億 and 3億〜5億 as two ends; the first has the scale and the unit of the second where it has
        none. Neither is one in 2023–24; None where there is no range."""
        if place + 1 >= len(found):
            return None
        low, high = found[place : place + 2]
        if (
            high.start == low.end
            or high.start - low.end > NEAR
            or not _RANGED.search(self.folded, low.end, high.start)
        ):
            return None
        first = self._measured(low)
        between = self.folded[max(first.end, low.end) : high.start]
        if _RANGE.fullmatch(between) is None:
            return None
        last = self._figure(high, follows=True)
        dashed = between.strip() == "-"
        if last is None or (dashed and last.unit is None and high.head is None):
            return None
        value = low.values[0][1]
        if first.unit is None and low.head is None and high.head and value < high.head:
            # The scale of the second, by each of its rules.
            values = tuple((rule, value * worth / high.head) for rule, worth in high.values)
            low = replace(low, values=values)
        begin = self._figure(low, measured=first if first.unit else self._measured(high), follows=True)
        if begin is None:
            return (last,) if last.unit else ()
        whole = self.text[begin.start : last.end]
        return (
            replace(begin, text=whole, end=last.end, part="from"),
            replace(last, text=whole, start=begin.start, part="to"),
        )

    def _figure(
        self, number: Number, *, measured: _Measured | None = None, follows: bool = False
    ) -> Found | None:
        """None for what is no figure. `follows`: it is an end of a range, so a dash beside it is no sign."""
        before = self.folded[max(0, number.start - NEAR) : number.start]
        if context.numbered(before):
            return None
        measured = measured or self._measured(number)
        money = currency_before(before)
        start = number.start - (money.length if money else 0)
        sign = "" if follows and before[-1:] == "-" else self._sign(start)
        start -= len(sign)
        if not self._counts(number, measured, before, money is not None, sign != "", follows):
            return None
        unit, note = measured.unit, measured.note
        if money:
            unit, note = self._currency(money.sign)
        end = max(measured.end, number.end)
        unit, note = self._operations(number, unit, note, before)
        minus = _NEGATIVE.search(sign) is not None
        if unit == "%" and not sign and self._less(start, end):
            minus = True
        values = [(rule, measured.of(value, minus=minus)) for rule, value in number.values]
        return self._judged(start, end, values, unit, note)

    def _sign(self, start: int) -> str:
        before = self.folded[max(0, start - 8) : start]
        if not before.rstrip(" ").endswith(_SIGNS):
            return ""
        found = _SIGN.search(before)
        return found[0] if found else ""

    def _judged(
        self, start: int, end: int, values: list[tuple[str, Fraction]], unit: str | None, note: str | None
    ) -> Found:
        readings = tuple(Reading(rule, value, plausible(value, unit)) for rule, value in values)
        first = readings[0]
        doubtful = not first.plausible
        return Found(
            text=self.text[start:end],
            start=start,
            end=end,
            value=first.value,
            unit=unit,
            readings=readings,
            flag="implausible" if doubtful else None,
            why=why_not(unit) if doubtful else None,
            source=source_of(first.value, unit) if doubtful else None,
            note=note,
        )

    def _measured(self, number: Number) -> _Measured:
        end = number.end
        if number.share == 100:
            return _Measured("%", end)
        if number.share:
            return _Measured(None, end)
        if self.folded[end : end + 1] in NEVER:
            return _Measured(None, end)
        if self.language != "en":
            tenths = _TENTHS.match(self.folded, end)
            if tenths is not None:
                return _Measured("%", tenths.end(), 10, _hundredths(tenths))
            about = _ABOUT.match(self.folded, end)
            end = about.end() if about else end
        if (matched := unit_at(self.folded, end, self.language)) is not None:
            return _Measured(matched.unit.name, matched.end, matched.unit.factor)
        if (money := self._money(end)) is not None:
            return money
        after = self.folded[end : end + NEAR]
        if self.language != "en" and context.duration(after, number.values[0][1]):
            return _Measured("years", end + 1)
        return _Measured(None, number.end)

    def _money(self, end: int) -> _Measured | None:
        """元, 円 and ドル without more: whose they are depends on the language."""
        if self.language == "en":
            return None
        for pattern, unit, note in (
            (YEN, "JPY", None),
            (DOLLAR, "USD", "ドル without a country: taken as the US dollar"),
            (YUAN, "CNY", self._whose_yuan()),
        ):
            found = pattern.match(self.folded, end)
            if found is not None:
                return _Measured(unit, found.end(), note=note)
        return None

    def _whose_yuan(self) -> str | None:
        if self.language != "zh-Hant":
            return None
        return "元 without a currency: taken as CNY; in Hong Kong and Taiwan it may be their dollar"

    def _currency(self, sign: str) -> tuple[str, str | None]:
        if sign == "¥":
            if self.language == "ja":
                return "JPY", None
            return "CNY", "¥ without a country: taken as CNY; it may be the yen"
        return PREFIXES[sign], "$ without a country: taken as the US dollar" if sign == "$" else None

    def _operations(
        self, number: Number, unit: str | None, note: str | None, before: str
    ) -> tuple[str | None, str | None]:
        """次 and 回 are operations a second where the text says so, or where they are too many for else."""
        if unit == OPERATIONS or (unit == "FLOP" and self.language != "en"):
            if _A_SECOND.search(before):
                return FLOPS, note
            if unit == OPERATIONS and number.values[0][1] >= _LARGE:
                return FLOPS, "taken as a second's: the text beside it does not say"
        return unit, note

    def _less(self, start: int, end: int) -> bool:
        before, after = self.folded[max(0, start - NEAR) : start], self.folded[end : end + NEAR]
        return bool(_LESS_BEFORE.search(before) or _LESS_AFTER.match(after))

    def _counts(
        self, number: Number, measured: _Measured, before: str, money: bool, signed: bool, follows: bool
    ) -> bool:
        """Whether it is a figure at all."""
        after = self.folded[max(measured.end, number.end) :][:NEAR]
        if number.text[0] in "十百千" and context.vague(before):
            return False
        unread = after if measured.unit is None else ""
        alone = not (money or follows or signed or number.in_words)
        if context.lettered(unread) or (alone and context.joined(before, unread)):
            return False
        timed = measured.unit in ("s", "minutes", "hours")
        if number.values[0][1] == 1 and (_EACH.match(after) or (timed and after.startswith(("に", "间に")))):
            return False  # 1時間に, 1社当たり: of what the figure behind is
        if measured.unit is None and not money and not number.share:
            return self._bare(number, before, after)
        return self._named(number, measured, before, after)

    def _bare(self, number: Number, before: str, after: str) -> bool:
        """A number without a unit."""
        cjk = self.language != "en"
        if context.captioned(before) or context.listed(before, after) or context.titled(before):
            return False
        if not cjk and context.foreign(after):
            return False
        if context.counted(after) if cjk else context.dated(after):
            return False
        if number.in_words:
            return len(re.findall(r"[A-Za-z]+|[^A-Za-z -]", number.text)) >= (3 if cjk else 2)
        digits = number.text
        if digits.isdigit():
            return not (len(digits) > 15 or (digits[0] == "0" and digits != "0") or int(digits) in _YEARS)
        return True

    def _named(self, number: Number, measured: _Measured, before: str, after: str) -> bool:
        """A number with a unit, or a share."""
        digits = number.text
        if self.language == "en":
            year = digits.isdigit() and len(digits) == 4 and int(digits) in _YEARS
            if year and measured.unit in _COUNTERS | {"images", "hours", "days", "years"}:
                return False  # "in 2024 companies ..."
            return not (digits.lower() == "one" and measured.unit in _COUNTERS | {"times"})
        if digits == "一" and measured.unit in _COUNTERS:
            return False  # 一家, 一个: an article
        return not (context.captioned(before) and "单" in before[-5:])


def _hundredths(tenths: re.Match[str]) -> int:
    """What 五分 adds to 三割, and 半 to 五成."""
    if tenths["half"]:
        return 5
    digit = tenths["more"] or "0"
    return int(digit) if digit.isdecimal() else DIGITS.index(digit)
