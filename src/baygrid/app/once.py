"""Requests that may be repeated: what a key has done it does not do again."""

from __future__ import annotations

from collections.abc import Callable
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


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer as it was or now is stored; `replayed`: an earlier request with this key did the work."""

    answer: StoredAnswer
    replayed: bool


def answered(tx: Tx, scope: str, once: Once | None, now: Instant, work: Callable[[], str]) -> Answered:
    """What the first request with this key was answered, in this project or the region; else what `work`
    answers, which is kept in the same transaction. Raises IdempotencyMismatch for a key that another request
    had."""
    found = None if once is None else tx.answers.find(scope, once.key)
    if once is None or found is None:
        given = once or Once("", "")
        answer = StoredAnswer(scope, given.key, given.said_sha256, 201, work(), now)
        if once is not None:
            tx.answers.insert(answer)
        return Answered(answer, replayed=False)
    if found.body_sha256 != once.said_sha256:
        raise IdempotencyMismatch("use a new key for a new request")
    return Answered(found, replayed=True)
