"""The agent's secret, which it makes itself: a file that only its owner reads. The server knows its SHA-256.

A next one is kept beside the present one until the server has taken it: then it takes its place. So a crash
at any point leaves the agent with one that works.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from baygrid.centres.keys import sync_directory

NAME = "credential"


class Credential:
    """`folder`: the agent's state."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._next = folder / f"{NAME}.next"

    def read(self) -> str | None:
        """None: there is none yet."""
        try:
            return self._path.read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def prepare(self) -> str:
        """The next secret: the same until `advance`, durable before it is told to anybody."""
        try:
            if prepared := self._next.read_text(encoding="ascii").strip():
                return prepared
        except FileNotFoundError:
            pass
        secret = secrets.token_urlsafe(32)
        part = self._next.with_name(f"{self._next.name}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, f"{secret}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.replace(self._next)
        sync_directory(self._next.parent)
        return secret

    def advance(self) -> str:
        """The server has taken the next one: it is the present one from now on."""
        self._next.replace(self._path)
        sync_directory(self._path.parent)
        return self._path.read_text(encoding="ascii").strip()


def digest_of(secret: str) -> str:
    """What the server is told."""
    return hashlib.sha256(secret.encode()).hexdigest()
