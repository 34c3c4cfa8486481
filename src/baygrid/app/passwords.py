"""Passwords of local accounts: kept as scrypt of them, so that who has the store still has to guess each."""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from threading import Semaphore
from typing import Final

from baygrid.app.problems import Invalid

LEAST: Final = 12
MOST: Final = 200
_N, _R, _P = 2**15, 8, 3
"""As OWASP advises: 32 MiB, and about a quarter of a second."""
_FORM: Final = "scrypt"
_AT_ONCE = Semaphore(2)
"""Each takes memory and a core, and whoever is not signed in may ask for it."""


def check(password: str) -> str:
    """As it is kept: the same on every keyboard. Raises Invalid."""
    told = unicodedata.normalize("NFKC", password)
    if not LEAST <= len(told) <= MOST:
        raise Invalid.at("password", f"must have {LEAST} to {MOST} characters")
    return told


def hashed(password: str) -> str:
    """With its salt and what it was made by. Takes a while."""
    salt = os.urandom(16)
    return f"{_FORM}${_N}${_R}${_P}${salt.hex()}${_scrypt(password, salt, _N, _R, _P).hex()}"


def matches(password: str, kept: str | None) -> bool:
    """Takes as long whatever the answer is; `kept` None: there is no such account."""
    _, n, r, p, salt, digest = (kept or _NOBODYS).split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(digest)) and kept is not None


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    told = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    with _AT_ONCE:
        return hashlib.scrypt(told, salt=salt, n=n, r=r, p=p, maxmem=2 * 128 * n * r, dklen=32)


_NOBODYS: Final = f"{_FORM}${_N}${_R}${_P}${'00' * 16}${'00' * 32}"
