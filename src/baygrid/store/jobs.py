"""Jobs: rows by id, by state and by project."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from itertools import product
from operator import attrgetter
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy import text as literal

from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.placement.demand import Bar
from baygrid.core.pricing.months import Month
from baygrid.ports.basics import Instant
from baygrid.ports.jobs import Unended
from baygrid.ports.records import ArrayRecord, Held, JobRecord
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
from baygrid.store.tables import jobs, projects, waits

_STATES: Mapping[str, JobState] = {state.value: state for state in JobState}

_C = jobs.c
# In the order of JobRecord's fields.
_ALL = select(
    _C.id,
    _C.project,
    _C.name,
    _C.state,
    _C.spec,
    _C.submitted_at,
    _C.submitted_by,
    _C.currency,
    _C.hold,
    _C.version,
    _C.ended_at,
    _C.cause,
    _C.detail,
    _C.exit_code,
    _C.asked,
    _C.attempts,
    _C.retries,
    _C.checkpoint,
    _C.array,
    _C.index,
    _C.waits_for,
    _C.input_bytes,
    _C.waited_at,
    _C.not_before,
    _C.bars,
)
_INSERT = insert_new(jobs)
# Who submitted what, when, for whom is written once: leaving the indexed columns out spares their indexes.
_ONCE = ("project", "submitted_at", "submitted_by", "currency", "array", "index", "input_bytes")
_UPDATE = update_version(jobs, without=_ONCE)
_ONE = Statement(_ALL.where(_C.id == text("key")))
_MANY = Statement(_ALL.where(among(_C.id, "keys")))
_QUEUED = Statement(
    _ALL.where(_C.state == text("state"), _C.id > text("after")).order_by(_C.id).limit(number("count"))
)
_WITH_DATASETS = Statement(
    _ALL.where(
        _C.bars.is_not(None),
        or_(_C.state == text("queued"), _C.state == text("held")),
        _C.id > text("after"),
    )
    .order_by(_C.id)
    .limit(number("count"))
)
_LOCK = Statement(
    _ALL.where(among(_C.id, "keys")),
    _ALL.where(among(_C.id, "keys")).order_by(_C.id).with_for_update(read=True),
)
_INSERT_WAIT = insert_new(waits)
_WAITERS = Statement(
    select(waits.c.waiter).distinct().where(among(waits.c.on, "keys")).order_by(waits.c.waiter)
)
_P = projects.c
_free = _P.granted - _P.held - _P.charged
_before = case((_P.month < number("this_month"), _P.charged), else_=_P.before)
_allowed = _P.budget - _P.held - _P.charged + _before
_most = (
    select(case((and_(_P.hard == 1, _allowed < _free), _allowed), else_=_free))
    .where(_P.name == text("of"))
    .scalar_subquery()
)
# Written out, so that the databases see that the partial indexes are meant.
_SHORT = Statement(
    _ALL.where(_C.project == text("of"), literal("state = 'HELD' AND cause = 'money'"), _C.asked <= _most)
    .order_by(_C.id)
    .limit(number("count"))
)
_RESTED = Statement(
    _ALL.where(_C.not_before <= number("now"), literal("state = 'HELD' AND cause = 'back-off'"))
    .order_by(_C.not_before, _C.id)
    .limit(number("count"))
)
_OF_ARRAY = (_C.array == text("of"), literal('"array" IS NOT NULL'))
_ELEMENTS = Statement(
    _ALL.where(*_OF_ARRAY, _C.state == text("state"), _C.cause == text("because"))
    .order_by(_C.id)
    .limit(number("count"))
)
_OPEN = Statement(_ALL.where(*_OF_ARRAY, literal("state IN ('HELD', 'QUEUED', 'ACTIVE')")).order_by(_C.id))
# In two parts, so that each walks only along the rows that it counts.
_BUSY = Statement(select(func.count()).where(*_OF_ARRAY, literal("state IN ('QUEUED', 'ACTIVE')")))
_OTHERWISE_HELD = Statement(
    select(func.count()).where(
        *_OF_ARRAY, literal("state = 'HELD' AND cause IN ('after', 'money', 'back-off')")
    )
)
_COUNT_ELEMENTS = Statement(
    select(_C.state, _C.cause, func.count()).where(*_OF_ARRAY).group_by(_C.state, _C.cause)
)
_NEWEST = _ALL.order_by(_C.id.desc()).limit(number("count"))
_IN_PROJECT = _C.project == text("in_project")
_IN_STATE = _C.state == text("in_state")
_BEFORE = _C.id < text("before")
_WHICH: Mapping[str, tuple[Any, ...]] = {"all": (), "none": (_C.array.is_(None),), "one": _OF_ARRAY}
# By (project given, which array, state given, before given): each finds its rows in order by an index.
_PAGES = {
    (project, array, state, before): Statement(
        _NEWEST.where(
            *([_IN_PROJECT] if project else []),
            *_WHICH[array],
            *([_IN_STATE] if state else []),
            *([_BEFORE] if before else []),
        )
    )
    for array in _WHICH
    for project, state, before in product((False, True), repeat=3)
}
_BY_ID = attrgetter("id")
_COUNT = Statement(select(_C.state, func.count()).group_by(_C.state))
_UNENDED = Statement(
    select(_C.state, _C.cause, func.count(), func.min(_C.submitted_at))
    .where(literal("state IN ('HELD', 'QUEUED', 'ACTIVE')"))
    .group_by(_C.state, _C.cause)
    .order_by(_C.state, _C.cause)
)


def _record(row: Row) -> JobRecord:
    values = list(row)
    values[3] = _STATES[row[3]]
    values[4] = loads(row[4])
    values[20] = tuple(loads(row[20]))
    values[24] = None if row[24] is None else tuple(Bar.of_json(each) for each in loads(row[24]))
    return JobRecord(*values)


def _changed(job: JobRecord) -> dict[str, Any]:
    return {
        "key": job.id,
        "read_version": job.version,
        "name": clean(job.name),
        "state": job.state.value,
        "spec": dumps(job.spec),
        "hold": job.hold,
        "ended_at": job.ended_at,
        "cause": clean_or_none(job.cause),
        "detail": clean(job.detail),
        "exit_code": job.exit_code,
        "asked": job.asked,
        "attempts": job.attempts,
        "retries": job.retries,
        "checkpoint": job.checkpoint,
        "waits_for": dumps(job.waits_for),
        "waited_at": job.waited_at,
        "not_before": job.not_before,
        "bars": _bars(job),
    }


def _params(job: JobRecord) -> dict[str, Any]:
    return _changed(job) | {
        "id": job.id,
        "project": job.project,
        "submitted_at": job.submitted_at,
        "submitted_by": clean(job.submitted_by),
        "currency": job.currency,
        "version": job.version,
        "array": job.array,
        "index": job.index,
        "input_bytes": job.input_bytes,
    }


def _bars(job: JobRecord) -> str | None:
    return None if job.bars is None else dumps([bar.to_json() for bar in job.bars])


class Jobs:
    """Implements `ports.store.Jobs`. An update leaves project, submitter, time, currency and the place in an
    array as they are."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, rows: Sequence[JobRecord]) -> None:
        """Raises Exists when an id is taken; the transaction is to be given up then."""
        insert_all_or_raise(self._session, _INSERT, [_params(job) for job in rows], "a job with this id")
        insert_waits(self._session, rows)

    def get(self, ids: Sequence[str]) -> dict[str, JobRecord]:
        if not ids:
            return {}
        if len(ids) == 1:
            found = self._session.all(_ONE, {"key": ids[0]})
        else:
            found = self._session.all(_MANY, {"keys": self._session.texts(ids)})
        return {row[0]: _record(row) for row in found}

    def update(self, rows: Sequence[JobRecord]) -> None:
        # Always in one order, so that two such updates wait for each other and do not lock each other out.
        params = [_changed(job) for job in sorted(rows, key=_BY_ID)]
        if params and self._session.change_many(_UPDATE, params) != len(params):
            raise Conflict("a job has changed since it was read")

    def lock(self, ids: Sequence[str]) -> dict[str, JobRecord]:
        """SQLite has one writer, so nobody else can change them anyway."""
        if not ids:
            return {}
        found = self._session.all(_LOCK, {"keys": self._session.texts(ids)})
        return {row[0]: _record(row) for row in found}

    def waiters(self, ids: Sequence[str]) -> list[str]:
        found = self._session.all(_WAITERS, {"keys": self._session.texts(ids)}) if ids else []
        return [row[0] for row in found]

    def short_of_money(self, project: str, at: Instant, limit: int) -> list[JobRecord]:
        params = {"of": project, "this_month": Month.of(at).start, "count": limit}
        return [_record(row) for row in self._session.all(_SHORT, params)]

    def rested(self, now: Instant, limit: int) -> list[JobRecord]:
        return [_record(row) for row in self._session.all(_RESTED, {"now": now, "count": limit})]

    def open_in(self, array: str) -> list[JobRecord]:
        return [_record(row) for row in self._session.all(_OPEN, {"of": array})]

    def held_in(self, array: str, because: Held, limit: int) -> list[JobRecord]:
        params = {"of": array, "state": JobState.HELD.value, "because": because.value, "count": limit}
        return [_record(row) for row in self._session.all(_ELEMENTS, params)]

    def busy_in(self, array: str) -> int:
        return sum(self._session.all(each, {"of": array})[0][0] for each in (_BUSY, _OTHERWISE_HELD))

    def count_in(self, array: str) -> dict[tuple[JobState, str | None], int]:
        found = self._session.all(_COUNT_ELEMENTS, {"of": array})
        return {(_STATES[state], cause): count for state, cause, count in found}

    def page(
        self,
        project: str | None,
        states: Sequence[JobState],
        before: str | None,
        limit: int,
        array: str | None = None,
    ) -> list[JobRecord]:
        """No states means all of them."""
        wanted = set(states)
        if not wanted or len(wanted) == len(JobState):
            return self._newest(project, array, None, before, limit)
        # A short walk along an index per state is cheap; one walk over all states may pass millions of rows.
        parts = [self._newest(project, array, state, before, limit) for state in wanted]
        if len(parts) == 1:
            return parts[0]
        return list(heapq.merge(*parts, key=_BY_ID, reverse=True))[:limit]

    def _newest(
        self,
        project: str | None,
        array: str | None,
        state: JobState | None,
        before: str | None,
        limit: int,
    ) -> list[JobRecord]:
        which = "all" if array is None else "none" if array == "none" else "one"
        statement = _PAGES[project is not None, which, state is not None, before is not None]
        params: dict[str, Any] = {"count": limit}
        if project is not None:
            params["in_project"] = project
        if which == "one":
            params["of"] = array
        if state is not None:
            params["in_state"] = state.value
        if before is not None:
            params["before"] = before
        return [_record(row) for row in self._session.all(statement, params)]

    def queued(self, after: str | None, limit: int) -> list[JobRecord]:
        params = {"state": JobState.QUEUED.value, "after": after or "", "count": limit}
        return [_record(row) for row in self._session.all(_QUEUED, params)]

    def with_datasets(self, after: str, limit: int) -> list[JobRecord]:
        waiting = {"queued": JobState.QUEUED.value, "held": JobState.HELD.value}
        params = {**waiting, "after": after, "count": limit}
        return [_record(row) for row in self._session.all(_WITH_DATASETS, params)]

    def count_by_state(self) -> dict[JobState, int]:
        """States without a job are absent."""
        return {_STATES[state]: count for state, count in self._session.all(_COUNT, {})}

    def unended(self) -> list[Unended]:
        rows = self._session.all(_UNENDED, {})
        return [Unended(_STATES[state], cause, count, oldest) for state, cause, count, oldest in rows]


def insert_waits(session: Session, rows: Sequence[JobRecord] | Sequence[ArrayRecord]) -> None:
    """Who waits for whom, so that the waiters are found when one of those has ended."""
    params = [{"on": on, "waiter": row.id} for row in rows for on in row.waits_for]
    if params:
        session.change_many(_INSERT_WAIT, params)
