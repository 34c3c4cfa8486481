"""Placement policies by date; append-only."""

from __future__ import annotations

from sqlalchemy import select

from baygrid.ports.basics import Instant
from baygrid.ports.records import PolicyRecord
from baygrid.store.documents import dumps, loads
from baygrid.store.offers import GROW
from baygrid.store.sql import Row, Session, Statement, insert_all_or_raise, insert_new, number
from baygrid.store.tables import policies

_C = policies.c
_INSERT = insert_new(policies)
_ROWS = select(_C.id, _C.valid_from, _C.set_at, _C.set_by, _C.document)
_HISTORY = Statement(_ROWS.order_by(_C.valid_from, _C.id))
_IN_FORCE = Statement(
    _ROWS.where(_C.valid_from <= number("now")).order_by(_C.valid_from.desc(), _C.id.desc()).limit(1)
)


def _policy(row: Row) -> PolicyRecord:
    id, valid_from, set_at, set_by, document = row
    return PolicyRecord(id, valid_from, set_at, set_by, loads(document))


class Policies:
    """Implements `ports.store.Policies`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: PolicyRecord) -> None:
        params = {
            "id": row.id,
            "valid_from": row.valid_from,
            "set_at": row.set_at,
            "set_by": row.set_by,
            "document": dumps(row.document),
        }
        insert_all_or_raise(self._session, _INSERT, [params], f"policy {row.id!r}")
        self._session.change(GROW, {})

    def in_force(self, now: Instant) -> PolicyRecord | None:
        found = self._session.all(_IN_FORCE, {"now": now})
        return _policy(found[0]) if found else None

    def history(self) -> list[PolicyRecord]:
        return [_policy(row) for row in self._session.all(_HISTORY, {})]
