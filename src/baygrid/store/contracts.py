"""Contracts about data as they stand, their grants, and their steps, which are append-only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from baygrid.core.data.contracts import Side, State, Step, Suspension
from baygrid.core.data.permission import Record
from baygrid.core.data.terms import Terms
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow, ContractStep, GrantRow, Versions
from baygrid.ports.store import Conflict
from baygrid.store.contract_tables import contract_steps, contracts, exporters, grants
from baygrid.store.data_tables import data_tables, parties
from baygrid.store.documents import clean, dumps, loads
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
from baygrid.store.tables import projects


def _newest_party(organisation: ColumnElement[str]) -> ColumnElement[int]:
    newest = select(func.max(parties.c.version)).where(parties.c.organisation == organisation)
    return func.coalesce(newest.scalar_subquery(), 0)


_C, _G, _S = contracts.c, grants.c, contract_steps.c
_FIXED = ("share", "nth", "provider", "consumer", "exporter", "made_at", "made_by", "renews")
_INSERT = insert_new(contracts)
_UPDATE = update_version(contracts, without=_FIXED)
_ROWS = select(
    _C.id, _C.version, _C.share, _C.nth, _C.provider, _C.consumer, _C.exporter, _C.purpose, _C.ground,
    _C.choice, _C.onward, _C.scope, _C.facts, _C.start, _C.until, _C.state, _C.made_at, _C.made_by,
    _C.suspensions, _C.decision, _C.records, _C.counts, _C.renews, _C.warned, _C.due,
)  # fmt: skip
_ONE = Statement(_ROWS.where(_C.id == text("key")))
_PAGE = Statement(_ROWS.where(_C.id < text("before")).order_by(_C.id.desc()).limit(number("count")))
_OF_PROJECT = Statement(
    _ROWS.where(_C.id < text("before"), or_(_C.provider == text("of"), _C.consumer == text("of")))
    .order_by(_C.id.desc())
    .limit(number("count"))
)
_OF_SHARE = Statement(
    _ROWS.where(_C.consumer == text("of"), _C.share == text("share")).order_by(_C.nth.desc())
)
_FINAL = _ROWS.where(_C.state == text("state"))
_OF_CONSUMER = Statement(_FINAL.where(_C.consumer == text("of")).order_by(_C.share, _C.nth))
_OF_EXPORTER = Statement(_FINAL.where(_C.exporter == text("of")).order_by(_C.id))
_DUE = Statement(_ROWS.where(_C.due <= number("now")).order_by(_C.due, _C.id).limit(number("count")))
_INSERT_GRANT = insert_new(grants)
_GRANT_ROWS = select(
    _G.id, _G.contract, _G.project, _G.name, _G.terms, _G.shown, _G.opened, _G.closed
).order_by(_G.contract, _G.project, _G.name)
_GRANTS = Statement(_GRANT_ROWS.where(among(_G.contract, "keys")))
_GRANT = Statement(_GRANT_ROWS.where(_G.id == text("key")))
_DROP_GRANTS = Statement(delete(grants).where(_G.contract == text("of")))
_CHANGE_GRANT = Statement(
    update(grants)
    .where(_G.id == text("key"))
    .values(shown=text("shown"), opened=number("opened"), closed=number("closed"))
)
_consumer = projects.alias("consumer_project")
_VERSIONS = Statement(
    select(
        _C.id,
        _C.version,
        func.coalesce(exporters.c.version, 0),
        _newest_party(_C.exporter),
        _newest_party(_consumer.c.organisation),
    )
    .join_from(contracts, _consumer, _C.consumer == _consumer.c.name)
    .outerjoin(exporters, exporters.c.organisation == _C.exporter)
    .where(_C.consumer == text("of"), _C.share == text("share"))
    .order_by(_C.nth.desc())
)
_TABLES = Statement(
    select(
        _G.contract,
        _G.id,
        select(func.max(data_tables.c.version))
        .where(data_tables.c.project == _G.project, data_tables.c.name == _G.name)
        .scalar_subquery(),
    )
    .join_from(grants, contracts, _G.contract == _C.id)
    .where(_C.consumer == text("of"), _C.share == text("share"))
    .order_by(_G.id)
)
_INSERT_STEP = insert_new(contract_steps)
_STEPS = Statement(
    select(_S.contract, _S.n, _S.at, _S.step, _S.side, _S.by, _S.data)
    .where(_S.contract == text("of"))
    .order_by(_S.n)
)


def _row(row: Row) -> ContractRow:
    id, version, share, nth, provider, consumer, exporter, purpose, ground = row[:9]
    choice, onward, scope, facts, start, until, state, made_at, made_by = row[9:18]
    suspensions, decision, records, counts, renews, warned, due = row[18:]
    return ContractRow(
        id,
        version,
        share,
        nth,
        provider,
        consumer,
        exporter,
        purpose,
        ground,
        choice,
        bool(onward),
        scope,
        loads(facts),
        start,
        until,
        State(state),
        made_at,
        made_by,
        tuple(Suspension(Side(side), code, why, at) for side, code, why, at in loads(suspensions)),
        None if decision is None else loads(decision),
        {name: Record.of_json(it) for name, it in loads(records).items()},
        bool(counts),
        renews,
        warned,
        due,
    )


def _changing(row: ContractRow) -> dict[str, Any]:
    return {
        "purpose": clean(row.purpose),
        "ground": row.ground,
        "choice": row.choice,
        "onward": int(row.onward),
        "scope": row.scope,
        "facts": dumps(row.facts),
        "start": row.start,
        "until": row.until,
        "state": row.state.value,
        "suspensions": dumps([(it.side.value, it.code, it.reason, it.at) for it in row.suspensions]),
        "decision": None if row.decision is None else dumps(row.decision),
        "records": dumps({name: it.to_json() for name, it in row.records.items()}),
        "counts": int(row.counts),
        "warned": row.warned,
        "due": row.due,
    }


def _grant(row: Row) -> GrantRow:
    id, contract, project, name, terms, shown, opened, closed = row
    return GrantRow(id, contract, project, name, Terms.of_json(loads(terms)), shown, opened, closed)


class Contracts:
    """Implements `ports.contracts.Contracts`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: ContractRow, grants: Sequence[GrantRow]) -> None:
        fixed = {name: getattr(row, name) for name in ("id", "version", *_FIXED)}
        insert_all_or_raise(
            self._session, _INSERT, [fixed | _changing(row)], f"a share {row.share!r} of {row.consumer!r}"
        )
        self._insert_grants(grants)

    def get(self, id: str) -> ContractRow | None:
        found = self._session.all(_ONE, {"key": id})
        return _row(found[0]) if found else None

    def change(self, row: ContractRow) -> None:
        params = {"key": row.id, "read_version": row.version, **_changing(row)}
        if not self._session.change(_UPDATE, params):
            raise Conflict(row.id)

    def page(self, project: str | None, before: str, limit: int) -> list[ContractRow]:
        params = {"before": before, "count": limit}
        if project is None:
            return [_row(row) for row in self._session.all(_PAGE, params)]
        return [_row(row) for row in self._session.all(_OF_PROJECT, {"of": project, **params})]

    def of_share(self, consumer: str, share: str) -> list[ContractRow]:
        return [_row(row) for row in self._session.all(_OF_SHARE, {"of": consumer, "share": share})]

    def of_consumer(self, consumer: str) -> list[ContractRow]:
        params = {"of": consumer, "state": State.FINALIZED.value}
        return [_row(row) for row in self._session.all(_OF_CONSUMER, params)]

    def of_exporter(self, exporter: str) -> list[ContractRow]:
        params = {"of": exporter, "state": State.FINALIZED.value}
        return [_row(row) for row in self._session.all(_OF_EXPORTER, params)]

    def due(self, now: Instant, limit: int) -> list[ContractRow]:
        return [_row(row) for row in self._session.all(_DUE, {"now": now, "count": limit})]

    def grants(self, contracts: Sequence[str]) -> list[GrantRow]:
        return [_grant(row) for row in self._session.all(_GRANTS, {"keys": self._session.texts(contracts)})]

    def grant(self, id: str) -> GrantRow | None:
        found = self._session.all(_GRANT, {"key": id})
        return _grant(found[0]) if found else None

    def versions(self, consumer: str, share: str) -> list[Versions]:
        params = {"of": consumer, "share": share}
        tables: dict[str, list[tuple[str, int]]] = {}
        for contract, grant, version in self._session.all(_TABLES, params):
            tables.setdefault(contract, []).append((grant, version))
        return [
            Versions(id, version, exporter, (provider, other), tuple(tables.get(id, ())))
            for id, version, exporter, provider, other in self._session.all(_VERSIONS, params)
        ]

    def set_grants(self, contract: str, grants: Sequence[GrantRow]) -> None:
        self._session.change(_DROP_GRANTS, {"of": contract})
        self._insert_grants(grants)

    def change_grant(self, row: GrantRow) -> None:
        params = {"key": row.id, "shown": row.shown, "opened": row.opened, "closed": row.closed}
        self._session.change(_CHANGE_GRANT, params)

    def append_step(self, row: ContractStep) -> None:
        params = {
            "contract": row.contract,
            "n": row.n,
            "at": row.at,
            "step": row.step.value,
            "side": row.side.value,
            "by": row.by,
            "data": dumps(row.data),
        }
        if not self._session.change(_INSERT_STEP, params):
            raise Conflict(f"step {row.n} of {row.contract!r}")

    def steps(self, contract: str) -> list[ContractStep]:
        return [
            ContractStep(of, n, at, Step(step), Side(side), by, loads(data))
            for of, n, at, step, side, by, data in self._session.all(_STEPS, {"of": contract})
        ]

    def _insert_grants(self, rows: Sequence[GrantRow]) -> None:
        params = [
            {
                "id": row.id,
                "contract": row.contract,
                "project": row.project,
                "name": row.name,
                "terms": dumps(row.terms.to_json()),
                "shown": row.shown,
                "opened": row.opened,
                "closed": row.closed,
            }
            for row in rows
        ]
        insert_all_or_raise(self._session, _INSERT_GRANT, params, "a grant of the same table")
