"""Applications as they stand, and their steps, which are append-only."""

from __future__ import annotations

from sqlalchemy import select

from baygrid.core.pricing.applications import ApplicationState, Step
from baygrid.ports.accounts import ApplicationRow, StepRow
from baygrid.ports.store import Conflict
from baygrid.store.account_tables import application_steps, applications
from baygrid.store.documents import clean
from baygrid.store.sql import (
    Row,
    Session,
    Statement,
    insert_all_or_raise,
    insert_new,
    number,
    text,
    update_version,
)
from baygrid.store.tables import projects

_A, _S = applications.c, application_steps.c
_INSERT = insert_new(applications)
_UPDATE = update_version(applications, without=["project", "amount", "start", "end", "purpose", "renews"])
_ROWS = (
    select(
        _A.id,
        _A.project,
        projects.c.currency,
        _A.state,
        _A.amount,
        _A.start,
        _A.end,
        _A.purpose,
        _A.renews,
        _A.recommended,
        _A.approved,
        _A.allocation,
        _A.version,
    )
    .join_from(applications, projects, _A.project == projects.c.name)
    .order_by(_A.id.desc())
)
_ONE = Statement(_ROWS.where(_A.id == text("key")))
_PAGE = Statement(_ROWS.where(_A.id < text("before")).limit(number("count")))
_OF_PROJECT = Statement(_ROWS.where(_A.project == text("of"), _A.id < text("before")).limit(number("count")))
_INSERT_STEP = insert_new(application_steps)
_STEPS = Statement(
    select(_S.application, _S.n, _S.step, _S.at, _S.by, _S.amount, _S.words)
    .where(_S.application == text("of"))
    .order_by(_S.n)
)
_LAST = "~"  # after every id


def _row(row: Row) -> ApplicationRow:
    id, project, currency, state, *rest = row
    return ApplicationRow(id, project, currency, ApplicationState(state), *rest)


class Applications:
    """The part of `ports.accounts.Accounts` that is about applications."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert_application(self, row: ApplicationRow) -> None:
        params = {
            "id": row.id,
            "project": row.project,
            "state": row.state.value,
            "amount": row.amount,
            "start": row.start,
            "end": row.end,
            "purpose": clean(row.purpose),
            "renews": row.renews,
            "recommended": row.recommended,
            "approved": row.approved,
            "allocation": row.allocation,
            "version": row.version,
        }
        insert_all_or_raise(self._session, _INSERT, [params], f"an application {row.id!r}")

    def update_application(self, row: ApplicationRow) -> None:
        params = {
            "key": row.id,
            "read_version": row.version,
            "state": row.state.value,
            "recommended": row.recommended,
            "approved": row.approved,
            "allocation": row.allocation,
        }
        if not self._session.change(_UPDATE, params):
            raise Conflict(row.id)

    def application(self, id: str) -> ApplicationRow | None:
        found = self._session.all(_ONE, {"key": id})
        return _row(found[0]) if found else None

    def applications(self, project: str | None, before: str | None, limit: int) -> list[ApplicationRow]:
        params = {"before": before or _LAST, "count": limit}
        if project is None:
            return [_row(row) for row in self._session.all(_PAGE, params)]
        return [_row(row) for row in self._session.all(_OF_PROJECT, {"of": project, **params})]

    def insert_step(self, row: StepRow) -> None:
        params = {
            "application": row.application,
            "n": row.n,
            "step": row.step.value,
            "at": row.at,
            "by": row.by,
            "amount": row.amount,
            "words": clean(row.words),
        }
        insert_all_or_raise(self._session, _INSERT_STEP, [params], f"step {row.n} of {row.application!r}")

    def steps(self, application: str) -> list[StepRow]:
        return [
            StepRow(of, n, Step(step), *rest)
            for of, n, step, *rest in self._session.all(_STEPS, {"of": application})
        ]
