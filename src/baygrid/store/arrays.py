"""Arrays of jobs: what is known of all their elements together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from sqlalchemy import select, update

from baygrid.ports.records import ArrayRecord
from baygrid.ports.store import Conflict
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.jobs import insert_waits
from baygrid.store.sql import (
    Row,
    Session,
    Statement,
    among,
    insert_all_or_raise,
    insert_new,
    number,
    text,
    update_version,
)
from baygrid.store.tables import arrays

_C = arrays.c
# In the order of ArrayRecord's fields.
_COLUMNS = (
    _C.id,
    _C.project,
    _C.name,
    _C.size,
    _C.parallel,
    _C.left,
    _C.submitted_at,
    _C.submitted_by,
    _C.failed,
    _C.version,
    _C.waits_for,
)
_ALL = select(*_COLUMNS)
_INSERT = insert_new(arrays)
_ONCE = ("project", "name", "size", "parallel", "left", "failed", "submitted_at", "submitted_by")
_UPDATE = update_version(arrays, without=_ONCE)
_MANY = Statement(_ALL.where(among(_C.id, "keys")))
_LOCK = Statement(
    _ALL.where(among(_C.id, "keys")),
    _ALL.where(among(_C.id, "keys")).order_by(_C.id).with_for_update(read=True),
)
# By (project given, before given).
_PAGES = {
    (project, before): Statement(
        _ALL.where(
            *([_C.project == text("in_project")] if project else []),
            *([_C.id < text("before")] if before else []),
        )
        .order_by(_C.id.desc())
        .limit(number("count"))
    )
    for project, before in product((False, True), repeat=2)
}
_END = Statement(
    update(arrays)
    .where(_C.id == text("key"))
    .values(
        left=_C.left - number("fewer"), failed=_C.failed + number("more"), version=_C.version + number("one")
    )
    .returning(*_COLUMNS)
)


def _record(row: Row) -> ArrayRecord:
    values = list(row)
    values[10] = tuple(loads(row[10]))
    return ArrayRecord(*values)


def _params(row: ArrayRecord) -> dict[str, Any]:
    return {
        "id": row.id,
        "project": row.project,
        "name": clean(row.name),
        "size": row.size,
        "parallel": row.parallel,
        "left": row.left,
        "submitted_at": row.submitted_at,
        "submitted_by": clean(row.submitted_by),
        "failed": row.failed,
        "version": row.version,
        "waits_for": dumps(row.waits_for),
    }


class Arrays:
    """Implements `ports.store.Arrays`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, rows: Sequence[ArrayRecord]) -> None:
        insert_all_or_raise(self._session, _INSERT, [_params(row) for row in rows], "an array with this id")
        insert_waits(self._session, rows)

    def get(self, ids: Sequence[str]) -> dict[str, ArrayRecord]:
        return self._by_id(_MANY, ids)

    def lock(self, ids: Sequence[str]) -> dict[str, ArrayRecord]:
        return self._by_id(_LOCK, ids)

    def page(self, project: str | None, before: str | None, limit: int) -> list[ArrayRecord]:
        params: dict[str, Any] = {"count": limit}
        if project is not None:
            params["in_project"] = project
        if before is not None:
            params["before"] = before
        found = self._session.all(_PAGES[project is not None, before is not None], params)
        return [_record(row) for row in found]

    def update(self, row: ArrayRecord) -> None:
        params = {"key": row.id, "read_version": row.version, "waits_for": dumps(row.waits_for)}
        if self._session.change(_UPDATE, params) != 1:
            raise Conflict("an array has changed since it was read")

    def count_down(self, id: str, ended: int, failed: int) -> ArrayRecord:
        row = self._session.returning(_END, {"key": id, "fewer": ended, "more": failed, "one": 1})
        assert row is not None, f"there is no array {id}"
        return _record(row)

    def _by_id(self, statement: Statement, ids: Sequence[str]) -> dict[str, ArrayRecord]:
        if not ids:
            return {}
        found = self._session.all(statement, {"keys": self._session.texts(ids)})
        return {row[0]: _record(row) for row in found}
