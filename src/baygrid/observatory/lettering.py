"""Texts of charts: letters of each language, lengths, line breaks, and a few words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from unicodedata import east_asian_width

_FACES: Final = {"en": "SC", "zh-Hans": "SC", "zh-Hant": "HK", "ja": "JP"}
LOCALES: Final = {"en": "en_HK", "zh-Hans": "zh_Hans_CN", "zh-Hant": "zh_Hant_HK", "ja": "ja_JP"}
_OTHERS: Final = {
    "en": "'Noto Sans', Arial",
    "zh-Hans": "'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei'",
    "zh-Hant": "'Noto Sans HK', 'PingFang HK', 'Microsoft JhengHei'",
    "ja": "'Noto Sans JP', 'Hiragino Sans', 'Yu Gothic'",
}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "source": {"en": "Source: ", "zh-Hans": "来源：", "zh-Hant": "來源：", "ja": "出所："},
    "note": {"en": "Note: ", "zh-Hans": "注：", "zh-Hant": "註：", "ja": "注："},
    "hidden": {"en": "Not shown: ", "zh-Hans": "不予显示：", "zh-Hant": "不予顯示：", "ja": "非表示："},
    "none": {"en": "not shown", "zh-Hans": "不予显示", "zh-Hant": "不予顯示", "ja": "非表示"},
    "synthetic": {
        "en": "Synthetic data, not real",
        "zh-Hans": "合成数据，并非真实",
        "zh-Hant": "合成數據，並非真實",
        "ja": "合成データ（実在しない）",
    },
}


def font(language: str) -> str:
    return f"'Noto Sans CJK {_FACES[language]}', {_OTHERS[language]}, sans-serif"


def wrapped(text: str, most: int) -> list[str]:
    """Into lines of at most so many columns: between words, and between any two wide characters."""
    lines: list[str] = []
    for piece in _pieces(text):
        if lines and columns(lines[-1] + piece.rstrip()) <= most:
            lines[-1] += piece
        else:
            lines.append(piece.lstrip())
    return [line.rstrip() for line in lines]


def _pieces(text: str) -> list[str]:
    """What stays together. Punctuation that ends something begins no line."""
    return re.findall(r"[\u2e80-\uffef][、。，；：）」』]*|[^\s\u2e80-\uffef]+\s*|\s+", text)


def columns(text: str) -> int:
    return sum(2 if east_asian_width(it) in "WFA" else 1 for it in text)
