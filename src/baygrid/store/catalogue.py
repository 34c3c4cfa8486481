"""Parties and tables in versions, append-only; what was wished for, counted."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, exists, func, select, update

from baygrid.core.data.labels import Labels
from baygrid.ports.basics import Instant
from baygrid.ports.data import PartyRow, TableRow, WishRow
from baygrid.ports.reader import Column, Format
from baygrid.store.data_tables import data_tables, parties, table_wanted
from baygrid.store.documents import clean, clean_or_none, dumps, loads
from baygrid.store.sql import Row, Session, Statement, among, insert_all_or_raise, insert_new, number, text

_P, _T, _W = parties.c, data_tables.c, table_wanted.c
_INSERT_PARTY = insert_new(parties)
_INSERT_TABLE = insert_new(data_tables)
_INSERT_WISH = insert_new(table_wanted)
# In the order of the rows' fields.
_PARTY = select(_P.organisation, _P.version, _P.facts, _P.pilot, _P.made_at, _P.made_by)
_TABLE = select(
    _T.project,
    _T.name,
    _T.version,
    _T.title,
    _T.place,
    _T.format,
    _T.uri,
    _T.source_table,
    _T.secret,
    _T.columns,
    _T.labels,
    _T.confirmed_by,
    _T.open,
    _T.made_at,
    _T.made_by,
)
_PARTY_OF = Statement(_PARTY.where(_P.organisation == text("of")).order_by(_P.version.desc()).limit(1))
_TABLE_OF = Statement(
    _TABLE.where(_T.project == text("of"), _T.name == text("named")).order_by(_T.version.desc()).limit(1)
)
_LATER_PARTY = parties.alias("later")
_PARTIES = Statement(
    _PARTY.where(
        ~exists().where(_LATER_PARTY.c.organisation == _P.organisation, _LATER_PARTY.c.version > _P.version)
    ).order_by(_P.organisation)
)
_LATER_TABLE = data_tables.alias("later")
_NEWEST = ~exists().where(
    and_(
        _LATER_TABLE.c.project == _T.project,
        _LATER_TABLE.c.name == _T.name,
        _LATER_TABLE.c.version > _T.version,
    )
)
_TABLES = Statement(_TABLE.where(_NEWEST).order_by(_T.project, _T.name))
_TABLES_OF = Statement(_TABLE.where(_NEWEST, among(_T.project, "projects")).order_by(_T.project, _T.name))
_WISH_AGAIN = Statement(
    update(table_wanted)
    .where(_W.wish == text("key"), _W.project == text("of"))
    .values(times=_W.times + number("more"), last_at=number("now"))
)
_TIMES = func.sum(_W.times)
_WISHES = Statement(
    select(func.min(_W.text), _TIMES, func.count(), func.min(_W.first_at), func.max(_W.last_at))
    .group_by(_W.wish)
    .order_by(_TIMES.desc(), _W.wish)
)


def _party(row: Row) -> PartyRow:
    organisation, version, facts, pilot, made_at, made_by = row
    told = None if pilot is None else loads(pilot)
    return PartyRow(organisation, version, loads(facts), told, made_at, made_by)


def _table(row: Row) -> TableRow:
    values = list(row)
    values[5] = Format(row[5])
    values[9] = tuple(Column(*each) for each in loads(row[9]))
    values[10] = {name: Labels.of_json(each) for name, each in loads(row[10]).items()}
    values[12] = bool(row[12])
    return TableRow(*values)


class Catalogue:
    """Implements `ports.data.Catalogue`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert_party(self, row: PartyRow) -> None:
        params = {
            "organisation": row.organisation,
            "version": row.version,
            "facts": dumps(row.facts),
            "pilot": None if row.pilot is None else dumps(row.pilot),
            "made_at": row.made_at,
            "made_by": row.made_by,
        }
        insert_all_or_raise(self._session, _INSERT_PARTY, [params], f"the party {row.organisation!r}")

    def party(self, organisation: str) -> PartyRow | None:
        found = self._session.all(_PARTY_OF, {"of": organisation})
        return _party(found[0]) if found else None

    def parties(self) -> list[PartyRow]:
        return [_party(row) for row in self._session.all(_PARTIES, {})]

    def insert_table(self, row: TableRow) -> None:
        params = {
            "project": row.project,
            "name": row.name,
            "version": row.version,
            "title": clean(row.title),
            "place": row.place,
            "format": row.format.value,
            "uri": clean(row.uri),
            "source_table": clean(row.table),
            "secret": clean_or_none(row.secret),
            "columns": dumps([[it.name, it.type, it.nullable] for it in row.columns]),
            "labels": dumps({name: it.to_json() for name, it in row.labels.items()}),
            "confirmed_by": clean_or_none(row.confirmed_by),
            "open": int(row.open),
            "made_at": row.made_at,
            "made_by": row.made_by,
        }
        insert_all_or_raise(self._session, _INSERT_TABLE, [params], f"the table {row.ref}")

    def table(self, project: str, name: str) -> TableRow | None:
        found = self._session.all(_TABLE_OF, {"of": project, "named": name})
        return _table(found[0]) if found else None

    def tables(self, projects: Sequence[str] | None = None) -> list[TableRow]:
        if projects is None:
            return [_table(row) for row in self._session.all(_TABLES, {})]
        some = {"projects": self._session.texts(projects)}
        return [_table(row) for row in self._session.all(_TABLES_OF, some)]

    def wish(self, key: str, text: str, project: str, at: Instant) -> None:
        first = {
            "wish": clean(key),
            "project": project,
            "text": clean(text),
            "times": 1,
            "first_at": at,
            "last_at": at,
        }
        if not self._session.change(_INSERT_WISH, first):
            again = {"key": first["wish"], "of": project, "more": 1, "now": at}
            self._session.change(_WISH_AGAIN, again)

    def wishes(self) -> list[WishRow]:
        return [WishRow(row[0], int(row[1]), *row[2:]) for row in self._session.all(_WISHES, {})]
