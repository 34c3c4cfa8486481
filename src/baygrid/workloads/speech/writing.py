"""How languages are written: their scripts, and the scripts of a text's letters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Final

WRITTEN: Final = {
    "am": "ETHIOPIC", "ar": "ARABIC", "as": "BENGALI", "be": "CYRILLIC", "bg": "CYRILLIC", "bn": "BENGALI",
    "bo": "TIBETAN", "el": "GREEK", "fa": "ARABIC", "gu": "GUJARATI", "he": "HEBREW", "hi": "DEVANAGARI",
    "hy": "ARMENIAN", "ja": "CJK", "ka": "GEORGIAN", "kk": "CYRILLIC", "km": "KHMER", "kn": "KANNADA",
    "ko": "HANGUL", "lo": "LAO", "mk": "CYRILLIC", "ml": "MALAYALAM", "mn": "CYRILLIC", "mr": "DEVANAGARI",
    "my": "MYANMAR", "ne": "DEVANAGARI", "pa": "GURMUKHI", "ps": "ARABIC", "ru": "CYRILLIC",
    "sa": "DEVANAGARI", "sd": "ARABIC", "si": "SINHALA", "sr": "CYRILLIC", "ta": "TAMIL", "te": "TELUGU",
    "tg": "CYRILLIC", "th": "THAI", "tt": "CYRILLIC", "uk": "CYRILLIC", "ur": "ARABIC", "yi": "HEBREW",
    "yue": "CJK", "zh": "CJK",
}  # fmt: skip
"""The script of each language that is not written in Latin letters, as Unicode's names of characters begin.
CJK stands for Chinese characters and for kana."""

UNSPACED: Final = frozenset({"bo", "ja", "km", "lo", "my", "th", "yue", "zh"})
"""Languages written without spaces between words."""


def script(code: str) -> str:
    return WRITTEN.get(code, "LATIN")


def spaced(code: str) -> bool:
    """Words have spaces between them."""
    return code not in UNSPACED


def letters(text: str) -> Counter[str]:
    """How many letters of each script are in the text."""
    return Counter(_script_of(character) for character in text if character.isalpha())


def share(text: str, of: str) -> float:
    """The share of this script among the text's letters; 0 where it has none."""
    found = letters(text)
    return found[of] / total if (total := found.total()) else 0.0


def _script_of(character: str) -> str:
    first = unicodedata.name(character, "UNKNOWN").split()[0]
    return "CJK" if first in {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"} else first
