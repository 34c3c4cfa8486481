"""What the demo says, in every language: texts.yaml, where the languages of a text stand side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

LANGUAGES: Final = ("en", "zh-Hans", "zh-Hant", "ja")
TABLE: Final = Path(__file__).with_name("texts.yaml")

_OTHER_NAMES: Final = {
    "zh": "zh-Hans",
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
    "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant",
    "zh-tw": "zh-Hant",
    "jp": "ja",
}


class Texts:
    """The texts of one language: `say("key", figure=1)`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._table = load()

    def __call__(self, key: str, **values: object) -> str:
        return self._table[key][self.language].format_map(values)


def load() -> Mapping[str, Mapping[str, str]]:
    """Key to language to text."""
    table: Mapping[str, Mapping[str, str]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return table


def language(name: str) -> str:
    """The language that a name means, such as zh-Hans for zh or ja for ja_JP.UTF-8. Raises ValueError."""
    short = name.partition(".")[0].replace("_", "-").lower()
    known = {**_OTHER_NAMES, **{own.lower(): own for own in LANGUAGES}}
    found = known.get(short) or known.get(short.partition("-")[0])
    if found is None:
        raise ValueError(f"{name!r} is not one of {', '.join(LANGUAGES)}")
    return found
