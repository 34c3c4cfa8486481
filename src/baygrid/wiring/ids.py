"""Identifiers that sort by time and cannot be guessed, and the wall clock."""

from __future__ import annotations

import secrets
import threading
import time

from baygrid.ports.basics import Instant

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def wall_clock() -> Instant:
    return time.time_ns() // 1_000_000


class RandomIds:
    """48 bits of time, 16 of a counter within the millisecond, 56 of chance: in the order in which they
    were made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Instant = 0
        self._count = 0

    def new(self, kind: str, now: Instant) -> str:
        with self._lock:
            if now > self._last:
                self._last, self._count = now, 0
            else:
                self._count += 1
                if self._count >= 1 << 16:
                    self._last, self._count = self._last + 1, 0
            number = (self._last << 72) | (self._count << 56) | secrets.randbits(56)
        return f"{kind}-{_base32(number, 24)}"

    def earliest(self, kind: str, at: Instant) -> str:
        return f"{kind}-{_base32(at << 72, 24)}"

    def secret(self) -> str:
        return secrets.token_urlsafe(24)


def _base32(number: int, digits: int) -> str:
    return "".join(_DIGITS[(number >> shift) & 31] for shift in range(5 * (digits - 1), -1, -5))
