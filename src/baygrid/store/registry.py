"""The registry: bodies as documents, with what was done to them; returns, zones, imports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from baygrid.core.region.bodies import Record, Return
from baygrid.core.region.documents import of_document, to_document
from baygrid.ports.basics import Instant
from baygrid.ports.registry import (
    REGISTRY,
    BodyRow,
    Change,
    ChangeRow,
    ImportRow,
    Known,
    ZonesRow,
    return_key,
)
from baygrid.ports.store import Conflict
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.registry_tables import (
    registry_bodies,
    registry_changes,
    registry_imports,
    registry_returns,
    registry_zones,
)
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

_B, _C, _R, _Z = registry_bodies.c, registry_changes.c, registry_returns.c, registry_zones.c
_INSERT_BODY = insert_new(registry_bodies)
_UPDATE_BODY = update_version(registry_bodies, without=())
_BODY = select(_B.id, _B.version, _B.alike, _B.text, _B.merged_into, _B.organisation, _B.document)
_BODY_OF = Statement(_BODY.where(_B.id == text("of")))
_SOME = Statement(_BODY.where(among(_B.id, "ids")))
_PAGE = Statement(_BODY.where(_B.id > text("after")).order_by(_B.id).limit(number("most")))
_FOUND = Statement(
    _BODY.where(_B.id > text("after"), _B.text.like(text("pattern"), escape="\\"))
    .order_by(_B.id)
    .limit(number("most"))
)
_LINKED = Statement(_BODY.where(_B.organisation.is_not(None), _B.merged_into.is_(None)).order_by(_B.id))
_INSERT_CHANGE = insert_new(registry_changes)
_CHANGES = Statement(
    select(_C.body, _C.version, _C.change, _C.at, _C.by, _C.person, _C.why, _C.data, _C.document)
    .where(_C.body == text("of"))
    .order_by(_C.version)
)
_LAST = (
    select(_C.body, func.max(_C.version).label("version"))
    .where(_C.at < number("before"), _C.body > text("after"))
    .group_by(_C.body)
    .order_by(_C.body)
    .limit(number("most"))
    .subquery()
)
_KNOWN = Statement(
    select(_C.body, _C.change, _C.data, _C.document)
    .join(_LAST, (_LAST.c.body == _C.body) & (_LAST.c.version == _C.version))
    .order_by(_C.body)
)
_INSERT_RETURN = insert_new(registry_returns)
_RETURN = select(_R.key, _R.value, _R.unit, _R.source)
_RETURNS = Statement(_RETURN.where(_R.key > text("after")).order_by(_R.key).limit(number("most")))
_RETURNS_BY_KEY = Statement(_RETURN.where(among(_R.key, "keys")))
_INSERT_ZONES = insert_new(registry_zones)
_ZONES = Statement(select(_Z.version, _Z.document, _Z.at, _Z.by).order_by(_Z.version.desc()).limit(1))
_INSERT_IMPORT = insert_new(registry_imports)
_I = registry_imports.c
_IMPORTS = Statement(select(_I.id, _I.at, _I.by, _I.files, _I.counts).order_by(_I.at.desc(), _I.id.desc()))


class Registry:
    """Implements `ports.registry.Registry`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert_bodies(self, rows: Sequence[BodyRow]) -> None:
        self._session.topics.add(REGISTRY)
        what = f"a body or a code of the {len(rows)} from {rows[0].id!r}" if rows else ""
        params = [{"id": row.id, "version": row.version, **_params(row)} for row in rows]
        insert_all_or_raise(self._session, _INSERT_BODY, params, what)

    def update_bodies(self, rows: Sequence[BodyRow]) -> None:
        self._session.topics.add(REGISTRY)
        params = [{"key": row.id, "read_version": row.version - 1, **_params(row)} for row in rows]
        if rows and self._session.change_many(_UPDATE_BODY, params) != len(rows):
            raise Conflict

    def body(self, id: str) -> BodyRow | None:
        found = self._session.all(_BODY_OF, {"of": id})
        return _body(found[0]) if found else None

    def some(self, ids: Sequence[str]) -> dict[str, BodyRow]:
        found = self._session.all(_SOME, {"ids": self._session.texts(ids)})
        return {row[0]: _body(row) for row in found}

    def bodies(self, after: str, limit: int, *, search: str = "") -> list[BodyRow]:
        if not search:
            return [_body(row) for row in self._session.all(_PAGE, {"after": after, "most": limit})]
        plain = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = {"after": after, "most": limit, "pattern": f"%{clean(plain)}%"}
        return [_body(row) for row in self._session.all(_FOUND, wanted)]

    def linked(self) -> list[BodyRow]:
        return [_body(row) for row in self._session.all(_LINKED, {})]

    def log(self, rows: Sequence[ChangeRow]) -> None:
        self._session.topics.add(REGISTRY)
        params = [
            {
                "body": row.body,
                "version": row.version,
                "change": row.change.value,
                "at": row.at,
                "by": row.by,
                "person": clean(row.person),
                "why": clean(row.why),
                "data": dumps(row.data),
                "document": dumps(to_document(row.record)),
            }
            for row in rows
        ]
        insert_all_or_raise(self._session, _INSERT_CHANGE, params, "a change of a body")

    def changes(self, body: str) -> list[ChangeRow]:
        return [
            ChangeRow(of, version, Change(change), at, by, person, why, loads(data), _record(of, document))
            for of, version, change, at, by, person, why, data, document in self._session.all(
                _CHANGES, {"of": body}
            )
        ]

    def known(self, before: Instant, after: str, limit: int) -> list[Known]:
        rows = self._session.all(_KNOWN, {"before": before, "after": after, "most": limit})
        return [
            Known(body, _record(body, document), loads(data)["into"] if change == Change.MERGED else None)
            for body, change, data, document in rows
        ]

    def insert_returns(self, rows: Sequence[Return], now: Instant, by: str) -> None:
        self._session.topics.add(REGISTRY)
        params = [
            {
                "key": return_key(row),
                "body": row.body,
                "value": str(row.value),
                "unit": row.unit,
                "source": clean(row.source),
                "at": now,
                "by": by,
            }
            for row in rows
        ]
        insert_all_or_raise(self._session, _INSERT_RETURN, params, "a figure of this key")

    def returns(self, after: str, limit: int) -> list[tuple[str, Return]]:
        rows = self._session.all(_RETURNS, {"after": after, "most": limit})
        return [(row[0], _return(row)) for row in rows]

    def returns_of(self, keys: Sequence[str]) -> dict[str, Return]:
        rows = self._session.all(_RETURNS_BY_KEY, {"keys": self._session.texts(keys)})
        return {row[0]: _return(row) for row in rows}

    def insert_zones(self, row: ZonesRow) -> None:
        self._session.topics.add(REGISTRY)
        params = {"version": row.version, "document": dumps(row.document), "at": row.at, "by": row.by}
        insert_all_or_raise(self._session, _INSERT_ZONES, [params], f"version {row.version} of the zones")

    def zones(self) -> ZonesRow | None:
        found = self._session.all(_ZONES, {})
        if not found:
            return None
        version, document, at, by = found[0]
        return ZonesRow(version, loads(document), at, by)

    def insert_import(self, row: ImportRow) -> None:
        params = {
            "id": row.id,
            "at": row.at,
            "by": row.by,
            "files": dumps(row.files),
            "counts": dumps(row.counts),
        }
        insert_all_or_raise(self._session, _INSERT_IMPORT, [params], f"the import {row.id}")

    def imports(self) -> list[ImportRow]:
        return [
            ImportRow(id, at, by, loads(files), loads(counts))
            for id, at, by, files, counts in self._session.all(_IMPORTS, {})
        ]


def _params(row: BodyRow) -> dict[str, Any]:
    body = row.record.body
    return {
        "code": f"{body.scheme}:{body.code}" if body.code else None,
        "alike": dumps(list(row.keys)),
        "text": clean(row.text),
        "merged_into": row.merged_into,
        "organisation": row.organisation,
        "document": dumps(to_document(row.record)),
    }


def _body(row: Row) -> BodyRow:
    id, version, keys, searched, merged_into, organisation, document = row
    return BodyRow(
        id, version, _record(id, document), tuple(loads(keys)), searched, merged_into, organisation
    )


def _record(id: str, document: str) -> Record:
    return of_document(id, loads(document))


def _return(row: Row) -> Return:
    key, value, unit, source = row
    body, population, zone, period, measure, received = key.split("\x1f")
    return Return(
        body,
        population,
        zone,
        period,
        measure,
        Decimal(value),
        unit,
        source,
        date.fromisoformat(received),
    )
