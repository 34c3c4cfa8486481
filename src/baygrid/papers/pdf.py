"""A letter as PDF, set by Typst. The same letter gives the same bytes: no clock, no chance goes in."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Final

import typst

from baygrid.papers.letter import Letter

FAMILY: Final = "Noto Sans CJK"
FACES: Final = {
    "en": ("SC", "en", "HK"),
    "zh-Hans": ("SC", "zh", "CN"),
    "zh-Hant": ("HK", "zh", "HK"),
    "ja": ("JP", "ja", "JP"),
}
"""Of each language the font's face, and what Typst is told of language and region: where lines break."""


class NoFonts(RuntimeError):
    """This machine lacks the fonts of papers; the message says the cure."""


def pdf(letter: Letter) -> bytes:
    """Raises NoFonts: without them Chinese and Japanese would be empty boxes."""
    check_fonts(letter.language)
    face, lang, region = FACES[letter.language]
    told = {**asdict(letter), "font": [f"{FAMILY} {face}"], "lang": lang, "region": region}
    inputs = {"letter": json.dumps(told, ensure_ascii=False)}
    page: bytes = typst.compile(_template(), sys_inputs=inputs, font_paths=[], ignore_system_fonts=False)
    return page


def check_fonts(language: str) -> None:
    """Raises NoFonts."""
    face, _, _ = FACES[language]
    if f"{FAMILY} {face}" not in _families():
        raise NoFonts(
            f"the font {FAMILY} {face} is not installed: on Debian and Ubuntu, apt-get install fonts-noto-cjk"
        )


@cache
def _template() -> bytes:
    return files(__package__).joinpath("paper.typ").read_bytes()


@cache
def _families() -> frozenset[str]:
    """Looking for them takes a second, and they stay."""
    return frozenset(typst.Fonts(include_system_fonts=True, include_embedded_fonts=False).families())
