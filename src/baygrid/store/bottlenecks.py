"""What the region lacks, over a stretch of time. Ids of jobs and attempts sort by time, so they say where a
stretch begins without an index of its own; long stretches are read page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import func, or_, select

from baygrid.core.jobs.lifecycle import JobState
from baygrid.ports.basics import Instant
from baygrid.ports.bottlenecks import Charged, Unplaced
from baygrid.store.documents import loads
from baygrid.store.money_tables import charges
from baygrid.store.sql import Session, Statement, number, text
from baygrid.store.tables import attempts, jobs, projects

_PAGE: Final = 1000

_J, _A, _C, _P = jobs.c, attempts.c, charges.c, projects.c
_FILE = (_J.state, _J.cause, _J.spec)
_UNPLACED = Statement(
    select(*_FILE, func.count())
    .where(
        _J.id >= text("first"),
        _J.submitted_at >= number("start"),
        _J.submitted_at < number("until"),
        _J.attempts == 0,
    )
    .group_by(*_FILE)
    .order_by(*_FILE)
)
_PLACED = Statement(
    select(_A.id, _A.reasons)
    .where(_A.id > text("after"), _A.placed_at >= number("start"), _A.placed_at < number("until"))
    .order_by(_A.id)
    .limit(number("count"))
)
_CHARGED = Statement(
    select(_C.at, _C.number, _P.organisation, _C.currency, _C.lines, _C.supported)
    .join_from(charges, projects, _C.project == _P.name)
    .where(
        _C.at >= number("start"),
        _C.at < number("until"),
        or_(_C.at > number("start"), _C.number > number("after")),
    )
    .order_by(_C.at, _C.number)
    .limit(number("count"))
)


class Bottlenecks:
    """Implements `ports.bottlenecks.Bottlenecks`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def unplaced(self, first: str, start: Instant, end: Instant) -> list[Unplaced]:
        rows = self._session.all(_UNPLACED, {"first": first, "start": start, "until": end})
        return [Unplaced(JobState(state), cause, loads(spec), count) for state, cause, spec, count in rows]

    def placed(self, first: str, start: Instant, end: Instant) -> Iterator[Mapping[str, Any]]:
        params = {"start": start, "until": end, "after": first, "count": _PAGE}
        while rows := self._session.all(_PLACED, params):
            for _, reasons in rows:
                yield loads(reasons)
            params |= {"after": rows[-1][0]}

    def charged(self, start: Instant, end: Instant) -> Iterator[Charged]:
        params = {"start": start, "until": end, "after": 0, "count": _PAGE}
        while rows := self._session.all(_CHARGED, params):
            for _, _, organisation, currency, lines, supported in rows:
                yield Charged(organisation, currency, tuple(loads(lines)), supported)
            params |= {"start": rows[-1][0], "after": rows[-1][1]}
