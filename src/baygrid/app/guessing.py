"""Guessing is slowed down: after a few failures for one key each further one makes the next wait longer."""

from __future__ import annotations

import hashlib
from typing import Final

from baygrid.app.platform import Platform
from baygrid.app.problems import SlowDown
from baygrid.ports.identity import GuessRow
from baygrid.ports.store import Tx

FREE: Final = 5
"""So many failures in a row cost no waiting."""
LONGEST_MS: Final = 300_000
FORGOTTEN_MS: Final = 86_400_000


def begin(platform: Platform, kind: str, key: str) -> None:
    """Before a guess is looked at it counts as a failure, so that many at once are no more than one after the
    other. `key`: what is guessed at; only its hash is kept, since people type passwords where names belong.
    Raises SlowDown."""
    name, now = _name(kind, key), platform.clock()

    def apply(tx: Tx) -> None:
        tx.users.forget_guesses(before=now - FORGOTTEN_MS)
        row = tx.users.guess(name)
        if row.until > now:
            seconds = -(-(row.until - now) // 1000)
            raise SlowDown(f"too many tries: wait {seconds} seconds, then try again", seconds=seconds)
        count = row.count + 1
        wait = min(1000 * 2 ** (count - FREE), LONGEST_MS) if count >= FREE else 0
        tx.users.put_guess(GuessRow(name, count, now, now + wait))

    platform.store.write(apply)


def forget(tx: Tx, kind: str, key: str) -> None:
    """It was right."""
    tx.users.forget_guesses(key=_name(kind, key))


def _name(kind: str, key: str) -> str:
    return hashlib.sha256(f"{kind}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()
