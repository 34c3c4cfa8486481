"""What numbers are of: the words of units in four languages, each with its unit and how many of it one is.

Words are folded (`folding`). They are tried in the order in which they stand: a longer one before a shorter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

FLOPS: Final = "FLOP/s"
"""Operations a second, whatever their precision: prose does not say it."""
OPERATIONS: Final = "operations"

_SI: Final = {"k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21}
_KANA: Final = {"キロ": 3, "メガ": 6, "ギガ": 9, "テラ": 12, "ペタ": 15, "エクサ": 18, "ゼタ": 21}


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor`: how many of it one word is: 10**15 FLOP/s are one PFLOP/s."""

    name: str
    factor: int = 1


@dataclass(frozen=True, slots=True)
class Matched:
    """A unit's word in a text, up to `end`."""

    unit: Unit
    end: int


def _symbols() -> Iterator[tuple[str, Unit]]:
    """Of every language."""
    for letter, power in _SI.items():
        yield rf"{letter}(?:FLOP/s|FLOPS|FLOPs|Flop/s|Flops|flops|OPS)", Unit(FLOPS, 10**power)
        yield f"{letter}FLOP", Unit("FLOP", 10**power)
        yield f"{letter}Wh", Unit("Wh", 10**power)
        yield f"{letter}W", Unit("W", 10**power)
        yield rf"{letter}(?:bit/s|bps|b/s)", Unit("bit/s", 10**power)
        yield f"{letter}B", Unit("B", 10**power)
    yield "FLOP/s|FLOPS", Unit(FLOPS)
    yield "FLOP", Unit("FLOP")
    yield "km/h", Unit("km/h")
    yield "km2|km²|km\\^2", Unit("km2")
    yield "m2|m²", Unit("m2")
    yield "km", Unit("km")
    yield "m", Unit("m")
    yield "ha", Unit("ha")
    yield "ms", Unit("ms")
    yield "h", Unit("hours")
    yield "RMB|CNY|Rmb", Unit("CNY")
    yield "HKD", Unit("HKD")
    yield "USD", Unit("USD")
    yield "JPY", Unit("JPY")
    yield "EUR", Unit("EUR")


_MARKS: Final = (
    ("%", Unit("%")),
    ("‰", Unit("‰")),
    ("㎢", Unit("km2")),
    ("㎡", Unit("m2")),
    ("㎞", Unit("km")),
)

_HAN: Final = (
    ("(?:元)?人民币|人民元|元\\(人民币\\)", Unit("CNY")),
    ("元?港币|港元|香港ドル|HKドル", Unit("HKD")),
    ("日元|日圆", Unit("JPY")),
    ("美元|美金|米ドル", Unit("USD")),
    ("欧元|ユーロ", Unit("EUR")),
    ("澳门元|澳门币", Unit("MOP")),
    ("个?百分点|パーセントポイント|%ポイント|ポイント", Unit("points")),
    ("パーセント", Unit("%")),
    ("倍", Unit("times")),
    ("平方公里|平方千米|平方キロメートル|平方キロ", Unit("km2")),
    ("平方米|平米|平方メートル", Unit("m2")),
    ("公顷|ヘクタール", Unit("ha")),
    ("公里|キロメートル|キロ(?![一-龠ァ-ヶa-zA-Z])", Unit("km")),
    ("米(?![国ド商])|メートル", Unit("m")),
    ("兆瓦时", Unit("Wh", 10**6)),
    ("瓦时", Unit("Wh")),
    ("兆瓦", Unit("W", 10**6)),
    ("瓦", Unit("W")),
    *((f"{kana}フロップス|{kana}FLOPS", Unit(FLOPS, 10**power)) for kana, power in _KANA.items()),
    *((f"{kana}ワット", Unit("W", 10**power)) for kana, power in _KANA.items()),
    (r"P(?=的?算力|\(每秒)", Unit(FLOPS, 10**15)),
    (r"E(?=的?算力|\(每秒)", Unit(FLOPS, 10**18)),
    ("次?浮点运算(?:次数)?", Unit("FLOP")),
    ("次运算|次计算|次操作|回(?:の)?演算|回(?:の)?计算", Unit(OPERATIONS)),
    ("人次|人回", Unit("visits")),
    ("次(?![世级期元官席长回数第])|回(?![答复路线归目収收数转])", Unit(OPERATIONS)),
    ("个?小时|时间|ヶ时间", Unit("hours")),
    ("分钟|分间", Unit("minutes")),
    ("秒钟|秒间|秒", Unit("s")),
    ("个月|か月|ヶ月|ケ月|カ月|ヵ月", Unit("months")),
    ("日间|天(?![津河文然才空])", Unit("days")),
    ("年间", Unit("years")),
    ("岁|歳|才(?![能])", Unit("years")),
    ("(?:[张枚幅](?:の)?(?:画像|图像|图片|图|照片|写真|影像))", Unit("images")),
    ("家(?=(?:医院|高校|大学|学校|机构|研究|银行))", Unit("institutions")),
    ("家(?![庭长属具电用族]|人(?!工))|个企业|间企业|间公司|企业|社(?![会员长团内区屋])", Unit("companies")),
    ("户(?![外口籍])|世帯", Unit("households")),
    ("名(?![称前誉单词字古义])|个人|人(?![民工间口材気员类权均格事物生力才])", Unit("persons")),
    ("[个件枚张项台座所种条篇辆架つ本]", Unit("items")),
)

