"""The agent's signing key: what makes its usage records evidence."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Key:
    """An Ed25519 key, kept as 32 raw bytes in a file that only its owner reads."""

    def __init__(self, secret: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self.public_key = self._private.public_key().public_bytes_raw().hex()

    @classmethod
    def new(cls) -> Key:
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def load(cls, path: Path) -> Key:
        """The key at `path`; the first call makes it, durably, so that no record is signed by a lost key."""
        try:
            return cls(path.read_bytes())
        except FileNotFoundError:
            pass
        secret = Ed25519PrivateKey.generate().private_bytes_raw()
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, secret)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.replace(path)
        sync_directory(path.parent)
        return cls(secret)

    def sign(self, data: bytes) -> str:
        """Hex."""
        return self._private.sign(data).hex()


def sync_directory(path: Path) -> None:
    """Makes a name in `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
