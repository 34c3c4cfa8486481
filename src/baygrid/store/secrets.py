"""Secrets of projects, as sealed texts."""

from __future__ import annotations

from sqlalchemy import and_, delete, select

from baygrid.ports.records import SecretRecord
from baygrid.store.sql import Session, Statement, insert_all_or_raise, insert_new, text
from baygrid.store.tables import secrets

_C = secrets.c
# In the order of SecretRecord's fields.
_ROWS = select(_C.project, _C.name, _C.sealed, _C.key, _C.set_at, _C.set_by)
_THIS = and_(_C.project == text("of"), _C.name == text("named"))
_INSERT = insert_new(secrets)
_DELETE = Statement(delete(secrets).where(_THIS))
_OF = Statement(_ROWS.where(_C.project == text("of")).order_by(_C.name))
_OTHERWISE = Statement(_ROWS.where(_C.key != text("current")).order_by(_C.project, _C.name))


class Secrets:
    """Implements `ports.store.Secrets`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, row: SecretRecord) -> None:
        self.delete(row.project, row.name)
        params = {
            "project": row.project,
            "name": row.name,
            "sealed": row.sealed,
            "key": row.key,
            "set_at": row.set_at,
            "set_by": row.set_by,
        }
        insert_all_or_raise(self._session, _INSERT, [params], f"secret {row.name!r}")

    def delete(self, project: str, name: str) -> bool:
        return self._session.change(_DELETE, {"of": project, "named": name}) > 0

    def of(self, project: str) -> list[SecretRecord]:
        return [SecretRecord(*row) for row in self._session.all(_OF, {"of": project})]

    def sealed_otherwise(self, key: str) -> list[SecretRecord]:
        return [SecretRecord(*row) for row in self._session.all(_OTHERWISE, {"current": key})]
