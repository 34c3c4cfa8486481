"""What is written for a submission: jobs and arrays, whom they wait for, and what is held for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from baygrid.app.access import Actor
from baygrid.app.borders import Borders
from baygrid.app.catalogue import RegionCopy
from baygrid.app.deals import to_come, with_deals
from baygrid.app.demand import demand_of, in_steps
from baygrid.app.holding import hold
from baygrid.app.platform import Platform
from baygrid.app.problems import Impossible, Invalid
from baygrid.core.jobs.array import MAX_ELEMENTS, Array
from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.jobs.spec import JobSpec, to_document
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.judging.candidates import candidates
from baygrid.core.placement.judging.filters import never
from baygrid.core.placement.plan import impossible
from baygrid.core.placement.search import STANDARD, judged
from baygrid.core.pricing.hold import KILL_WAIT_S
from baygrid.core.reasons import Explanation
from baygrid.ports.basics import Instant
from baygrid.ports.records import ArrayRecord, Event, Held, JobRecord, Project
from baygrid.ports.store import Tx

MAX_ARRAY_BYTES = 64 * 1024 * 1024
"""Of the job files of all elements: each has its own copy."""

Accepted = JobRecord | ArrayRecord
"""What a job file became."""


@dataclass(slots=True)
class _Rows:
    jobs: list[JobRecord] = field(default_factory=list)
    arrays: list[ArrayRecord] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)


def admit(
    platform: Platform,
    tx: Tx,
    actor: Actor,
    project: Project,
    region: RegionCopy,
    specs: Sequence[JobSpec],
    sizes: Mapping[str, int],
    now: Instant,
) -> list[Accepted]:
    """Writes the jobs with their events and takes their holds: an array holds for as many elements as it may
    have at once. One job or array for each spec, in their order. Raises Impossible, Invalid,
    NotEnoughMoney. `sizes`: bytes of each blob and dataset whose size is known, by its place."""
    _check_sizes(specs)
    named = sorted({id for spec in specs for id in spec.after})
    # Locked: none of them can end before this transaction does, so none ends unheard.
    open_ids = predecessors(project, specs, tx.jobs.lock(named), tx.arrays.lock(named))
    rows = _Rows()
    ahead = to_come(tx.trading.open(), now) if region.sells else ()
    borders = Borders(tx, region, platform.lists, now)
    for spec in specs:
        bars = borders.bars(spec)
        brought = sum(sizes.get(place, 0) for place in {spec.workdir or "", *spec.inputs.values()})
        demand = demand_of("", project.currency, spec, input_bytes=in_steps(brought), bars=bars or ())
        demand = with_deals(demand, ahead, now)
        asked = hold_for(region, demand, spec.checkpoint.grace, now)
        waits_for = tuple(id for id in spec.after if id in open_ids)
        record = JobRecord(
            id=platform.ids.new("job", now) if spec.array is None else "",
            project=project.name,
            name=spec.name,
            state=JobState.HELD if waits_for else JobState.QUEUED,
            spec=to_document(spec),
            submitted_at=now,
            submitted_by=actor.who,
            currency=project.currency,
            hold=asked,
            cause=Held.AFTER if waits_for else None,
            asked=asked,
            waits_for=waits_for,
            input_bytes=brought,
            bars=bars,
        )
        if spec.array is None:
            rows.jobs.append(record)
            rows.accepted.append(record)
        else:
            _add_array(platform, rows, record, spec.array, now)
    rows.jobs = hold(tx, project.name, rows.jobs, now)
    single = {record.id: record for record in rows.jobs if record.array is None}
    tx.arrays.insert(rows.arrays)
    tx.jobs.insert(rows.jobs)
    tx.events.append([_told(record, now) for record in rows.jobs])
    return [single.get(it.id, it) for it in rows.accepted]


def _add_array(platform: Platform, rows: _Rows, like: JobRecord, wanted: Array, now: Instant) -> None:
    """`like`: an element that may be queued at once. It is the array that waits for others, not each of its
    elements."""
    array = ArrayRecord(
        id=platform.ids.new("array", now),
        project=like.project,
        name=like.name,
        size=wanted.size,
        parallel=wanted.parallel,
        left=wanted.size,
        submitted_at=now,
        submitted_by=like.submitted_by,
        waits_for=like.waits_for,
    )
    first = replace(like, array=array.id, waits_for=())
    later = replace(first, state=JobState.HELD, cause=Held.ARRAY, hold=0)
    rows.jobs += [
        replace(first if number < wanted.parallel else later, id=platform.ids.new("job", now), index=index)
        for number, index in enumerate(wanted.indices)
    ]
    rows.arrays.append(array)
    rows.accepted.append(array)


def _told(record: JobRecord, now: Instant) -> Event:
    data = {"name": record.name, "array": record.array, "index": record.index, "held_for": record.cause}
    known = {key: value for key, value in data.items() if value is not None}
    return Event(now, "job-submitted", record.project, record.id, data=known)


def _check_sizes(specs: Sequence[JobSpec]) -> None:
    elements = 0
    for index, spec in enumerate(specs):
        path = f"jobs[{index}].array" if len(specs) > 1 else "array"
        size = spec.array.size if spec.array is not None else 0
        elements += size
        if elements > MAX_ELEMENTS:
            raise Invalid.at(path, f"together these are more than {MAX_ELEMENTS} elements: send them apart")
        if size * len(orjson.dumps(to_document(spec))) > MAX_ARRAY_BYTES:
            cure = "put the commands into a file of the workdir"
            raise Invalid.at(path, f"is too many elements for so long a job file: {cure}")


def predecessors(
    project: Project,
    specs: Sequence[JobSpec],
    jobs: Mapping[str, JobRecord],
    arrays: Mapping[str, ArrayRecord],
) -> frozenset[str]:
    """Those of the jobs and arrays named in `after` that have not ended. Raises Invalid for one that
    is not there, or can never succeed."""
    found: list[tuple[str, str]] = []
    waiting: set[str] = set()
    for index, spec in enumerate(specs):
        prefix = f"jobs[{index}]." if len(specs) > 1 else ""
        for place, id in enumerate(spec.after):
            path, job, array = f"{prefix}after[{place}]", jobs.get(id), arrays.get(id)
            row = job or array
            if row is None or row.project != project.name:
                found.append((path, f"there is no job or array {id!r} in project {project.name!r}"))
            elif job is not None and job.state.final and job.state is not JobState.SUCCEEDED:
                found.append((path, f"{id} is {job.state.value}: it will never succeed"))
            elif array is not None and array.failed:
                found.append((path, f"elements of {id} have failed: it will never succeed"))
            elif (job is not None and not job.state.final) or (array is not None and array.left):
                waiting.add(id)
    if found:
        raise Invalid.many(found)
    return frozenset(waiting)


def hold_for(region: RegionCopy, demand: Demand, grace_s: int, now: Instant) -> int:
    """What is held for a job that waits: its `max_cost`, else what the dearest offer that could run it costs
    for its time with grace and kill wait, by its tariff or one that is announced for that time. Minor units.
    `demand`: with all that was bought ahead for it. Raises Impossible, Invalid."""
    prices = region.prices(now)
    coming = region.announced(now, now + (demand.time_s + grace_s + KILL_WAIT_S) * 1000)
    key = (demand.shape, grace_s, coming)
    answer = prices.memo.get(key)
    if answer is None:
        answer = prices.remember(key, _hold_for(region, demand, grace_s, now, coming))
    if isinstance(answer, Explanation):
        raise Impossible(answer.outcome.text, explanation=answer.to_json())
    return int(answer)


def _hold_for(
    region: RegionCopy, demand: Demand, grace_s: int, now: Instant, coming: Sequence[Instant]
) -> int | Explanation:
    never_fits = impossible(region.image(now), demand)
    if never_fits is not None:
        return never_fits
    if demand.max_cost_minor is not None:
        return demand.max_cost_minor
    longest = replace(demand, time_s=demand.time_s + grace_s + KILL_WAIT_S, deals=(), shape=None)
    images = [region.image(now), *(region.image(now, priced_at=at) for at in coming)]
    return max(
        of_longest.cost_minor
        for image in images
        for it, of_longest in zip(candidates(image, demand), candidates(image, longest), strict=True)
        if not any(map(never, judged(STANDARD, demand, it)))
    )
