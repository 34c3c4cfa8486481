"""Labels as people say them: words for a column, each of which states a fact. What no word states stays
unknown, and the law asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from baygrid.core.data.labels import Important, Labels, Origin
from baygrid.core.reading import Wrong, shown

ALL: Final = "*"
"""Stands for every column: what it says holds where the column's own words say nothing of that."""

# By what a word speaks of: of each kind a column has one at most.
WORDS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "persons": {
        "plain": {"personal": False, "sensitive": False},
        "personal": {"personal": True, "sensitive": False},
        "sensitive": {"personal": True, "sensitive": True},
    },
    "importance": {
        "ordinary": {"important": Important.NO, "core": False},
        "notified": {"important": Important.NOTIFIED, "core": False},
        "published": {"important": Important.PUBLISHED, "core": False},
        "core": {"important": Important.UNKNOWN, "core": True},
    },
    "origin": {
        "domestic": {"origin": Origin.DOMESTIC},
        "overseas": {"origin": Origin.OVERSEAS},
    },
    "subject": {"subject": {"subject": True}},
}
_KIND: Final = {word: kind for kind, words in WORDS.items() for word in words}


def parse(text: str) -> dict[str, dict[str, str]]:
    """Words by column and kind, of `COLUMN=WORD+WORD,...`. A column's name may have anything but a comma;
    what is behind its last "=" are the words. Raises Wrong."""
    found: dict[str, dict[str, str]] = {}
    for part in text.split(","):
        column, equals, words = part.rpartition("=")
        column = column.strip()
        if not equals or not column:
            raise Wrong(f"must be COLUMN=WORD, such as name=personal+subject, not {shown(part)}")
        if column in found:
            raise Wrong(f"has {shown(column)} twice")
        found[column] = _words(words.split("+"), column)
    return found


def read(document: object) -> dict[str, dict[str, str]]:
    """The same of a document: words, joined by "+", by column. Raises Wrong."""
    if not isinstance(document, Mapping) or not document:
        raise Wrong(f"must be a mapping such as name: personal+subject, not {shown(document)}")
    found = {}
    for column, words in document.items():
        if not isinstance(column, str) or not isinstance(words, str):
            raise Wrong(f"must have words such as personal+subject for {shown(column)}, not {shown(words)}")
        found[column] = _words(words.split("+"), column)
    return found


def _words(words: list[str], column: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for word in (word.strip() for word in words):
        kind = _KIND.get(word)
        if kind is None:
            raise Wrong(f"says {shown(word)} of {shown(column)}: the words are {', '.join(_KIND)}")
        if kind in said:
            raise Wrong(f"says both {said[kind]} and {word} of {shown(column)}: keep one")
        said[kind] = word
    return said


def labels(said: Mapping[str, Mapping[str, str]], columns: list[str]) -> dict[str, Labels]:
    """By column, of those that are named or meant by "*". Raises Wrong for a column that is not there."""
    strange = [name for name in said if name != ALL and name not in columns]
    if strange:
        raise Wrong(f"there is no column {shown(strange[0])}: there are {', '.join(columns)[:500]}")
    everywhere = said.get(ALL)
    named = columns if everywhere is not None else [name for name in columns if name in said]
    return {name: _labels({**(everywhere or {}), **said.get(name, {})}) for name in named}


def _labels(words: Mapping[str, str]) -> Labels:
    found = Labels()
    for kind, word in words.items():
        found = replace(found, **WORDS[kind][word])
    return found


def contradiction(it: Labels) -> str | None:
    """Why these cannot be the labels of a column."""
    if it.sensitive and it.personal is False:
        return "what is sensitive is personal, too (PIPL 28)"
    if it.subject and it.personal is False:
        return "a column by which persons are told apart is personal"
    return None


def harmless(it: Labels | None) -> bool:
    """Whether a person has said that nothing of it is personal, important or core."""
    return it is not None and (it.personal, it.important, it.core) == (False, Important.NO, False)


def told(it: Labels) -> list[str]:
    """The words for labels; what is unknown has none."""
    found = []
    for words in WORDS.values():
        for word, values in words.items():
            if all(getattr(it, name) == value for name, value in values.items()):
                found.append(word)
    return found
