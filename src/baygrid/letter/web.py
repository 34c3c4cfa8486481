"""A page as HTML: one file with its style, no script, nothing from other hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from baygrid.letter.page import Page
from baygrid.letter.voice import Voice
from baygrid.papers.words import LANGUAGES

if TYPE_CHECKING:
    from jinja2 import Environment

OWN_NAMES: Final[Mapping[str, str]] = {
    "ja": "日本語",
    "zh-Hans": "简体中文",
    "zh-Hant": "繁體中文",
    "en": "English",
}
"""In the order of the letter's own list of languages."""
_PREVIEW: Final = 160


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page lies: addresses of what goes with it, from there. `canonical`: the one that lasts."""

    canonical: str
    alternates: Mapping[str, str]
    lasting: Mapping[str, str]
    feed: str
    archive: str
    pdf: str = "letter.pdf"


def html(page: Page, place: Place) -> str:
    description = " ".join("".join(run.text for run in runs) for runs in page.summary)
    if len(description) > _PREVIEW:
        description = description[: _PREVIEW - 1] + "…"
    return render(
        "issue.html.j2", page.language, page=page, place=place, description=description, own_names=OWN_NAMES
    )


def render(template: str, language: str, **values: Any) -> str:
    """With the words of a language, as `say`."""
    return _environment().get_template(template).render(language=language, say=Voice(language), **values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("baygrid.letter"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.globals["languages"] = tuple(LANGUAGES)
    return made
