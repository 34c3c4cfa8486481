"""What is held for new jobs: all of it, or nothing is submitted. A job that only a hard budget keeps back
waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from baygrid.app.problems import NotEnoughMoney
from baygrid.core.jobs.lifecycle import JobEvent, JobState, step_job
from baygrid.core.pricing.budgets import Budget, short_of
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.records import Held, JobRecord, Project
from baygrid.ports.store import Tx


def hold(tx: Tx, project: str, jobs: Sequence[JobRecord], now: Instant) -> list[JobRecord]:
    """Takes the holds of new jobs; the jobs as they are to be written. One that a hard budget has no room for
    this month is HELD for money, as one is that goes back to the queue. Raises NotEnoughMoney."""
    total = sum(job.hold for job in jobs)
    if tx.money.move(project, at=now, held=total):
        return list(jobs)
    tx.money.lock(project)
    row = tx.region.projects([project])[project]
    if row.budget is None or not row.budget.hard or row.free < total:
        raise _too_little(row, jobs, total)
    return _as_the_budget_allows(tx, row, row.budget, jobs, now)


def _too_little(project: Project, jobs: Sequence[JobRecord], total: int) -> NotEnoughMoney:
    need, free = Money(total, project.currency), Money(project.free, project.currency)
    count = sum(job.hold > 0 for job in jobs)
    what = f"{count} jobs need" if count > 1 else "this job needs"
    fewer = " let fewer elements run in parallel," if any(job.array for job in jobs) else ""
    return NotEnoughMoney(
        f"{what} {need} held until they end, and project {project.name!r} has {free} free: ask for less time"
        f" or fewer resources,{fewer} set budget.max_cost, or wait until other jobs end",
        **_figures(need, free),
    )


def _as_the_budget_allows(
    tx: Tx, project: Project, budget: Budget, jobs: Sequence[JobRecord], now: Instant
) -> list[JobRecord]:
    """In their order; where the budget has no room for one it may have for a smaller one."""
    spent = project.spent(now)
    found = []
    for job in jobs:
        left = budget.amount.minor - spent.counted
        if not job.hold:
            found.append(job)
            continue
        if job.hold <= left and tx.money.move(project.name, at=now, held=job.hold):
            spent = replace(spent, held=spent.held + job.hold)
            found.append(job)
            continue
        why = short_of(project.name, budget, spent, job.hold)
        if job.hold > budget.amount.minor or job.state is not JobState.QUEUED:
            # It would wait for ever, or holds its money while it waits for others.
            free = Money(max(left, 0), project.currency)
            raise NotEnoughMoney(why, **_figures(Money(job.hold, project.currency), free))
        state, _ = step_job(job.state, JobEvent.HOLD)
        found.append(replace(job, state=state, cause=Held.MONEY, hold=0, detail=why))
    return found


def _figures(need: Money, free: Money) -> dict[str, object]:
    return {
        "need": {"minor": need.minor, "currency": need.currency},
        "free": {"minor": free.minor, "currency": free.currency},
    }
