"""Chinese and Japanese characters as simplified ones, by the tables of OpenCC."""

from __future__ import annotations

from functools import cache, lru_cache

from opencc import OpenCC


@cache
def _tables() -> tuple[OpenCC, OpenCC]:
    return OpenCC("jp2t"), OpenCC("t2s")


@lru_cache(maxsize=10_000)
def simplify(text: str) -> str:
    """The same text, whatever script it was in, such that the same name in two scripts is the same text."""
    if text.isascii():
        return text
    japanese, traditional = _tables()
    once: str = traditional.convert(japanese.convert(text))
    return once
