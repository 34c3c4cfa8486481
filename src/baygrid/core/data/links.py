"""Addresses of shared files: whoever holds one may fetch that file under that grant until it ends, if the
grant and the law still say so then. HMAC-SHA256 (RFC 2104) over all that the address says."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LIFE_MS: Final = 3_600_000
"""The longest life of an address."""
READING: Final = "sp"
"""Says nothing here. By it (Azure's name for what a signed address permits) Delta's kernel tells that it may
fetch an address as it is."""
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Link:
    """`until`: an instant in milliseconds since 1970, UTC. `recipient`: to whom it was given."""

    file: str
    grant: str
    recipient: str
    until: int

    def said(self) -> bytes:
        """What is signed: no two links say the same, since no part has a line's end in it."""
        return "\n".join(("file", self.file, self.grant, self.recipient, str(self.until))).encode()


def signature(key: bytes, link: Link) -> str:
    return hmac.new(key, link.said(), hashlib.sha256).hexdigest()


def query(keys: Sequence[bytes], link: Link) -> dict[str, str]:
    """What the address of the file gets behind its question mark, by the newest key."""
    return {
        "until": str(link.until),
        "grant": link.grant,
        "recipient": link.recipient,
        "sig": signature(keys[0], link),
        READING: "r",
    }


def valid(keys: Sequence[bytes], link: Link, given: str, now: int) -> bool:
    """Whether this server signed it, by one of its keys, and it has not ended. The time it takes does not
    depend on how much of the signature is right."""
    said = given.encode(errors="replace")
    same = [hmac.compare_digest(signature(key, link).encode(), said) for key in keys]
    return any(same) and _SIGNATURE.fullmatch(given) is not None and now < link.until <= now + LIFE_MS
