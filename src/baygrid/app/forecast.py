"""What a project will have cost at the end of the month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.catalogue import RegionCopy
from baygrid.app.costs import running_cost
from baygrid.app.platform import Platform
from baygrid.app.projects import find_project
from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.pricing.forecast import SPAN_MS, Commitment, Forecast, Live, forecast
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.records import JobRecord, Project
from baygrid.ports.store import Tx

PAGE = 500


@dataclass(frozen=True, slots=True)
class Outlook:
    """`waiting`: minor units that are held for jobs that have not started; they are in no figure."""

    project: Project
    forecast: Forecast
    waiting: int


def outlook(platform: Platform, actor: Actor, project: str) -> Outlook:
    """Raises NotFound."""
    permit(actor, Action.READ, project=project)
    now = platform.clock()

    def load(tx: Tx) -> Outlook:
        row = find_project(tx, project)
        ((_, charged), _) = tx.accounts.spending(project, [Month.of(now).start, Month.of(now).end])
        ((_, last_days), _) = tx.accounts.spending(project, [now - SPAN_MS, now + 1])
        live = list(_live(tx, platform.catalogue.at(tx), project, now))
        bought = [Commitment(it.held, it.terms.end) for it in tx.trading.trades(project)]
        currency = row.currency
        made = forecast(now, Money(charged, currency), live, Money(last_days, currency), bought)
        kept = sum(it.hold for it in live) + sum(it.held for it in bought)
        return Outlook(row, made, row.held - kept)

    return platform.store.read(load)


def _live(tx: Tx, region: RegionCopy, project: str, now: Instant) -> Iterator[Live]:
    before: str | None = None
    while page := tx.jobs.page(project, [JobState.ACTIVE], before, PAGE):
        yield from _of_jobs(tx, region, page, now)
        before = page[-1].id


def _of_jobs(tx: Tx, region: RegionCopy, jobs: list[JobRecord], now: Instant) -> Iterator[Live]:
    holds = {job.id: job.hold for job in jobs}
    for attempt in tx.attempts.of_jobs(list(holds)):
        if not attempt.state.final:
            yield Live(running_cost(attempt, region.offers[attempt.offer], now), holds[attempt.job])
