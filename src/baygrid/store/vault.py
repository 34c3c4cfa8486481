"""Texts sealed by AES-256-GCM (NIST SP 800-38D), with keys that never enter the database.

Each text has a random nonce of 96 bits: at most 2**32 texts by one key (section 8.3 there), which no region
comes near.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


class AesVault:
    """Implements `ports.basics.Vault`: the first key seals, all of them open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a key is {KEY_BYTES} bytes")
        self._ciphers = {_name(key): AESGCM(key) for key in keys}

    @property
    def key(self) -> str:
        return next(iter(self._ciphers))

    def seal(self, text: str, about: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.key].encrypt(nonce, text.encode(), about.encode())
        return f"{self.key}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, about: str) -> str:
        name, _, rest = sealed.partition(":")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise ValueError(f"it was sealed by the key {name!r}, which this server does not have")
        try:
            data = base64.b64decode(rest, validate=True)
            return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise ValueError("it is not what was sealed") from None


def parse_keys(text: str) -> list[bytes]:
    """One key a line (or between commas), in Base64, the newest first. Raises ValueError, which does not say
    them."""
    keys = []
    for number, line in enumerate(text.replace(",", "\n").split(), 1):
        try:
            key = base64.b64decode(line, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise ValueError(
                f"key {number} is not {KEY_BYTES} bytes in Base64: `openssl rand -base64 32` makes one"
            )
        keys.append(key)
    if not keys:
        raise ValueError("there is no key: `openssl rand -base64 32` makes one")
    return keys


def key_file(path: Path) -> str:
    """What is in the file; the first call makes it, durably, with one new key that only its owner reads."""
    if not path.exists():
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(descriptor)
        part.rename(path)
    return path.read_text(encoding="ascii", errors="replace")


def _name(key: bytes) -> str:
    return hashlib.sha256(b"baygrid-vault-key" + key).hexdigest()[:12]
