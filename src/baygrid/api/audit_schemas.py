"""The shapes of answers about the audit."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from baygrid.api.schemas import Shape, Time

_HASH = Field(description="64 hex digits")


class Link(Shape):
    """`hash` is SHA-256 of `previous` and the SHA-256 of all else (docs/audit.md says how)."""

    n: int
    at: Time
    kind: str = Field(examples=["table-added"])
    contract: str | None
    project: str | None
    data: dict[str, Any]
    hash: str = _HASH


class FullLink(Shape):
    """As its hash is made of it."""

    n: int
    at: int = Field(description="milliseconds since 1970, UTC")
    kind: str
    contract: str | None
    project: str | None
    data: dict[str, Any]
    salt: str
    previous: str = _HASH
    hash: str = _HASH


class HiddenLink(Shape):
    """One that is not for the caller."""

    n: int
    digest: str = _HASH
    hash: str = _HASH
