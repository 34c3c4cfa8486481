"""Attempts: rows by id, by job, by what is wanted of a centre, and those that are still alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy import text as literal

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.contracts import Cover
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, Want
from baygrid.ports.store import Conflict
from baygrid.store.documents import clean, clean_or_none, dumps, loads
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
from baygrid.store.tables import BROKEN, attempts

_STATES: Mapping[str, AttemptState] = {state.value: state for state in AttemptState}
_WANTS: Mapping[str, Want] = {want.value: want for want in Want}

_C = attempts.c
# In the order of AttemptRecord's fields.
_ALL = select(
    _C.id,
    _C.job,
    _C.project,
    _C.n,
    _C.token,
    _C.centre,
    _C.partition,
    _C.offer,
    _C.nodes,
    _C["count"],
    _C.cpus,
    _C.memory_mib,
    _C.accelerator,
    _C.accelerators,
    _C.grace_s,
    _C.placed_at,
    _C.reasons,
    _C.state,
    _C.want,
    _C.gen,
    _C.version,
    _C.stop_reason,
    _C.raw,
    _C.started_at,
    _C.ended_at,
    _C.exit_code,
    _C.cause,
    _C.detail,
    _C.outputs,
    _C.log_size,
    _C.log_end,
    _C.accelerator_share,
    _C.accelerator_slots,
    _C.staged_bytes,
    _C.staging_bytes,
    _C.expected_at,
    _C.covers,
)
_INSERT = insert_new(attempts)
# What an attempt is was decided at its placement and is written once; `log_size` belongs to the logs.
_UPDATE = update_version(
    attempts, without=["job", "project", "n", "token", "centre", "placed_at", "log_size", "covers"]
)
_ONE = Statement(_ALL.where(_C.id == text("key")))
_MANY = Statement(_ALL.where(among(_C.id, "keys")))
_OF_JOBS = Statement(_ALL.where(among(_C.job, "keys")).order_by(_C.job, _C.n))
# Written out, so that the databases see that the partial indexes are meant.
_WANTED = Statement(
    _ALL.where(_C.centre == text("at"), _C.gen > number("after_gen"), literal("want <> 'nothing'")).order_by(
        _C.gen, _C.id
    )
)
_ENDED = Statement(
    _ALL.where(_C.ended_at >= number("since"), _C.started_at.is_not(None), literal("live = 0"))
    .order_by(_C.id.desc())
    .limit(number("most"))
)
_BROKEN = Statement(
    _ALL.where(
        _C.project == text("of"),
        _C.ended_at >= number("start"),
        _C.ended_at < number("until"),
        literal(BROKEN),
    ).order_by(_C.ended_at, _C.id)
)
_AT = {
    more: Statement(
        _ALL.where(_C.centre == text("at"), *([_C.id < text("before")] if more else []))
        .order_by(_C.id.desc())
        .limit(number("most"))
    )
    for more in (False, True)
}
_LIVE = Statement(_ALL.where(literal("live = 1")).order_by(_C.id))


def _record(row: Row) -> AttemptRecord:
    values = list(row)
    values[8] = tuple(loads(row[8]))
    values[16] = loads(row[16])
    values[17] = _STATES[row[17]]
    values[18] = _WANTS[row[18]]
    values[28] = loads(row[28])
    values[32] = tuple(loads(row[32]))
    values[36] = tuple(map(Cover.of_json, loads(row[36])))
    return AttemptRecord(*values)


def _changed(attempt: AttemptRecord) -> dict[str, Any]:
    return {
        "key": attempt.id,
        "read_version": attempt.version,
        "partition": attempt.partition,
        "offer": attempt.offer,
        "nodes": dumps(attempt.nodes),
        "count": attempt.count,
        "cpus": attempt.cpus,
        "memory_mib": attempt.memory_mib,
        "accelerator": attempt.accelerator,
        "accelerators": attempt.accelerators,
        "accelerator_share": attempt.accelerator_share,
        "accelerator_slots": dumps(attempt.accelerator_slots),
        "grace_s": attempt.grace_s,
        "reasons": dumps(attempt.reasons),
        "state": attempt.state.value,
        "want": attempt.want.value,
        "gen": attempt.gen,
        "stop_reason": clean(attempt.stop_reason),
        "raw": clean(attempt.raw),
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "exit_code": attempt.exit_code,
        "cause": clean_or_none(attempt.cause),
        "detail": clean(attempt.detail),
        "outputs": dumps(attempt.outputs),
        "log_end": attempt.log_end,
        "staged_bytes": attempt.staged_bytes,
        "staging_bytes": attempt.staging_bytes,
        "expected_at": attempt.expected_at,
        "live": int(attempt.want is not Want.NOTHING or not attempt.state.final),
    }


def _params(attempt: AttemptRecord) -> dict[str, Any]:
    return _changed(attempt) | {
        "id": attempt.id,
        "job": attempt.job,
        "project": attempt.project,
        "n": attempt.n,
        "token": attempt.token,
        "centre": attempt.centre,
        "placed_at": attempt.placed_at,
        "version": attempt.version,
        "log_size": attempt.log_size,
        "covers": dumps([cover.to_json() for cover in attempt.covers]),
    }


class Attempts:
    """Implements `ports.store.Attempts`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, rows: Sequence[AttemptRecord]) -> None:
        """Raises Exists when an id or a (job, n) is taken; the transaction is to be given up then."""
        insert_all_or_raise(
            self._session,
            _INSERT,
            [_params(attempt) for attempt in rows],
            "an attempt with this id or (job, n)",
        )

    def get(self, ids: Sequence[str]) -> dict[str, AttemptRecord]:
        if not ids:
            return {}
        if len(ids) == 1:
            found = self._session.all(_ONE, {"key": ids[0]})
        else:
            found = self._session.all(_MANY, {"keys": self._session.texts(ids)})
        return {row[0]: _record(row) for row in found}

    def update(self, rows: Sequence[AttemptRecord]) -> None:
        # Always in one order, so that two such updates wait for each other and do not lock each other out.
        params = [_changed(attempt) for attempt in sorted(rows, key=attrgetter("id"))]
        if params and self._session.change_many(_UPDATE, params) != len(params):
            raise Conflict("an attempt has changed since it was read")

    def of_jobs(self, jobs: Sequence[str]) -> list[AttemptRecord]:
        if not jobs:
            return []
        return [_record(row) for row in self._session.all(_OF_JOBS, {"keys": self._session.texts(jobs)})]

    def wanted(self, centre: str, after_gen: int) -> list[AttemptRecord]:
        return [_record(row) for row in self._session.all(_WANTED, {"at": centre, "after_gen": after_gen})]

    def live(self) -> list[AttemptRecord]:
        return [_record(row) for row in self._session.all(_LIVE, {})]

    def at(self, centre: str, before: str | None, limit: int) -> list[AttemptRecord]:
        more = {} if before is None else {"before": before}
        found = self._session.all(_AT[before is not None], {"at": centre, "most": limit, **more})
        return [_record(row) for row in found]

    def broken(self, project: str, start: Instant, end: Instant) -> list[AttemptRecord]:
        found = self._session.all(_BROKEN, {"of": project, "start": start, "until": end})
        return [_record(row) for row in found]

    def ended(self, since: Instant, most: int) -> list[AttemptRecord]:
        found = self._session.all(_ENDED, {"since": since, "most": most})
        return [_record(row) for row in reversed(found)]
