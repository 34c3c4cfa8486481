"""A page as PDF, set by Typst: tagged for readers of screens (PDF/UA-1), glyphs as the region writes them.

The same page gives the same bytes: the date in it is the issue's."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Final

import typst

from baygrid.letter.page import Page
from baygrid.letter.voice import Voice
from baygrid.papers.pdf import FACES, FAMILY, check_fonts

_WORDS: Final = (
    "name", "summary", "contents", "corrections", "wrong", "right", "colon", "disclaimer", "figures",
    "synthetic", "synthetic_note", "source",
)  # fmt: skip


def pdf(page: Page, address: str) -> bytes:
    """`address`: where the page lies on the web, which the PDF names. Raises papers.pdf.NoFonts."""
    check_fonts(page.language)
    face, lang, region = FACES[page.language]
    voice = Voice(page.language)
    told = {
        **asdict(page),
        "day": [page.day.year, page.day.month, page.day.day],
        "address": address,
        "words": {word: voice(word) for word in _WORDS},
        "font": [f"{FAMILY} {face}"],
        "lang": lang,
        "region": region,
    }
    inputs = {"page": json.dumps(told, ensure_ascii=False, default=str)}
    made: bytes = typst.compile(_template(), sys_inputs=inputs, pdf_standards=["ua-1"])
    return made


@cache
def _template() -> bytes:
    return files(__package__).joinpath("letter.typ").read_bytes()
