"""Persons that exporters show: 16 bytes each, exactly counted.

A million of them is nothing unusual, so they are written in chunks of one statement each (PostgreSQL: one
array) and counted by the database, that reads a grant's persons in the order of its key."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    ARRAY,
    BigInteger,
    LargeBinary,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from baygrid.ports.basics import Instant
from baygrid.ports.contracts import CountRow, ExporterRow
from baygrid.ports.store import Conflict
from baygrid.store.contract_tables import (
    contracts,
    exporters,
    exposures,
    grants,
    observations,
    person_counts,
)
from baygrid.store.sql import SQLITE, Session, Statement, among, insert_new, number, text

SIZE = 16
"""Bytes of one person."""

_X, _E, _O, _N = exporters.c, exposures.c, observations.c, person_counts.c
_INSERT_EXPORTER = insert_new(exporters)
_EXPORTER = Statement(select(_X.organisation, _X.key, _X.version).where(_X.organisation == text("of")))
# A write of the same value: on both databases it locks the row and answers with what is in it now.
_LOCK = Statement(
    update(exporters)
    .where(_X.organisation == text("of"))
    .values(version=_X.version)
    .returning(_X.organisation, _X.key, _X.version)
)
_BUMP = Statement(
    update(exporters)
    .where(_X.organisation == text("of"))
    .values(version=_X.version + 1)
    .returning(_X.version)
)
_EXPORTERS = Statement(select(_X.organisation, _X.key, _X.version).order_by(_X.organisation))
_RESEAL = Statement(update(exporters).where(_X.organisation == text("of")).values(key=text("sealed")))
_FORGET = Statement(delete(exposures).where(_E.grant_id == text("of")))
_COUNTED = Statement(
    select(grants.c.id)
    .join_from(grants, contracts, grants.c.contract == contracts.c.id)
    .where(
        contracts.c.exporter == text("of"),
        contracts.c.counts == number("counts"),
        grants.c.opened.is_not(None),
        or_(grants.c.closed.is_(None), grants.c.closed > number("since")),
    )
    .order_by(grants.c.id)
)


def _exposing() -> Statement:
    """An insert of many persons, that changes one who is there only where something else is said of it."""
    keys = ["grant_id", "person"]
    row = sqlite_insert(exposures).values(
        grant_id=text("grant_id"),
        person=bindparam("person", type_=LargeBinary()),
        sensitive=number("sensitive"),
    )
    given = func.unnest(bindparam("persons", type_=ARRAY(LargeBinary))).column_valued("given")
    rows = postgresql_insert(exposures).from_select(
        [*keys, "sensitive"], select(text("grant_id"), given, number("sensitive"))
    )
    both = [
        insert.on_conflict_do_update(
            index_elements=keys,
            set_={"sensitive": insert.excluded.sensitive},
            where=exposures.c.sensitive != insert.excluded.sensitive,
        )
        for insert in (row, rows)
    ]
    return Statement(*both)


_EXPOSE = _exposing()
_ALL_SEEN = select(_E.grant_id, number("year"), _E.person, _E.sensitive).where(_E.grant_id == text("of"))
_SEEN_COLUMNS = ["grant_id", "year", "person", "sensitive"]
_OBSERVE = Statement(
    sqlite_insert(observations).from_select(_SEEN_COLUMNS, _ALL_SEEN).on_conflict_do_nothing(),
    postgresql_insert(observations).from_select(_SEEN_COLUMNS, _ALL_SEEN).on_conflict_do_nothing(),
)
_EACH = (
    select(func.max(_E.sensitive).label("sensitive"))
    .where(among(_E.grant_id, "keys"))
    .group_by(_E.person)
    .subquery()
)
_OBSERVED_EACH = (
    select(func.max(_O.sensitive).label("sensitive"))
    .join_from(observations, grants, _O.grant_id == grants.c.id)
    .join(contracts, grants.c.contract == contracts.c.id)
    .where(contracts.c.exporter == text("of"), _O.year == number("year"))
    .group_by(_O.person)
    .subquery()
)
_COUNTS, _OBSERVED = (
    Statement(
        select(
            func.count(),
            cast(func.coalesce(func.sum(each.c.sensitive), 0), BigInteger),
        ).select_from(each)
    )
    for each in (_EACH, _OBSERVED_EACH)
)
_INSERT_COUNT = insert_new(person_counts)
_HISTORY = Statement(
    select(_N.exporter, _N.version, _N.since, _N.at, _N.pi, _N.spi)
    .where(_N.exporter == text("of"), _N.since == number("since"))
    .order_by(_N.version)
)


class Persons:
    """Implements `ports.data.Persons`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock(self, exporter: str) -> ExporterRow | None:
        row = self._session.returning(_LOCK, {"of": exporter})
        return None if row is None else ExporterRow(*row)

    def insert_exporter(self, row: ExporterRow) -> None:
        params = {"organisation": row.organisation, "key": row.key, "version": row.version}
        if not self._session.change(_INSERT_EXPORTER, params):
            raise Conflict(row.organisation)

    def exporter(self, organisation: str) -> ExporterRow | None:
        rows = self._session.all(_EXPORTER, {"of": organisation})
        return ExporterRow(*rows[0]) if rows else None

    def exporters(self) -> list[ExporterRow]:
        return [ExporterRow(*row) for row in self._session.all(_EXPORTERS, {})]

    def reseal(self, organisation: str, key: str) -> None:
        self._session.change(_RESEAL, {"of": organisation, "sealed": key})

    def expose(self, grant: str, sensitive: bool, persons: bytes) -> int:
        each = [persons[at : at + SIZE] for at in range(0, len(persons), SIZE)]
        if not each or len(each[-1]) != SIZE:
            raise ValueError(f"{len(persons)} bytes are not persons of {SIZE} bytes")
        of: dict[str, str | int] = {"grant_id": grant, "sensitive": int(sensitive)}
        if self._session.dialect == SQLITE:
            return self._session.change_many(_EXPOSE, [{**of, "person": it} for it in sorted(each)])
        # One statement may not touch a row twice.
        return self._session.change(_EXPOSE, {**of, "persons": sorted(set(each))})

    def observe(self, grant: str, year: int) -> int:
        return self._session.change(_OBSERVE, {"of": grant, "year": year})

    def forget(self, grant: str) -> None:
        self._session.change(_FORGET, {"of": grant})

    def counted(self, exporter: str, since: Instant) -> list[str]:
        params = {"of": exporter, "since": since, "counts": 1}
        return [id for (id,) in self._session.all(_COUNTED, params)]

    def counts(self, grants: Sequence[str]) -> tuple[int, int]:
        ((persons, sensitive),) = self._session.all(_COUNTS, {"keys": self._session.texts(grants)})
        return persons - sensitive, sensitive

    def observed(self, exporter: str, year: int) -> tuple[int, int]:
        ((persons, sensitive),) = self._session.all(_OBSERVED, {"of": exporter, "year": year})
        return persons - sensitive, sensitive

    def bump(self, exporter: str) -> int:
        row = self._session.returning(_BUMP, {"of": exporter})
        assert row is not None
        return int(row[0])

    def insert_count(self, row: CountRow) -> None:
        params = {
            "exporter": row.exporter,
            "version": row.version,
            "since": row.since,
            "at": row.at,
            "pi": row.pi,
            "spi": row.spi,
        }
        self._session.change(_INSERT_COUNT, params)

    def history(self, exporter: str, since: Instant) -> list[CountRow]:
        return [CountRow(*row) for row in self._session.all(_HISTORY, {"of": exporter, "since": since})]
