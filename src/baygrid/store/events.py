"""The append-only event stream.

On PostgreSQL ids are drawn before their transaction commits, so a smaller id can become visible after a
larger one was read. Rows are therefore ordered by (transaction, id), and only those are shown whose
transaction is older than every transaction still running: nothing can appear before them any more. SQLite has
one writer, so ids suffice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from sqlalchemy import BigInteger, ColumnElement, Select, case, literal_column, select, tuple_
from sqlalchemy.sql.elements import UnaryExpression

from baygrid.ports.records import Cursor, Event
from baygrid.store.documents import clean_or_none, dumps, loads
from baygrid.store.notices import Notices
from baygrid.store.sql import POSTGRESQL, Row, Session, Statement, insert_new, number, text
from baygrid.store.tables import events

_C = events.c
_INSERT = insert_new(events, without=["id", "xid"])
# In the order of Event's fields, after the place in the stream.
_ROWS = select(_C.xid, _C.id, _C.at, _C.kind, _C.project, _C.job, _C.attempt, _C.centre, _C.term, _C.data)
_SETTLED = _C.xid < literal_column("(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint", BigInteger())
_NEXT = literal_column("(pg_snapshot_xmax(pg_current_snapshot())::text)::bigint", BigInteger())
# A transaction that is not there yet is one of another cluster, from before a restore (see `schema.py`).
_TRANSACTION = case((number("transaction") < _NEXT, number("transaction")), else_=literal_column("0"))
_PLACE = tuple_(_TRANSACTION, number("number"))
_NEWER_ON_POSTGRESQL = tuple_(_C.xid, _C.id) > _PLACE


def _after(*conditions: ColumnElement[bool]) -> Statement:
    chosen = _ROWS.where(*conditions).limit(number("count"))
    return Statement(
        chosen.where(_C.id > number("number")).order_by(_C.id),
        chosen.where(_NEWER_ON_POSTGRESQL, _SETTLED).order_by(_C.xid, _C.id),
    )


# By (project given, job given).
_AFTER = {
    (project, job): _after(
        *([_C.project == text("of_project")] if project else []), *([_C.job == text("of_job")] if job else [])
    )
    for project, job in product((False, True), repeat=2)
}


def _last(*order: UnaryExpression[int]) -> Select[tuple[int, int]]:
    return select(_C.xid, _C.id).order_by(*order).limit(1)


_END = Statement(_last(_C.id.desc()), _last(_C.xid.desc(), _C.id.desc()).where(_SETTLED))


def _event(row: Row) -> tuple[Cursor, Event]:
    values = list(row[2:])
    values[7] = loads(row[9])
    return Cursor(row[0], row[1]), Event(*values)


class Events:
    """Implements `ports.store.Events`."""

    __slots__ = ("_notices", "_session")

    def __init__(self, session: Session, notices: Notices) -> None:
        self._session = session
        self._notices = notices

    def append(self, events: Sequence[Event]) -> None:
        if not events:
            return
        topics = self._session.topics
        topics.add("events")
        rows = []
        for event in events:
            if event.job is not None:
                topics.add(f"job:{event.job}")
            if event.project is not None:
                topics.add(f"project:{event.project}")
            rows.append(
                {
                    "at": event.at,
                    "kind": event.kind,
                    "project": event.project,
                    "job": event.job,
                    "attempt": clean_or_none(event.attempt),
                    "centre": event.centre,
                    "term": event.term,
                    "data": dumps(event.data),
                }
            )
        self._session.change_many(_INSERT, rows)
        self._notices.hear(events)

    def after(
        self,
        cursor: Cursor,
        limit: int,
        *,
        project: str | None = None,
        job: str | None = None,
    ) -> list[tuple[Cursor, Event]]:
        """On SQLite every event is of transaction 0, so a cursor of a later one has nothing after it."""
        params: dict[str, str | int] = {"number": cursor.id, "count": limit}
        if self._session.dialect == POSTGRESQL:
            params["transaction"] = cursor.transaction
        elif cursor.transaction > 0:
            return []
        if project is not None:
            params["of_project"] = project
        if job is not None:
            params["of_job"] = job
        return [
            _event(row) for row in self._session.all(_AFTER[project is not None, job is not None], params)
        ]

    def end(self) -> Cursor:
        """Cursor(0, 0) while there is no event."""
        found = self._session.all(_END, {})
        return Cursor(*found[0]) if found else Cursor()
