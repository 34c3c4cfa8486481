"""Allocations. What the leader does to one is a conditional update: done once, whoever else tries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sqlalchemy import BigInteger, cast, exists, func, select, update
from sqlalchemy import text as verbatim

from baygrid.core.pricing.accounts import project_account
from baygrid.core.pricing.allocations import Allocation, Source
from baygrid.core.units import Money
from baygrid.ports.accounts import AllocationRow
from baygrid.ports.basics import Instant
from baygrid.store.account_tables import allocations
from baygrid.store.applications import Applications
from baygrid.store.documents import clean
from baygrid.store.money_tables import charges, ledger, postings
from baygrid.store.sql import Row, Statement, insert_all_or_raise, insert_new, number, text
from baygrid.store.tables import projects

_END = 2**62  # after every moment

_A, _C, _L, _P = allocations.c, charges.c, ledger.c, postings.c
_INSERT = insert_new(allocations)
_ROWS = select(
    _A.id,
    _A.project,
    _A.source,
    _A.amount,
    projects.c.currency,
    _A.start,
    _A.end,
    _A.purpose,
    _A.returned,
    _A.made_at,
    _A.made_by,
    _A.begun,
    _A.due,
    _A.warned,
    _A.returns,
    _A.application,
).join_from(allocations, projects, _A.project == projects.c.name)
_ALL = Statement(_ROWS.order_by(_A.project, _A.id))
_OF_PROJECT = Statement(_ROWS.where(_A.project == text("of")).order_by(_A.id))
_DUE = Statement(_ROWS.where(_A.due <= number("now")).order_by(_A.due, _A.id).limit(number("count")))
_CHANGE = Statement(
    update(allocations)
    .where(
        _A.id == text("key"),
        _A.due == number("was_due"),
        _A.begun == number("had_begun"),
        _A.returned == number("had_returned"),
    )
    .values(
        begun=number("begins"),
        warned=number("warns"),
        returned=number("returns_now"),
        returns=number("times"),
        due=number("next_due"),
    )
)
_CHARGED = Statement(
    select(cast(func.coalesce(func.sum(_C.amount), 0), BigInteger)).where(
        _C.project == text("of"), _C.at >= number("start"), _C.at < number("until")
    )
)
_earning = postings.alias("earning")
# What projects pay besides for jobs: whatever else anybody earns by. The first condition is that of the
# index, word for word.
_OTHERS = Statement(
    select(cast(func.coalesce(func.sum(_P.amount), 0), BigInteger))
    .join_from(ledger, postings, _P.ledger == _L.id)
    .where(
        verbatim("substr(ledger.key, 1, 7) <> 'charge:'"),
        _L.at >= number("start"),
        _L.at < number("until"),
        _P.account == text("account"),
        exists().where(_earning.c.ledger == _L.id, _earning.c.account.like("Income:%")),
    )
)


def _row(row: Row) -> AllocationRow:
    id, project, source, amount, currency, start, end, purpose, returned = row[:9]
    made_at, made_by, begun, due, warned, returns, application = row[9:]
    money = Money(amount, currency)
    it = Allocation(id, project, Source(source), money, start, end, purpose, returned)
    return AllocationRow(it, made_at, made_by, bool(begun), due, warned, returns, application)


class Accounts(Applications):
    """Implements `ports.accounts.Accounts`."""

    __slots__ = ()

    def insert_allocation(self, row: AllocationRow) -> None:
        it = row.allocation
        params = {
            "id": it.id,
            "project": it.project,
            "source": it.source.value,
            "amount": it.amount.minor,
            "start": it.start,
            "end": it.end,
            "purpose": clean(it.purpose),
            "returned": it.returned,
            "returns": row.returns,
            "begun": int(row.begun),
            "warned": row.warned,
            "due": row.due,
            "made_at": row.made_at,
            "made_by": row.made_by,
            "application": row.application,
        }
        insert_all_or_raise(self._session, _INSERT, [params], f"an allocation {it.id!r}")

    def allocations(self, project: str | None = None) -> list[AllocationRow]:
        if project is None:
            return [_row(row) for row in self._session.all(_ALL, {})]
        return [_row(row) for row in self._session.all(_OF_PROJECT, {"of": project})]

    def due_allocations(self, now: Instant, limit: int) -> list[AllocationRow]:
        return [_row(row) for row in self._session.all(_DUE, {"now": now, "count": limit})]

    def change_allocation(self, before: AllocationRow, after: AllocationRow) -> bool:
        params = {
            "key": before.allocation.id,
            "was_due": before.due,
            "had_begun": int(before.begun),
            "had_returned": before.allocation.returned,
            "begins": int(after.begun),
            "warns": after.warned,
            "returns_now": after.allocation.returned,
            "times": after.returns,
            "next_due": after.due,
        }
        return bool(self._session.change(_CHANGE, params))

    def spending(self, project: str, bounds: Sequence[Instant]) -> list[tuple[Instant, int]]:
        account = project_account(project)
        found = []
        for start, until in pairwise([*bounds, _END]):
            within = {"start": start, "until": until}
            ((jobs,),) = self._session.all(_CHARGED, {"of": project, **within})
            ((others,),) = self._session.all(_OTHERS, {"account": account, **within})
            found.append((start, jobs + others))
        return found
