"""All rows of the registry, page by page, each a read of its own: a registry of any size streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from baygrid.app.platform import Platform
from baygrid.core.region.bodies import Return
from baygrid.ports.basics import Instant
from baygrid.ports.registry import BodyRow, Known, return_key
from baygrid.ports.store import Tx

T = TypeVar("T")
_PAGE: Final = 2_000


def bodies(platform: Platform) -> Iterator[BodyRow]:
    """By id; those that were merged into another, too."""
    return _paged(platform, lambda after, tx: tx.registry.bodies(after, _PAGE), lambda it: it.id)


def known_bodies(platform: Platform, before: Instant) -> Iterator[Known]:
    """As the log had them at a moment, by id."""
    return _paged(platform, lambda after, tx: tx.registry.known(before, after, _PAGE), lambda it: it.body)


def returns(platform: Platform, merged: Mapping[str, str]) -> Iterator[Return]:
    """`merged`: bodies by what they are part of. Their figures are of that one; of several of one key that
    one's own goes first, so that there is one for each key."""
    if not merged:
        yield from _returns(platform)
        return
    stay = set(merged.values())
    keys = {return_key(it) for it in _returns(platform) if it.body in stay}
    for it in _returns(platform):
        if it.body not in merged:
            yield it
            continue
        moved = replace(it, body=merged[it.body])
        if return_key(moved) not in keys:
            keys.add(return_key(moved))
            yield moved


def _returns(platform: Platform) -> Iterator[Return]:
    found = _paged(platform, lambda after, tx: tx.registry.returns(after, _PAGE), lambda it: it[0])
    return (figure for _, figure in found)


def _paged(platform: Platform, ask: Callable[[str, Tx], Sequence[T]], key: Callable[[T], str]) -> Iterator[T]:
    after = ""
    while page := platform.store.read(partial(ask, after)):
        yield from page
        after = key(page[-1])
