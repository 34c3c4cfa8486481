"""How the ranks of a gang meet: the first one (`host`) writes into their folder where it listens, the others
(`guest`) call, say when they have joined, and hold the line. When the line is cut, whatever the reason, the
cluster is over.

Lines of text: "SECRET RANK" and then "joined" from a rank; nothing comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PATIENCE_S: Final = 600  # for nodes that fetch an image first
JOINED: Final = b"joined"
FILE: Final = "meeting.json"


class NobodyCame(Exception):
    """A rank did not join in time, or ended before."""


def private(path: Path, text: str) -> None:
    """A new file that nobody else may read."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