_ENGLISH: Final = (
    ("percentage points?|points?", Unit("points")),
    ("percent|per cent|pct", Unit("%")),
    ("yuan|renminbi", Unit("CNY")),
    ("Hong Kong dollars?", Unit("HKD")),
    ("(?:US|U\\.S\\.) dollars?|dollars?", Unit("USD")),
    ("yen", Unit("JPY")),
    ("euros?", Unit("EUR")),
    ("square kilomet(?:re|er)s?|sq\\.? ?km", Unit("km2")),
    ("square met(?:re|er)s?|sq\\.? ?m", Unit("m2")),
    ("hectares?", Unit("ha")),
    ("kilomet(?:re|er)s? (?:per|an) hour", Unit("km/h")),
    ("kilomet(?:re|er)s?", Unit("km")),
    ("met(?:re|er)s?", Unit("m")),
    ("hours?|hrs?", Unit("hours")),
    ("minutes?|mins?", Unit("minutes")),
    ("seconds?|secs?", Unit("s")),
    ("days?", Unit("days")),
    ("months?", Unit("months")),
    ("years?", Unit("years")),
    ("teraflops?", Unit(FLOPS, 10**12)),
    ("petaflops?", Unit(FLOPS, 10**15)),
    ("exaflops?", Unit(FLOPS, 10**18)),
    ("zettaflops?", Unit(FLOPS, 10**21)),
    ("(?:floating[- ]point )?operations|calculations|computations", Unit(OPERATIONS)),
    ("(?:AI )?(?:compan(?:y|ies)|firms?|enterprises?|businesses)", Unit("companies")),
    ("universit(?:y|ies)|institutes?|institutions?|hospitals?", Unit("institutions")),
    ("households?", Unit("households")),
    ("people|persons?|employees|staff|workers|researchers|engineers", Unit("persons")),
    ("images?|pictures?|photos?", Unit("images")),
    ("times|-?fold", Unit("times")),
    ("megawatts?", Unit("W", 10**6)),
    ("gigawatts?", Unit("W", 10**9)),
)

_END: Final = "(?![A-Za-z0-9²])"
_SPACE: Final = "[ -]?"


NEVER: Final = frozenset(
    ["", *"0123456789.,:;!?()[]/+~–—、。，；：！？「」『』（）\n", *"のはがをにとでもへや的和及等了"]
)
"""No unit begins with these: a look at them spares the pattern."""


class _Words:
    """One pattern of many words."""

    def __init__(self, words: list[tuple[str, Unit]]) -> None:
        self._units = [unit for _, unit in words]
        self._pattern = re.compile("|".join(f"({word})" for word, _ in words))

    def at(self, text: str, place: int) -> Matched | None:
        found = self._pattern.match(text, place)
        return None if found is None else Matched(self._units[(found.lastindex or 1) - 1], found.end())


