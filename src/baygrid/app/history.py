"""The jobs of the past as a simulation takes them: what each asked for, and how long it ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from baygrid.app.demand import demand_of
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.jobs.spec import parse
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, JobRecord
from baygrid.ports.store import Tx
from baygrid.replay.whatif import Past

MOST_JOBS = 20_000
PAGE = 1000
_BY_ITSELF = (AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.CANCELLED)


@dataclass(slots=True)
class History:
    """`known`: their length is known. `unknown`: they run or wait still, or were lost; `lasts_s` is what they
    ran so far. `never_ran`: how many ended before they began. `older`: whether there are more than MOST_JOBS,
    of which these are the newest."""

    known: list[Past] = field(default_factory=list)
    unknown: list[Past] = field(default_factory=list)
    never_ran: int = 0
    older: bool = False


def read_history(tx: Tx, organisations: Mapping[str, str], since: Instant, now: Instant) -> History:
    """Jobs that were submitted from `since` on."""
    found = History()
    before: str | None = None
    while page := tx.jobs.page(None, [], before, PAGE):
        rows = [row for row in page if row.submitted_at >= since]
        attempts: dict[str, list[AttemptRecord]] = defaultdict(list)
        for attempt in tx.attempts.of_jobs([row.id for row in rows]):
            attempts[attempt.job].append(attempt)
        for row in rows:
            if len(found.known) + len(found.unknown) >= MOST_JOBS:
                found.older = True
                return found
            _take(found, row, attempts[row.id], organisations.get(row.project, ""), now)
        if len(rows) < len(page):
            break
        before = page[-1].id
    return found


def _take(
    found: History, row: JobRecord, attempts: Sequence[AttemptRecord], organisation: str, now: Instant
) -> None:
    began = [attempt for attempt in attempts if attempt.started_at is not None]
    if row.state.final and not began:
        found.never_ran += 1
        return
    spec = parse(row.spec)
    demand = demand_of(row.id, row.currency, spec, organisation, row.submitted_by, row.submitted_at)
    if not began:
        found.unknown.append(Past(demand, 0.0, demand.accelerators[0][0] if demand.accelerators else None))
        return
    last, goes_on = began[-1], spec.checkpoint.path is not None
    # One that goes on where it was stopped has done the work of all its attempts.
    lasts = sum(_seconds(attempt, now) for attempt in began) if goes_on else _seconds(last, now)
    past = Past(demand, lasts, last.accelerator, max(1, len(last.nodes)), goes_on)
    (found.known if row.state.final and last.state in _BY_ITSELF else found.unknown).append(past)


def _seconds(attempt: AttemptRecord, now: Instant) -> float:
    """That it ran; until now where it has not ended."""
    assert attempt.started_at is not None
    return max(0, (attempt.ended_at or now) - attempt.started_at) / 1000
