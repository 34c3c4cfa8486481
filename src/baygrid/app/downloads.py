"""A shared file on its way to a reader: every request is judged anew, and a long one again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from baygrid.app import grants
from baygrid.app.grants import Permit
from baygrid.app.on_the_way import OnTheWay
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, NotFound, Problem, Unauthorized
from baygrid.core.data.links import LIFE_MS, Link, valid
from baygrid.ports.basics import Instant
from baygrid.ports.shares import SharedFile, State

PIECE: Final = 256 << 10


class Cut(Exception):
    """What is being downloaded may not be read any more."""


@dataclass(frozen=True, slots=True)
class Download:
    """What may be sent now."""

    link: Link
    permit: Permit
    file: SharedFile


def until(platform: Platform) -> Instant:
    """When addresses that are handed out now end."""
    return platform.clock() + LIFE_MS


def judged(platform: Platform, link: Link, signature: str) -> Download:
    """What an address is for, if it may be read now. Raises Forbidden, without detail for an address that is
    none of this server's or has ended; ReadRefused; NotFound for a file that is gone."""
    if not valid(platform.link_keys, link, signature, platform.clock()):
        raise Forbidden("this address is not valid, or not any more: ask for the table again")
    try:
        permit = grants.still(platform, link.recipient, link.grant)
    except Unauthorized as error:  # no token is asked for here
        raise Forbidden(error.detail) from None
    found = platform.store.read(lambda tx: tx.shares.file(link.file))
    if found is None or found[1].state is not State.READY or found[1].wanted.grant != link.grant:
        raise NotFound("this file is gone: ask for the table again")
    return Download(link, permit, found[0])


def pieces(platform: Platform, it: Download, start: int, length: int) -> Iterator[bytes]:
    """The bytes of a file that was judged just now. Raises Cut where it may not be read any more."""
    way = OnTheWay(platform.clock())
    if platform.told.is_due(it.link, way.at):
        data = {"file": it.file.id, "sha256": it.file.sha256, "rows": it.file.rows}
        grants.served(platform, it.permit, "file-read", data)
        platform.told.note(it.link, way.at)
    for piece in _small(platform.objects.get(it.file.key, start, length)):
        now = platform.clock()
        if way.is_due(now):
            try:
                grants.still(platform, it.link.recipient, it.link.grant)
            except Problem as problem:
                raise Cut(problem.detail) from None
            way.judged(now)
        way.sent += len(piece)
        yield piece


def _small(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """However large the store's pieces are."""
    for piece in pieces:
        for start in range(0, len(piece), PIECE):
            yield piece[start : start + PIECE]
