"""The jobs of the past as a simulation takes them: what each asked for, and how long it ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from baygrid.app.demand import demand_of
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.jobs.spec import parse
from baygrid.core.placement.policy import SPOT
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
    ran so far. `never_ran`: how many ended before they began."""

    known: list[Past] = field(default_factory=list)
    unknown: list[Past] = field(default_factory=list)
    never_ran: int = 0


Rows: TypeAlias = list[tuple[JobRecord, list[AttemptRecord]]]


def read_rows(tx: Tx, since: Instant) -> tuple[Rows, bool]:
    """Jobs that were submitted from `since` on with their attempts, newest first; whether there are older
    ones still than these MOST_JOBS."""
    found: Rows = []
    before: str | None = None
    while page := tx.jobs.page(None, [], before, PAGE):
        rows = [row for row in page if row.submitted_at >= since]
        attempts: dict[str, list[AttemptRecord]] = defaultdict(list)
        for attempt in tx.attempts.of_jobs([row.id for row in rows]):
            attempts[attempt.job].append(attempt)
        found += [(row, attempts[row.id]) for row in rows]
        if len(found) > MOST_JOBS:
            return found[:MOST_JOBS], True
        if len(rows) < len(page):
            break
        before = page[-1].id
    return found, False


def history_of(rows: Rows, organisations: Mapping[str, str], now: Instant) -> History:
    """`organisations`: by project."""
    found = History()
    for row, attempts in rows:
        _take(found, row, attempts, organisations.get(row.project, ""), now)
    elements: dict[str, list[str]] = defaultdict(list)
    for past in (*found.known, *found.unknown):
        if past.array is not None:
            elements[past.array[0]].append(past.demand.job)
    found.known = [_after_elements(past, elements) for past in found.known]
    found.unknown = [_after_elements(past, elements) for past in found.unknown]
    return found


def _after_elements(past: Past, elements: Mapping[str, Sequence[str]]) -> Past:
    """One that comes after an array comes after all its elements."""
    if not any(id in elements for id in past.after):
        return past
    return replace(past, after=tuple(job for id in past.after for job in elements.get(id, (id,))))


def _take(
    found: History, row: JobRecord, attempts: Sequence[AttemptRecord], organisation: str, now: Instant
) -> None:
    began = [attempt for attempt in attempts if attempt.started_at is not None]
    if row.state.final and not began:
        found.never_ran += 1
        return
    spec = parse(row.spec)
    # What was for sale then is not known any more: a spot job is one that yields to others.
    priced = replace(spec, spot=False)
    demand = demand_of(row.id, row.currency, priced, organisation, row.submitted_by, row.submitted_at)
    if spec.spot:
        demand = replace(demand, priority=SPOT)
    array = (row.array, spec.array.parallel) if row.array is not None and spec.array is not None else None
    goes_on = spec.checkpoint.path is not None
    past = Past(demand, 0.0, checkpoint=goes_on, after=spec.after, array=array, name=row.name)
    if not began:
        model = demand.accelerators[0][0] if demand.accelerators else None
        found.unknown.append(replace(past, model=model, count=demand.nodes))
        return
    last = began[-1]
    # One that goes on where it was stopped has done the work of all its attempts.
    lasts = sum(_seconds(attempt, now) for attempt in (began if past.checkpoint else [last]))
    past = replace(past, lasts_s=lasts, model=last.accelerator, count=last.count)
    (found.known if row.state.final and last.state in _BY_ITSELF else found.unknown).append(past)


def _seconds(attempt: AttemptRecord, now: Instant) -> float:
    """That it ran; until now where it has not ended."""
    assert attempt.started_at is not None
    return max(0, (attempt.ended_at or now) - attempt.started_at) / 1000
