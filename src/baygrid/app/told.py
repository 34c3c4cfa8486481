"""Which downloads the audit has already."""

from __future__ import annotations

import threading
from typing import Final

from baygrid.core.data.links import Link
from baygrid.ports.basics import Instant

TOLD_MS: Final = 60_000
"""Readers ask for a file range by range: the audit has it once in so long."""
MOST: Final = 10_000


class Told:
    """Of one server: which downloads the audit has. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: dict[tuple[str, str], Instant] = {}

    def is_due(self, link: Link, now: Instant) -> bool:
        """Whether this file and recipient were not told in the last TOLD_MS."""
        with self._lock:
            at = self._at.get((link.file, link.recipient))
            return at is None or not 0 <= now - at < TOLD_MS

    def note(self, link: Link, now: Instant) -> None:
        """The audit has it now."""
        with self._lock:
            if len(self._at) >= MOST:
                self._at.clear()
            self._at[link.file, link.recipient] = now
