"""Was this written by that centre's agent?"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from baygrid.ports.messages import SignedUsage
from baygrid.ports.wire import usage_bytes


def verify(public_key: str, signed: SignedUsage) -> bool:
    """`public_key` is hex, as in a Report. Anything that is not a key or a signature is simply not valid."""
    return signed_by(public_key, signed.signature, usage_bytes(signed.usage))


def signed_by(public_key: str, signature: str, data: bytes) -> bool:
    """Both in hex. As `verify`."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True
