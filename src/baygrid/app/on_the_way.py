"""How often an answer that is on its way is judged again: bytes that went out cannot be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baygrid.ports.basics import Instant

AGAIN_BYTES: Final = 4 << 20
AGAIN_MS: Final = 1_000


@dataclass(slots=True)
class OnTheWay:
    """`at`: when it was judged last. Judging is due after so many bytes and after so long."""

    at: Instant
    sent: int = 0

    def is_due(self, now: Instant) -> bool:
        return self.sent >= AGAIN_BYTES or now - self.at >= AGAIN_MS

    def judged(self, now: Instant) -> None:
        self.at, self.sent = now, 0