def _closed(words: Iterator[tuple[str, Unit]]) -> list[tuple[str, Unit]]:
    """A word of letters ends where letters and digits do."""
    return [(f" ?(?:{word}){_END}", unit) for word, unit in words]


_BOTH: Final = [(f" ?{mark}", unit) for mark, unit in _MARKS]
_CJK_WORDS: Final = _Words(
    [(f" ?(?:{word})", unit) for word, unit in _HAN[:7]] + _BOTH
    + [(f" ?(?:{word})", unit) for word, unit in _HAN[7:]] + _closed(_symbols())
)  # fmt: skip
_ENGLISH_WORDS: Final = _Words(
    _BOTH + _closed(_symbols()) + [(f"{_SPACE}(?i:{word}){_END}", unit) for word, unit in _ENGLISH]
)

_EACH: Final = {
    "s": "s", "秒": "s", "second": "s", "h": "hour", "时": "hour", "小时": "hour", "时间": "hour",
    "hour": "hour", "日": "day", "天": "day", "day": "day", "月": "month", "month": "month",
    "年": "year", "year": "year",
}  # fmt: skip
_RATE: Final = re.compile(
    r"(?:/|每)(小时|时间|时|秒|日|天|月|年|s(?![a-z])|h(?![a-z]))| ?/ ?(second|hour|day|month|year)\b"
    r"| (?:per|an?|each|every) (second|hour|day|month|year)\b"
)
_UNRATED: Final = frozenset({"%", "‰", "points", "times", FLOPS})


def unit_at(text: str, place: int, language: str) -> Matched | None:
    """The unit that stands in a folded text just behind a number, with "per second" and the like."""
    found = (_ENGLISH_WORDS if language == "en" else _CJK_WORDS).at(text, place)
    if found is None or found.unit.name in _UNRATED:
        return found
    each = _RATE.match(text, found.end)
    if each is None:
        return found
    per = _EACH[each[each.lastindex or 1]]
    if per == "s" and found.unit.name in (OPERATIONS, "FLOP"):
        return Matched(Unit(FLOPS, found.unit.factor), each.end())
    return Matched(Unit(f"{found.unit.name}/{per}", found.unit.factor), each.end())


YUAN: Final = re.compile(" ?(?:元|圆|块钱|块(?![链状]))")
"""Money whose currency the text may say before it, or nowhere."""
YEN: Final = re.compile(" ?円")
DOLLAR: Final = re.compile(" ?ドル")

PREFIXES: Final[Mapping[str, str]] = {
    "人民币": "CNY", "RMB": "CNY", "Rmb": "CNY", "CNY": "CNY", "CN¥": "CNY", "港币": "HKD", "港元": "HKD",
    "HKD": "HKD", "HK$": "HKD", "美元": "USD", "USD": "USD", "US$": "USD", "JPY": "JPY", "JP¥": "JPY",
    "€": "EUR", "EUR": "EUR", "£": "GBP", "$": "USD", "¥": "CNY",
}  # fmt: skip
_PREFIX: Final = re.compile(
    "(?:^|(?<=[^A-Za-z]))(" + "|".join(map(re.escape, sorted(PREFIXES, key=len, reverse=True))) + ") ?$"
)


_LAST: Final = tuple({sign[-1] for sign in PREFIXES})


@dataclass(frozen=True, slots=True)
class Currency:
    """What stands before an amount, as it is written, and how long that is."""

    sign: str
    length: int


def currency_before(before: str) -> Currency | None:
    if not before.rstrip(" ").endswith(_LAST):
        return None
    found = _PREFIX.search(before)
    return None if found is None else Currency(found[1], len(found[0]))


def shown(value: str, unit: str | None) -> str:
    """A decimal number with its unit as people write it: 500 PFLOP/s, 221,300,000,000 CNY."""
    whole, point, part = value.partition(".")
    if unit == FLOPS and not point and whole.isdigit():
        for letter, power in reversed(_SI.items()):
            if len(whole) > power:
                rest = whole[len(whole) - power :].rstrip("0")
                return f"{int(whole[: len(whole) - power]):,}{'.' if rest else ''}{rest} {letter}{FLOPS}"
    text = f"{int(whole):,}{point}{part}" if whole.lstrip("-").isdigit() else value
    return f"{text} {unit}" if unit else text
