"""What was used and what it cost, as rows that are never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baygrid.ports.basics import Instant
from baygrid.ports.messages import SignedOutside, SignedUsage


@dataclass(frozen=True, slots=True)
class UsageRow:
    """`public_key`: hex Ed25519 key of the agent that signed, as it was when the record came in."""

    centre: str
    project: str
    job: str
    public_key: str
    signed: SignedUsage
    stored_at: Instant


@dataclass(frozen=True, slots=True)
class OutsideRow:
    """A job that ran at a centre without Baygrid. `public_key`: as in `UsageRow`."""

    centre: str
    public_key: str
    signed: SignedOutside
    stored_at: Instant


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """What one usage record cost. `lines` as by `core.pricing.charge`; `amount` of them was paid by the
    project, `overrun` by the platform, because it lay above the hold, `supported` by vouchers, of which
    `shares` has each as by `core.pricing.vouchers.Share`. Minor units. `covers`: what its attempt still had
    of trades before this usage, each as by `core.pricing.contracts.Cover`."""

    attempt: str
    n: int
    job: str
    project: str
    centre: str
    offer: str
    at: Instant
    currency: str
    lines: Sequence[Mapping[str, Any]]
    amount: int
    overrun: int
    transaction: str
    supported: int = 0
    shares: Sequence[Mapping[str, Any]] = ()
    covers: Sequence[Mapping[str, Any]] = ()

    @property
    def total(self) -> int:
        """What the centre earns."""
        return self.amount + self.overrun + self.supported
