"""A chain of links that cannot be altered unseen: each has a hash over its content and the hash before.

A link's `digest` is SHA-256 of its content as canonical JSON, its `hash` SHA-256 of the previous hash
followed by that digest, both as hex. So who may not read a link can still follow the chain by its digest, and
its `salt`, 16 random bytes, keeps whoever has the digest from guessing the content. Hex is in lower case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any, Final

GENESIS: Final = "0" * 64
"""What the first link follows."""


@dataclass(frozen=True, slots=True)
class Link:
    """`at`: milliseconds since 1970. `contract`, `project`: what it is about, and whose act it is."""

    n: int
    at: int
    kind: str
    contract: str | None
    project: str | None
    data: Mapping[str, Any]
    salt: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """A link without its content."""

    n: int
    digest: str
    hash: str


@dataclass(frozen=True, slots=True)
class End:
    """As far as a chain goes: its last link's number and hash."""

    n: int
    hash: str


START: Final = End(0, GENESIS)


class What(StrEnum):
    ALTERED = "altered"
    MISSING = "missing"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first link that is wrong, by its number; `differs` says what of it."""

    n: int
    what: What
    differs: str

    def __str__(self) -> str:
        return f"link {self.n} is {self.what.value}: {self.differs}"


@dataclass(frozen=True, slots=True)
class Checked:
    """How far a chain is right: its last good link, how many were read with their content and how many
    without; and what is wrong with the next, if anything is."""

    end: End
    shown: int
    hidden: int
    flaw: Flaw | None


def canonical(document: Any) -> bytes:
    """JSON with sorted keys, no spaces and no escapes that need not be, as UTF-8. Raises ValueError for
    numbers that JSON has not, and for text that UTF-8 has not."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def content(link: Link) -> dict[str, Any]:
    """All of a link but the hashes."""
    return {
        "n": link.n,
        "at": link.at,
        "kind": link.kind,
        "contract": link.contract,
        "project": link.project,
        "data": link.data,
        "salt": link.salt,
    }


def digest(link: Link) -> str:
    """Of a link's content."""
    return hashlib.sha256(canonical(content(link))).hexdigest()


def hash_of(previous: str, digest: str) -> str:
    return hashlib.sha256(f"{previous}{digest}".encode()).hexdigest()


def next_link(
    end: End,
    at: int,
    kind: str,
    data: Mapping[str, Any],
    *,
    contract: str | None,
    project: str | None,
    salt: str,
) -> Link:
    """The link after this end."""
    bare = Link(end.n + 1, at, kind, contract, project, data, salt, end.hash, "")
    hash = hash_of(end.hash, digest(bare))
    return Link(bare.n, at, kind, contract, project, data, salt, end.hash, hash)


def hidden(link: Link) -> Hidden:
    return Hidden(link.n, digest(link), link.hash)


def check(links: Iterable[Link | Hidden], start: End = START, end: End | None = None) -> Checked:
    """Follows the links from `start` and stops at the first that is wrong. `end`: one that was signed; it
    must be reached, with the same hash."""
    last, shown, concealed = start, 0, 0
    rest = iter(links)
    here = next(rest, None)
    while here is not None:
        after = next(rest, None)
        flaw = _flaw(here, after, rest, last) or _not_as_signed(here, end)
        if flaw is not None:
            return Checked(last, shown, concealed, flaw)
        last = End(here.n, here.hash)
        shown, concealed = (shown + 1, concealed) if isinstance(here, Link) else (shown, concealed + 1)
        here = after
    return Checked(last, shown, concealed, _cut(last, end))


def _flaw(
    here: Link | Hidden, after: Link | Hidden | None, rest: Iterator[Link | Hidden], last: End
) -> Flaw | None:
    if here.n != last.n + 1:
        return _out_of_turn(here, chain([] if after is None else [after], rest), last)
    if isinstance(here, Hidden):
        right = hash_of(last.hash, here.digest) == here.hash
        return None if right else Flaw(here.n, What.ALTERED, "its digest, or its hash")
    return _altered(here, after, last)


def _altered(here: Link, after: Link | Hidden | None, last: End) -> Flaw | None:
    """Its number is right. The hash that the link after it follows tells which of several things it is."""
    of_content = digest(here)
    right = hash_of(last.hash, of_content)
    followed = after.previous if isinstance(after, Link) else None
    if here.hash == right:
        return None if here.previous == last.hash else Flaw(here.n, What.ALTERED, "the hash that it follows")
    if here.hash == hash_of(here.previous, of_content) and followed in (here.hash, None) and last.n:
        return Flaw(last.n, What.ALTERED, "its content and its hash: the next link follows another one")
    if followed == right:
        return Flaw(here.n, What.ALTERED, "its hash")
    return Flaw(here.n, What.ALTERED, "its content")


def _out_of_turn(here: Link | Hidden, later: Iterator[Link | Hidden], last: End) -> Flaw:
    due = last.n + 1
    if here.n < due:
        return Flaw(here.n, What.REORDERED, f"it comes after link {last.n}")
    for link in chain([here], later):
        if link.n == due:
            return Flaw(due, What.REORDERED, f"it comes after link {here.n}")
        if isinstance(link, Link) and link.previous == last.hash:
            return Flaw(due, What.ALTERED, f"its number: it says {link.n}")
    until = "it" if here.n == due + 1 else f"links {due} to {here.n - 1}"
    return Flaw(due, What.MISSING, f"{until} between links {last.n} and {here.n}")


def _not_as_signed(here: Link | Hidden, end: End | None) -> Flaw | None:
    if end is None or here.n != end.n or here.hash == end.hash:
        return None
    return Flaw(here.n, What.ALTERED, "it, or one before it: the signed end has another hash")


def _cut(last: End, end: End | None) -> Flaw | None:
    if end is None or last.n >= end.n:
        return None
    return Flaw(last.n + 1, What.MISSING, f"the chain was cut after link {last.n}; its signed end is {end.n}")
