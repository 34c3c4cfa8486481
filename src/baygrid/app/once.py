"""Requests that may be repeated: what a key has done it does not do again."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.problems import IdempotencyMismatch
from baygrid.ports.basics import Instant
from baygrid.ports.records import StoredAnswer
from baygrid.ports.store import Tx

REGION = ""
"""The scope of what belongs to no project."""


@dataclass(frozen=True, slots=True)
class Once:
    """A request's Idempotency-Key and the digest of all that it says."""

    key: str
    said_sha256: str


def done_before(tx: Tx, scope: str, once: Once | None, now: Instant) -> bool:
    """Whether it was carried out already, in this project or the region; else it is noted that it is, in this
    same transaction. Raises IdempotencyMismatch for a key that another request had."""
    if once is None:
        return False
    found = tx.answers.find(scope, once.key)
    if found is None:
        tx.answers.insert(StoredAnswer(scope, once.key, once.said_sha256, 200, "", now))
        return False
    if found.body_sha256 != once.said_sha256:
        raise IdempotencyMismatch("use a new key for a new request")
    return True
