"""Public support as rows: pools of money, and vouchers that draw on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from baygrid.core.pricing.vouchers import Share, Voucher
from baygrid.ports.basics import Instant
from baygrid.ports.records import Project


@dataclass(frozen=True, slots=True)
class PoolRow:
    """What `payer` gives under one clause, in minor units; `paid` of it is spent by vouchers' shares."""

    name: str
    payer: str
    rulebook: str
    clause: str
    currency: str
    amount: int
    paid: int
    made_at: Instant
    made_by: str

    @property
    def left(self) -> int:
        return self.amount - self.paid


@dataclass(frozen=True, slots=True)
class VoucherRow:
    """Issued to an organisation for all its projects, or for one; its terms never change. `finding`: the
    clause, and what was found of the applicant by it (facts, ceiling, trace), as it was on that day.
    `revoked_at`: since then it pays for nothing more."""

    voucher: Voucher
    organisation: str
    project: str | None
    issued_at: Instant
    issued_by: str
    finding: Mapping[str, Any]
    revoked_at: Instant | None = None

    def is_for(self, project: Project) -> bool:
        return self.organisation == project.organisation and self.project in (None, project.name)


class Support(Protocol):
    """Pools and vouchers. What is spent is a conditional update: never above a pool, a cap, a contract."""

    def insert_pool(self, row: PoolRow) -> None:
        """Raises Exists."""
        ...

    def add_to_pool(self, name: str, amount: int) -> bool:
        """False when there is none of that name, or less than nothing would be left."""
        ...

    def lock_pool(self, name: str) -> PoolRow | None:
        """Nobody else changes it before this transaction ends."""
        ...

    def pools(self) -> list[PoolRow]:
        """By name."""
        ...

    def insert_voucher(self, row: VoucherRow) -> None: ...

    def vouchers(self, organisation: str | None = None) -> list[VoucherRow]:
        """By id."""
        ...

    def revoke(self, id: str, at: Instant) -> bool:
        """False where there is none, or it was revoked before."""
        ...

    def lock_organisation(self, name: str) -> bool:
        """Nobody else is issued a voucher for it before this transaction ends. False where there is none."""
        ...

    def of_projects(self, projects: Iterable[str]) -> dict[str, list[Voucher]]:
        """Those that are not revoked, whatever they still have."""
        ...

    def lock(self, vouchers: Sequence[Voucher]) -> tuple[tuple[Voucher, ...], dict[str, int]]:
        """The same, each once, as they are now, without those that were revoked; and what is left of their
        pools. Nobody else changes either before this transaction ends."""
        ...

    def spend(self, shares: Sequence[Share]) -> None:
        """In the order in which they were taken, of vouchers that this transaction has locked."""
        ...
