"""Versions of datasets; append-only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, exists, or_, select

from baygrid.core.data.lineage import NOBODY_SAID, Content
from baygrid.ports.records import DatasetRecord
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.sql import Row, Session, Statement, among, insert_all_or_raise, insert_new, number, text
from baygrid.store.tables import datasets

_C = datasets.c
_INSERT = insert_new(datasets)
# In the order of DatasetRecord's fields.
_ROWS = select(
    _C.project,
    _C.name,
    _C.version,
    _C.jurisdiction,
    _C.uri,
    _C.sha256,
    _C.bytes,
    _C.shared,
    _C.made_at,
    _C.made_by,
    _C.job,
    _C.lineage,
    _C.content,
)
_NAMED = and_(_C.project == text("of"), _C.name == text("named"))
_VERSIONS = Statement(_ROWS.where(_NAMED).order_by(_C.version))
_NEWEST = Statement(_ROWS.where(_NAMED).order_by(_C.version.desc()).limit(1))
_ONE = Statement(_ROWS.where(_NAMED, _C.version == number("n")))
_LATER = datasets.alias("later")
_LIST = (
    _ROWS.where(
        ~exists().where(
            _LATER.c.project == _C.project, _LATER.c.name == _C.name, _LATER.c.version > _C.version
        ),
        or_(
            _C.project > text("after_project"),
            and_(_C.project == text("after_project"), _C.name > text("after_name")),
        ),
    )
    .order_by(_C.project, _C.name)
    .limit(number("count"))
)
_ALL = Statement(_LIST)
_OWN = Statement(_LIST.where(among(_C.project, "projects")))
_SHARED = Statement(_LIST.where(or_(among(_C.project, "projects"), _C.shared == 1)))


def _dataset(row: Row) -> DatasetRecord:
    values = list(row)
    values[7] = bool(row[7])
    values[11] = tuple(loads(row[11]))
    values[12] = NOBODY_SAID if row[12] is None else Content.of_json(loads(row[12]))
    return DatasetRecord(*values)


class Datasets:
    """Implements `ports.store.Datasets`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: DatasetRecord) -> None:
        params = {
            "project": row.project,
            "name": row.name,
            "version": row.version,
            "jurisdiction": row.jurisdiction,
            "uri": clean(row.uri),
            "sha256": row.sha256,
            "bytes": row.bytes,
            "shared": int(row.shared),
            "made_at": row.made_at,
            "made_by": row.made_by,
            "job": row.job,
            "lineage": dumps(row.lineage),
            "content": dumps(row.content.to_json()),
        }
        insert_all_or_raise(self._session, _INSERT, [params], row.ref)

    def newest(self, project: str, name: str) -> DatasetRecord | None:
        found = self._session.all(_NEWEST, {"of": project, "named": name})
        return _dataset(found[0]) if found else None

    def get(self, project: str, name: str, version: int) -> DatasetRecord | None:
        found = self._session.all(_ONE, {"of": project, "named": name, "n": version})
        return _dataset(found[0]) if found else None

    def versions(self, project: str, name: str) -> list[DatasetRecord]:
        return [_dataset(row) for row in self._session.all(_VERSIONS, {"of": project, "named": name})]

    def page(
        self, projects: Sequence[str] | None, after: tuple[str, str], limit: int, *, shared: bool
    ) -> list[DatasetRecord]:
        params = {"after_project": after[0], "after_name": after[1], "count": limit}
        if projects is None:
            return [_dataset(row) for row in self._session.all(_ALL, params)]
        some = {**params, "projects": self._session.texts(projects)}
        return [_dataset(row) for row in self._session.all(_SHARED if shared else _OWN, some)]
