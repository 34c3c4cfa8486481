"""Pools and vouchers. A charge locks what it may draw on, pools first and each in the order of names, so that
no two wait for each other in a circle; the tables themselves refuse to go below nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from sqlalchemy import ColumnElement, or_, select, update

from baygrid.core.pricing.vouchers import Drawn, Share, Terms, Voucher
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.support import PoolRow, VoucherRow
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.money_tables import pools, vouchers
from baygrid.store.sql import Row, Session, Statement, among, insert_all_or_raise, insert_new, number, text
from baygrid.store.tables import organisations, projects

_P, _V = pools.c, vouchers.c
_INSERT_POOL = insert_new(pools)
_POOLS = Statement(select(pools).order_by(_P.name))
_ADD = Statement(
    update(pools)
    .where(_P.name == text("key"), _P.amount + number("more") >= _P.paid)
    .values(amount=_P.amount + number("more"))
)
# A write of the same value: on both databases it locks the row and answers with what is in it now.
_LOCK_POOL = Statement(update(pools).where(_P.name == text("key")).values(paid=_P.paid).returning(*pools.c))
_SPEND_POOL = Statement(update(pools).where(_P.name == text("key")).values(paid=_P.paid + number("more")))
_LOCK_ORGANISATION = Statement(
    update(organisations).where(organisations.c.name == text("key")).values(kind=organisations.c.kind)
)
_INSERT_VOUCHER = insert_new(vouchers)
_TERMS: tuple[ColumnElement[object], ...] = (
    _V.id, _V.pool, _P.currency, _V.rate, _V.cap, _V.contract, _V.valid_from, _V.valid_until, _V.base,
    _V.paid, _V.carry,
)  # fmt: skip
_ROWS = (
    select(*_TERMS, _V.organisation, _V.project, _V.issued_at, _V.issued_by, _V.finding, _V.revoked_at)
    .join_from(vouchers, pools, _V.pool == _P.name)
    .order_by(_V.id)
)
_ALL = Statement(_ROWS)
_OF_ORGANISATION = Statement(_ROWS.where(_V.organisation == text("of")))
_OF_PROJECTS = Statement(
    select(projects.c.name, *_TERMS)
    .join_from(projects, vouchers, _V.organisation == projects.c.organisation)
    .join(pools, _V.pool == _P.name)
    .where(
        among(projects.c.name, "keys"),
        or_(_V.project.is_(None), _V.project == projects.c.name),
        _V.revoked_at.is_(None),
    )
    .order_by(projects.c.name, _V.id)
)
_REVOKE = Statement(
    update(vouchers).where(_V.id == text("key"), _V.revoked_at.is_(None)).values(revoked_at=number("at"))
)
_LOCK = Statement(
    update(vouchers)
    .where(_V.id == text("key"))
    .values(paid=_V.paid)
    .returning(_V.base, _V.paid, _V.carry, _V.revoked_at)
)
_SPEND = Statement(
    update(vouchers)
    .where(_V.id == text("key"))
    .values(base=number("base_now"), paid=number("paid_now"), carry=number("carry_now"))
)


def _voucher(row: Row) -> Voucher:
    id, pool, currency, rate, cap, contract, start, end, base, paid, carry = row
    worth = None if contract is None else Money(contract, currency)
    terms = Terms(Fraction(rate), Money(cap, currency), worth, start, end)
    return Voucher(id, pool, terms, Drawn(base, paid, carry))


def _row(row: Row) -> VoucherRow:
    organisation, project, issued_at, issued_by, finding, revoked_at = row[11:]
    told = loads(finding)
    return VoucherRow(_voucher(row[:11]), organisation, project, issued_at, issued_by, told, revoked_at)


class Support:
    """Implements `ports.support.Support`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert_pool(self, row: PoolRow) -> None:
        params = {
            "name": row.name,
            "payer": clean(row.payer),
            "rulebook": row.rulebook,
            "clause": row.clause,
            "currency": row.currency,
            "amount": row.amount,
            "paid": row.paid,
            "made_at": row.made_at,
            "made_by": row.made_by,
        }
        insert_all_or_raise(self._session, _INSERT_POOL, [params], f"a pool {row.name!r}")

    def add_to_pool(self, name: str, amount: int) -> bool:
        return bool(self._session.change(_ADD, {"key": name, "more": amount}))

    def lock_pool(self, name: str) -> PoolRow | None:
        row = self._session.returning(_LOCK_POOL, {"key": name})
        return None if row is None else PoolRow(*row)

    def pools(self) -> list[PoolRow]:
        return [PoolRow(*row) for row in self._session.all(_POOLS, {})]

    def insert_voucher(self, row: VoucherRow) -> None:
        it = row.voucher
        terms = it.terms
        params = {
            "id": it.id,
            "organisation": row.organisation,
            "project": row.project,
            "pool": it.pool,
            "rate": str(terms.rate),
            "cap": terms.cap.minor,
            "contract": None if terms.contract is None else terms.contract.minor,
            "valid_from": terms.valid_from,
            "valid_until": terms.valid_until,
            "base": it.drawn.base,
            "paid": it.drawn.paid,
            "carry": it.drawn.carry,
            "issued_at": row.issued_at,
            "issued_by": row.issued_by,
            "finding": dumps(row.finding),
            "revoked_at": row.revoked_at,
        }
        insert_all_or_raise(self._session, _INSERT_VOUCHER, [params], f"a voucher {it.id!r}")

    def vouchers(self, organisation: str | None = None) -> list[VoucherRow]:
        if organisation is None:
            return [_row(row) for row in self._session.all(_ALL, {})]
        return [_row(row) for row in self._session.all(_OF_ORGANISATION, {"of": organisation})]

    def revoke(self, id: str, at: Instant) -> bool:
        return bool(self._session.change(_REVOKE, {"key": id, "at": at}))

    def of_projects(self, projects: Iterable[str]) -> dict[str, list[Voucher]]:
        names = sorted(set(projects))
        found: dict[str, list[Voucher]] = {name: [] for name in names}
        if names:
            for name, *row in self._session.all(_OF_PROJECTS, {"keys": self._session.texts(names)}):
                found[name].append(_voucher(tuple(row)))
        return found

    def lock(self, vouchers: Sequence[Voucher]) -> tuple[tuple[Voucher, ...], dict[str, int]]:
        left = {}
        vouchers = list({it.id: it for it in vouchers}.values())
        for name in sorted({it.pool for it in vouchers}):
            pool = self.lock_pool(name)
            assert pool is not None, name
            left[name] = pool.left
        locked = [self._locked(it) for it in sorted(vouchers, key=lambda it: it.id)]
        return tuple(it for it in locked if it is not None), left

    def _locked(self, it: Voucher) -> Voucher | None:
        """None: it was revoked meanwhile."""
        row = self._session.returning(_LOCK, {"key": it.id})
        assert row is not None, it.id
        base, paid, carry, revoked_at = row
        return replace(it, drawn=Drawn(base, paid, carry)) if revoked_at is None else None

    def lock_organisation(self, name: str) -> bool:
        return bool(self._session.change(_LOCK_ORGANISATION, {"key": name}))

    def spend(self, shares: Sequence[Share]) -> None:
        pools = Counter[str]()
        for share in shares:
            pools[share.pool] += share.paid
        for pool, paid in pools.items():
            self._session.change(_SPEND_POOL, {"key": pool, "more": paid})
        for id, now in {share.voucher: share.after for share in shares}.items():
            params = {"key": id, "base_now": now.base, "paid_now": now.paid, "carry_now": now.carry}
            self._session.change(_SPEND, params)
