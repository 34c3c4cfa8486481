"""What the search page looks words up in: for every word the sections that have it, as a script."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from scripts.site.book import address
from scripts.site.page import Page, Section

_WORD: Final = re.compile(r"[a-z0-9][a-z0-9_]*|[぀-ヿ一-鿿]+")
_EMPTY: Final = frozenset(
    _WORD.findall(
        "a an and are as at be by for from has in is it its of on or so that the them there they to was with"
    )
)
SNIPPET: Final = 160


def words(text: str) -> list[str]:
    """In small letters, and those with `_` also in their parts: `max_cost`, `max`, `cost`."""
    found = _WORD.findall(text.lower())
    parts = [part for word in found if "_" in word for part in word.split("_")]
    return [word for word in (*found, *parts) if word and word not in _EMPTY]


def index(pages: Sequence[Page]) -> str:
    """`sections`: address, page, heading, beginning. `words`: to each its sections, as steps."""
    sections: list[tuple[str, str, str, str]] = []
    found: dict[str, list[int]] = {}
    for page in pages:
        for section in page.sections:
            for word in sorted(set(words(" ".join([page.title, section.title, *section.words])))):
                found.setdefault(word, []).append(len(sections))
            sections.append(_shown(page, section))
    steps = {
        word: [numbers[0], *(b - a for a, b in pairwise(numbers))] for word, numbers in sorted(found.items())
    }
    data = json.dumps({"sections": sections, "words": steps}, ensure_ascii=False, separators=(",", ":"))
    return f"const SITE = {data};\n"


def _shown(page: Page, section: Section) -> tuple[str, str, str, str]:
    beginning = " ".join(" ".join(section.words[:3]).split())
    short = beginning if len(beginning) <= SNIPPET else beginning[:SNIPPET].rsplit(" ", 1)[0] + " …"
    where = address(page.source) + (f"#{section.anchor}" if section.anchor else "")
    return where, page.title, section.title if section.anchor else "", short
