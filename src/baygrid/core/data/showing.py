"""Which columns of a table somebody learns of by a contract's terms: those shown, and those that a filter or
a mask tells of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from baygrid.core.data.labels import Labels
from baygrid.core.data.terms import HASH, NULL, Mode, Terms

_WORD: Final = re.compile(r'"((?:[^"]|"")*)"|(\w+)')


def columns_shown(columns: Sequence[str], terms: Terms) -> list[str]:
    """A hashed column still tells of its values (it is still personal information); one that is NULL
    everywhere tells of none. Who gets only rows with a certain value learns that value."""
    listed = set(columns if terms.columns is None else terms.columns)
    hidden = {name for name, mask in terms.masks.items() if mask == NULL}
    expressions = [terms.masks[name] for name in terms.masks if name in listed]
    named = {name for name in listed - hidden if terms.masks.get(name, HASH) == HASH}
    for text in (terms.filter or "", *(it for it in expressions if it not in (HASH, NULL))):
        named |= _named(text, columns)
    return [name for name in columns if name in named]


def labels_shown(columns: Sequence[str], terms: Terms, labels: Mapping[str, Labels]) -> list[Labels]:
    """Of each column that is shown; of one that nobody has labelled, nothing is known."""
    unknown = Labels()
    return [labels.get(name, unknown) for name in columns_shown(columns, terms)]


def subject_of(labels: Mapping[str, Labels]) -> str | None:
    """The column by which persons are told apart."""
    return next((name for name, it in labels.items() if it.subject), None)


def only_figures(terms: Iterable[Terms]) -> bool:
    """Whether no row is shown, only figures over so many persons."""
    return all(it.mode is Mode.AGGREGATE for it in terms)


def _named(expression: str, columns: Sequence[str]) -> set[str]:
    """Columns whose name stands in an SQL expression: rather one too many than one too few."""
    words = {(quoted or word).replace('""', '"').casefold() for quoted, word in _WORD.findall(expression)}
    return {name for name in columns if name.casefold() in words}
