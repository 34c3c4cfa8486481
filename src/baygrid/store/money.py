"""Balances, usage records and what they cost."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import case, or_, select, update

from baygrid.core.pricing.months import Month
from baygrid.ports.basics import Instant
from baygrid.ports.messages import SignedUsage, Usage
from baygrid.ports.usage import ChargeRow, UsageRow
from baygrid.store.documents import dumps, loads
from baygrid.store.ledger import Ledger
from baygrid.store.money_tables import charges, usage
from baygrid.store.sql import Row, Statement, among, insert_all_or_raise, insert_new, number, text
from baygrid.store.tables import projects

# Far from the ends of 64 bits, so that sums of two such numbers still fit.
_LARGEST = 2**61

CLOCKS_MS = 600_000
"""By so much may a centre's clock be before ours."""

_P = projects.c
_turns = _P.month < number("this_month")
_before = case((_turns, _P.charged), else_=_P.before)
_MOVE = Statement(
    update(projects)
    .where(
        _P.name == text("of"),
        _P.granted
        + number("more_granted")
        - _P.held
        - number("more_held")
        - _P.charged
        - number("more_charged")
        >= 0,
        _P.held + number("more_held") >= 0,
        or_(
            number("more_held") + number("more_charged") <= 0,
            _P.hard == 0,
            _P.held + number("more_held") + _P.charged + number("more_charged") - _before <= _P.budget,
        ),
    )
    .values(
        granted=_P.granted + number("more_granted"),
        held=_P.held + number("more_held"),
        charged=_P.charged + number("more_charged"),
        month=case((_turns, number("this_month")), else_=_P.month),
        before=_before,
        alerted=case((_turns, 0), else_=_P.alerted),
    )
)
# A write of the same balances locks the row on both databases.
_LOCK = Statement(update(projects).where(_P.name == text("of")).values(granted=_P.granted))
_PROJECT = Statement(select(_P.name).where(_P.name == text("of")))

_INSERT_USAGE = insert_new(usage)
_U = usage.c
_USAGE = select(
    _U.centre, _U.project, _U.job, _U.public_key, _U.document, _U.signature, _U.stored_at
).order_by(_U.job, _U.attempt, _U.n)
# A stretch comes in after it ended, but for how far clocks may differ.
_USAGE_AT = Statement(
    select(_U.centre, _U.project, _U.job, _U.public_key, _U.document, _U.signature, _U.stored_at)
    .where(_U.centre == text("at"), _U.stored_at >= number("since"))
    .order_by(_U.stored_at, _U.attempt, _U.n)
)
_USAGE_OF = Statement(_USAGE.where(among(_U.attempt, "keys")))

_INSERT_CHARGE = insert_new(charges, without=["number"])
_C = charges.c
# In the order of ChargeRow's fields.
_CHARGES = select(
    _C.attempt,
    _C.n,
    _C.job,
    _C.project,
    _C.centre,
    _C.offer,
    _C.at,
    _C.currency,
    _C.lines,
    _C.amount,
    _C.overrun,
    _C.ledger,
    _C.supported,
    _C.shares,
    _C.covers,
).order_by(_C.number)
_CHARGES_POSTED = Statement(
    _CHARGES.where(_C.project == text("of"), _C.at >= number("start"), _C.at < number("until"))
)
_ALL_CHARGES = Statement(_CHARGES.where(_C.at >= number("start"), _C.at < number("until")))
_CHARGES_OF = Statement(_CHARGES.where(among(_C.job, "keys")))


def _usage(row: Row) -> UsageRow:
    centre, project, job, public_key, document, signature, stored_at = row
    return UsageRow(
        centre, project, job, public_key, SignedUsage(Usage(**loads(document)), signature), stored_at
    )


def _charge(row: Row) -> ChargeRow:
    values = list(row)
    values[8] = tuple(loads(row[8]))
    values[13] = tuple(loads(row[13]))
    values[14] = tuple(loads(row[14]))
    return ChargeRow(*values)


class Money(Ledger):
    """Implements `ports.store.Money`."""

    __slots__ = ()

    def move(
        self, project: str, *, at: Instant = 0, granted: int = 0, held: int = 0, charged: int = 0
    ) -> bool:
        """Also False when what is held would become negative."""
        if max(abs(granted), abs(held), abs(charged)) > _LARGEST:
            return False
        params = {
            "of": project,
            "this_month": Month.of(at).start,
            "more_granted": granted,
            "more_held": held,
            "more_charged": charged,
        }
        if self._session.change(_MOVE, params):
            return True
        if not self._session.all(_PROJECT, {"of": project}):
            raise KeyError(project)
        return False

    def lock(self, project: str) -> None:
        if not self._session.change(_LOCK, {"of": project}):
            raise KeyError(project)

    def insert_usage(self, rows: Sequence[UsageRow]) -> None:
        """The record is kept as its document, so that every number comes back exactly as it was signed."""
        params = [
            {
                "attempt": row.signed.usage.attempt,
                "n": row.signed.usage.n,
                "centre": row.centre,
                "project": row.project,
                "job": row.job,
                "public_key": row.public_key,
                "stored_at": row.stored_at,
                "signature": row.signed.signature,
                "document": dumps(row.signed.usage),
            }
            for row in rows
        ]
        if params:
            self._session.change_many(_INSERT_USAGE, params)

    def insert_charges(self, rows: Sequence[ChargeRow]) -> None:
        """On Exists the transaction is to be given up: others of `rows` may have been written."""
        times = self.opened(row.at for row in rows)
        params = [
            {
                "attempt": row.attempt,
                "n": row.n,
                "job": row.job,
                "project": row.project,
                "centre": row.centre,
                "offer": row.offer,
                "at": times[row.at],
                "currency": row.currency,
                "amount": row.amount,
                "overrun": row.overrun,
                "ledger": row.transaction,
                "lines": dumps(row.lines),
                "supported": row.supported,
                "shares": dumps(row.shares),
                "covers": dumps(row.covers),
            }
            for row in rows
        ]
        insert_all_or_raise(self._session, _INSERT_CHARGE, params, "a charge for this usage record")

    def usage_of(self, attempts: Sequence[str]) -> list[UsageRow]:
        if not attempts:
            return []
        return [_usage(row) for row in self._session.all(_USAGE_OF, {"keys": self._session.texts(attempts)})]

    def usage_at(self, centre: str, start: Instant, end: Instant) -> list[UsageRow]:
        found = self._session.all(_USAGE_AT, {"at": centre, "since": start - CLOCKS_MS})
        rows = [_usage(row) for row in found]
        return [row for row in rows if start <= row.signed.usage.end < end]

    def charges(self, project: str, start: Instant, end: Instant) -> list[ChargeRow]:
        params = {"of": project, "start": start, "until": end}
        return [_charge(row) for row in self._session.all(_CHARGES_POSTED, params)]

    def all_charges(self, start: Instant, end: Instant) -> list[ChargeRow]:
        return [_charge(row) for row in self._session.all(_ALL_CHARGES, {"start": start, "until": end})]

    def charges_of(self, jobs: Sequence[str]) -> list[ChargeRow]:
        """In the order of posting."""
        if not jobs:
            return []
        return [_charge(row) for row in self._session.all(_CHARGES_OF, {"keys": self._session.texts(jobs)})]
