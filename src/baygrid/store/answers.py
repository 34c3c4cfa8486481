"""Answers to requests that carried an Idempotency-Key."""

from __future__ import annotations

from sqlalchemy import select

from baygrid.ports.records import StoredAnswer
from baygrid.ports.store import Conflict
from baygrid.store.documents import clean
from baygrid.store.sql import Session, Statement, insert_new, text
from baygrid.store.tables import answers

_C = answers.c
_FIND = Statement(
    select(_C.project, _C.key, _C.body_sha256, _C.status, _C.body, _C.at).where(
        _C.project == text("in_project"), _C.key == text("of_key")
    )
)
_INSERT = insert_new(answers)


class Answers:
    """Implements `ports.store.Answers`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, project: str, key: str) -> StoredAnswer | None:
        found = self._session.all(_FIND, {"in_project": project, "of_key": clean(key)})
        return StoredAnswer(*found[0]) if found else None

    def insert(self, row: StoredAnswer) -> None:
        """Conflict, not Exists: run again, the work finds the other's answer."""
        params = {
            "project": row.project,
            "key": clean(row.key),
            "body_sha256": row.body_sha256,
            "status": row.status,
            "body": clean(row.body),
            "at": row.at,
        }
        if not self._session.change(_INSERT, params):
            raise Conflict("the same Idempotency-Key was used meanwhile")
