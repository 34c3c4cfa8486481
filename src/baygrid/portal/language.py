"""The languages of the pages: which one a reader gets, and what the pages say in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel import Locale
from babel.messages.pofile import read_po


@dataclass(frozen=True, slots=True)
class Language:
    """`tag`: as in HTML and in the cookie; `folder`: of its catalogues; `locale`: how its numbers and days
    are written; `name`: its own."""

    tag: str
    folder: str
    locale: Locale
    name: str


# Days before months and a clock of 24 hours: how English is written in the region.
ENGLISH: Final = Language("en", "", Locale("en", "GB"), "English")
LANGUAGES: Final[Mapping[str, Language]] = {
    it.tag: it
    for it in (
        ENGLISH,
        Language("zh-Hans", "zh_Hans", Locale("zh", "CN", script="Hans"), "简体中文"),
        Language("zh-Hant", "zh_Hant", Locale("zh", "HK", script="Hant"), "繁體中文"),
        Language("ja", "ja", Locale("ja", "JP"), "日本語"),
    )
}
_TRADITIONAL: Final = ("zh-hant", "zh-hk", "zh-mo", "zh-tw")


@dataclass(frozen=True, slots=True)
class Words:
    """What the pages say in one language. `plural` of a message: the other half of its English pair."""

    said: Mapping[str, str] = field(default_factory=dict)

    def get(self, message: str) -> str:
        return self.said.get(message, message)

    def count(self, one: str, many: str, n: int) -> str:
        """Chinese and Japanese have one form; English has two."""
        return self.said.get(one) or (one if n == 1 else many)


@dataclass(frozen=True, slots=True)
class Message:
    """Of a catalogue: its English (of a pair, the singular) and what it is in its language, "" if nothing."""

    one: str
    text: str
    fuzzy: bool


def messages(po: bytes) -> Iterator[Message]:
    for it in read_po(BytesIO(po)):
        one, text = (value if isinstance(value, str) else (value or ("",))[0] for value in (it.id, it.string))
        if one:
            yield Message(one, text, it.fuzzy)


def chosen(cookie: str | None, accept: str | None) -> Language:
    """By choice, then as the browser asks, then English."""
    if cookie is not None and cookie in LANGUAGES:
        return LANGUAGES[cookie]
    for tag in _asked(accept or ""):
        found = _closest(tag)
        if found is not None:
            return found
    return ENGLISH


def _asked(header: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first."""
    wanted: list[tuple[float, str]] = []
    for part in header[:1000].split(","):
        tag, _, weight = part.partition(";")
        try:
            q = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if q > 0 and tag.strip():
            wanted.append((q, tag.strip().lower()))
    return [tag for _, tag in sorted(wanted, key=lambda it: -it[0])]


def _closest(tag: str) -> Language | None:
    if tag.startswith("zh"):
        return LANGUAGES["zh-Hant" if tag.startswith(_TRADITIONAL) else "zh-Hans"]
    return LANGUAGES.get(tag.partition("-")[0])


@cache
def words(tag: str) -> Words:
    """Every catalogue of a language in one; they are read once, as they are written."""
    folder = LANGUAGES[tag].folder
    if not folder:
        return Words()
    said: dict[str, str] = {}
    for file in sorted(files("baygrid.portal").joinpath("locale", folder).iterdir(), key=lambda it: it.name):
        if file.name.endswith(".po"):
            for it in messages(file.read_bytes()):
                if it.text and not it.fuzzy:
                    said.setdefault(it.one, it.text)
    return Words(said)


def N_(message: str) -> str:  # noqa: N802 - its name in every program that is translated
    """Marks a text that is translated where it is shown."""
    return message
