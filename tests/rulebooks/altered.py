"""Rulebooks with one thing altered: a case must fail for each of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Way = tuple[str | int, ...]


def by_a_unit(text: str) -> Iterator[str]:
    """One unit of the last place that is written, up and down; of a day, a day."""
    if "-" in text:
        for days in (1, -1):
            yield str(date.fromisoformat(text) + timedelta(days=days))
    else:
        unit = Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent))
        for off in (unit, -unit):
            yield str(Decimal(text) + off)


def at(tree: Any, way: Way) -> Any:
    for key in way:
        tree = tree[key]
    return tree


def put(tree: Any, way: Way, value: object) -> Any:
    """A copy with another value there."""
    other = copy.deepcopy(tree)
    at(other, way[:-1])[way[-1]] = value
    return other


def without(tree: Any, way: Way) -> Any:
    other = copy.deepcopy(tree)
    del at(other, way[:-1])[way[-1]]
    return other


def leaves(tree: Any, way: Way = ()) -> Iterator[tuple[Way, str]]:
    """Every text in a document, and where it is."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*way, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from leaves(value, (*way, index))
    else:
        yield way, tree
