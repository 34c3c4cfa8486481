"""What stands around a number and makes it no figure: dates, ordinals, names of documents, addresses."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

NEAR: Final = 24
"""Characters before and behind a number that are looked at."""

_ADDRESS: Final = re.compile(
    r"(?:https?://|www\.)[^\s，。、；）)\]}>\"'」』]+|(?<![A-Za-z0-9_.+-])[A-Za-z0-9_.+-]++@[A-Za-z0-9.-]+"
)
_NUMBERED: Final = re.compile(
    r"(?:第|令和|平成|昭和|大正|民国|公元|西元|西历|[〔［]"
    r"|(?<![A-Za-z])(?i:nos?\.?|vol\.?|volume|ver\.?|version|articles?|art\.|fig\.?|figures?|tables?|charts?"
    r"|chapters?|sections?|clauses?|pages?|pp?\.|issues?|phases?|levels?|steps?|parts?|rooms?|document"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan\.?|feb\.?|mar\.?|apr\.?|jun\.?|jul\.?|aug\.?|sept?\.?|oct\.?|nov\.?|dec\.?)) ?$"
)
_CAPTION: Final = re.compile(r"[图表注例式] ?$|单位 ?[:：] ?$|単位 ?[:：] ?$")
_DATED: Final = re.compile(
    r" ?(?:st|nd|rd|th)\b| ?(?:January|February|March|April|May|June|July|August|September|October|November"
    r"|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?![a-z])| ?(?:[ap]\.?m\b|o'clock)"
)
_COUNTED: Final = re.compile(
    r" ?(?:年|月|日|号|时|点|分(?![之の间钟])|世纪|期|届|章|条|款|页|楼|层|阶|版|位|级|番|代|巻|卷|丁目|度)"
)
_DURATION: Final = re.compile(
    r"年(?![0-9度代末初底产级生春夏秋冬第]| [0-9]|前半|后半|上半|下半|[一二三四五六七八九十]+月)"
)
_TITLE: Final = re.compile(r"(?<![A-Za-z])[A-Z]{2,}[ -]$")
_FOREIGN: Final = re.compile(" ?[\u3040-\u9fff]")
_LIST: Final = re.compile(r"(?:^|\n)[ (（\[]*$")
_LISTED: Final = re.compile(r"[.)）\]、](?![0-9])")


def without_addresses(folded: str) -> str:
    """URLs and mail addresses made spaces, of the same length."""
    return _ADDRESS.sub(lambda found: " " * len(found[0]), folded)


def numbered(before: str) -> bool:
    """第3, No. 1, Article 38, March 27, 令和6, 〔2024: a name, not an amount."""
    last = before.rstrip(" ")[-1:]
    return (last.isascii() or last in "第和成正国元历〔［") and _NUMBERED.search(before) is not None


def vague(before: str) -> bool:
    """数百, 几千: nobody knows how many."""
    return before.endswith(("数", "几", "何"))


def dated(after: str) -> bool:
    """Behind a number of English: 1st, 27 March, 5 p.m."""
    return _DATED.match(after) is not None


def counted(after: str) -> bool:
    """Behind a number of Japanese or Chinese that has no unit: 3月, 27日, 20号, 3位."""
    return _COUNTED.match(after) is not None


def duration(after: str, value: Fraction) -> bool:
    """5年 is a length of time, 2024年 a year; 24年度 and 24年第1四半期 are years too."""
    return value < 1000 and _DURATION.match(after) is not None


def titled(before: str) -> bool:
    """ISO 27001."""
    return _TITLE.search(before) is not None


def foreign(after: str) -> bool:
    """Japanese or Chinese behind a number of an English text: it is quoted, and not read by English rules."""
    return _FOREIGN.match(after) is not None


def captioned(before: str) -> bool:
    """图 2, 表 3, 単位：百万円."""
    return _CAPTION.search(before) is not None


def listed(before: str, after: str) -> bool:
    """The 1. of a numbered list."""
    return _LIST.search(before) is not None and _LISTED.match(after) is not None


def joined(before: str, after: str) -> bool:
    """Part of a longer sign: H100, GPT-4, 5G, 3:2, 1/8, 2024-03-27, #7."""
    left = before[-1:]
    if (left.isascii() and left.isalpha()) or (left and left in "_/\\:#@."):
        return True
    if left == "-" and before[-2:-1].isascii() and before[-2:-1].isalnum():
        return True
    right = after[:1]
    return lettered(after) or (
        right != "" and right in "-/:\\" and after[1:2].isascii() and after[1:2].isalnum()
    )


def lettered(after: str) -> bool:
    """5G, and $500X: letters behind a number that are no unit of it."""
    return after[:1] == "_" or (after[:1].isascii() and after[:1].isalpha())
