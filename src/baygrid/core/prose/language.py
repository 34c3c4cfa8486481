"""Which language a text is in, where that is certain."""

from __future__ import annotations

import re
from typing import Final

_KANA: Final = re.compile("[ぁ-ゖァ-ヺ]")
_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LETTER: Final = re.compile("[A-Za-z]{2}")
_SIMPLIFIED: Final = re.compile("[亿们这发业产电时为币过还进远运应关现经济务总际从达团讯华]")
_TRADITIONAL: Final = re.compile("[們這發實區經灣幣點讀總關對學應還從團]")
"""Of the forms that Japanese does not write; 億, 個, 産業 and the like are of both."""


def guess(text: str) -> str | None:
    """None where it could be another language as well: a headline of 企業 and 社 is Chinese or Japanese."""
    if _KANA.search(text):
        return "ja"
    if not _HAN.search(text):
        return "en" if _LETTER.search(text) else None
    simplified, traditional = bool(_SIMPLIFIED.search(text)), bool(_TRADITIONAL.search(text))
    if simplified == traditional:
        return None
    return "zh-Hans" if simplified else "zh-Hant"
