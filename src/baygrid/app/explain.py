"""Why a job is where it is, or where it would go, as a priced table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from baygrid.app import datasets, secrets
from baygrid.app.access import Action, Actor, permit, visible
from baygrid.app.admission import hold_for, predecessors
from baygrid.app.arrays import find_array
from baygrid.app.attempts import BARRED, MONEY, PREEMPTED
from baygrid.app.borders import Borders
from baygrid.app.catalogue import RegionCopy
from baygrid.app.charging import purse_of, voucher_of
from baygrid.app.deals import to_come, with_deals
from baygrid.app.demand import demand_of
from baygrid.app.jobs import find_job
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, WrongState
from baygrid.app.region_image import RegionImage
from baygrid.app.submit import check_currency, check_places, check_queues, read_specs
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.jobs.spec import parse
from baygrid.core.placement.demand import Bar, Demand
from baygrid.core.placement.judging.filters import NOT_NOW, OUTRANKED
from baygrid.core.placement.plan import impossible
from baygrid.core.pricing.vouchers import Purse
from baygrid.core.reading import format_instant
from baygrid.core.reasons import Explanation
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.messages import WITHDRAWN
from baygrid.ports.records import ArrayRecord, AttemptRecord, Held, JobRecord, Offer, Project, Want
from baygrid.ports.store import Tx
from baygrid.ports.trading import Open

UNSAVED = "it has no checkpoint.path: its work is lost when it has to yield"
"""To a spot job."""
IMAGINED = "?"
"""The id of a job that is not there: no name and no id looks so."""


class Outcome(StrEnum):
    PLACED = "placed"
    WOULD_PLACE = "would-place"
    WAITING = "waiting"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Row:
    """One offer that was considered (`offer` None: a place without a price). `verdict`: chosen, possible (but
    not the best), busy (waiting helps) or no. `wait_s`: until it starts, `centre_wait_s`: as the
    centre's own scheduler said (None: it said nothing); `transfer_s` of what it
    needs, `run_s` expected: seconds. `start`: when it is expected to begin (ms), where that is known. `gco2`:
    grams, where the operator has declared them. `link`: over which its data comes, as `explaining.carriage`
    has it; `work`: what its work is expected to come to, as `explaining.labour` has it. `voucher`: what
    vouchers would pay of the cost, as they are now. `trades`: what was bought ahead, or is listed as spot,
    that the cost reckons with."""

    name: str
    offer: Offer | None
    verdict: str
    cost: Money | None
    reasons: Sequence[Mapping[str, Any]]
    wait_s: int | None = None
    start: Instant | None = None
    transfer_s: int | None = None
    run_s: int | None = None
    gco2: float | None = None
    centre_wait_s: int | None = None
    link: Mapping[str, Any] | None = None
    work: Mapping[str, Any] | None = None
    voucher: Money | None = None
    trades: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """`text` says the outcome in a sentence, `facts` the same in figures."""

    subject: str
    outcome: Outcome
    text: str
    rows: tuple[Row, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


def of_job(platform: Platform, actor: Actor, id: str) -> Table:
    """A placed job: why it went there, as it was then. A waiting one: what holds it back now. Of an array the
    first element that is still to start, else that has not ended."""

    def load(tx: Tx) -> tuple[JobRecord, Mapping[str, Offer], list[AttemptRecord], Purse]:
        if tx.arrays.get([id]):
            record = _first_open(tx, find_array(tx, actor, Action.READ, id))
        else:
            record = find_job(tx, actor, Action.READ, id)
        purse = purse_of(tx, record.project, record.currency, voucher_of(record.spec))
        return record, platform.catalogue.at(tx).offers, tx.attempts.of_jobs([record.id]), purse

    record, offers, attempts, purse = platform.store.read(load)
    found = _of_record(platform, record, offers, attempts)
    return (
        found if record.state.final else _supported(found, purse, platform.clock(), parse(record.spec).time)
    )


def of_waiting(platform: Platform, actor: Actor, ids: Sequence[str]) -> dict[str, Table]:
    """Why each of these jobs does not run yet, without what vouchers would pay; what began or ended just now
    is left out."""

    def load(tx: Tx) -> tuple[list[JobRecord], Mapping[str, Offer]]:
        records = list(tx.jobs.get(ids).values())
        for it in records:
            visible(actor, Action.READ, it.project, "job", it.id)
        return records, platform.catalogue.at(tx).offers

    records, offers = platform.store.read(load)
    found = {it.id: _held(it) for it in records if it.state is JobState.HELD}
    now = platform.clock()
    with platform.follower.lock:
        waiting = (it.id for it in records if it.state is JobState.QUEUED)
        for id, explanation in platform.follower.explain(waiting, now).items():
            stopping = platform.follower.region.stopping_for(id)
            found[id] = _stopped_for(_told(id, explanation, offers), stopping)
    return found


def _of_record(
    platform: Platform, record: JobRecord, offers: Mapping[str, Offer], attempts: Sequence[AttemptRecord]
) -> Table:
    id = record.id
    if record.state is JobState.QUEUED:
        now = platform.clock()
        with platform.follower.lock:
            said = platform.follower.explain([id], now).get(id)
            known = platform.follower.region
            if said is None:  # it began just now
                said = known.explain(known.demand(record), now)
            stopping = known.stopping_for(id)
        return _stopped_for(_told(id, said, offers), stopping)
    if record.state is JobState.HELD:
        return _held(record)
    if not attempts:
        raise WrongState(f"job {id!r} was never placed: it is {record.state.value}")
    found = _queued(table(id, Outcome.PLACED, attempts[-1].reasons, offers), attempts[-1])
    if attempts[-1].want is Want.STOP and attempts[-1].stop_reason == WITHDRAWN:
        text = f"{found.text}; it waits there for too long, and is being withdrawn to start elsewhere"
        found = replace(found, text=text)
    if attempts[-1].want is Want.STOP and attempts[-1].stop_reason == MONEY:
        held = Money(record.hold, record.currency)
        text = f"{found.text}; now it is being stopped, since it would cost more than the {held} held for it"
        found = replace(found, text=text)
    if attempts[-1].want is Want.STOP and attempts[-1].stop_reason == BARRED:
        text = f"{found.text}; now it is being stopped, since its datasets may not go there any more"
        found = replace(found, text=text)
    if attempts[-1].want is Want.STOP and attempts[-1].stop_reason == PREEMPTED:
        text = f"{found.text}; now it is being stopped for a more urgent job, and will be queued again"
        found = replace(found, text=text)
    return found


def _first_open(tx: Tx, array: ArrayRecord) -> JobRecord:
    elements = tx.jobs.open_in(array.id)
    if not elements:
        raise WrongState(f"all elements of array {array.id!r} have ended: ask for one of them")
    return min(elements, key=lambda one: (one.state is not JobState.QUEUED, one.state is not JobState.HELD))


def _queued(found: Table, attempt: AttemptRecord) -> Table:
    """With what its centre says of an attempt that waits in the centre's own queue."""
    if attempt.state is not AttemptState.WAITING or attempt.want is not Want.RUN:
        return found
    because = f" ({attempt.detail})" if attempt.detail else ""
    text = f"{found.text}; it waits in the centre's own queue{because}"
    if attempt.expected_at is not None:
        text = (
            f"{found.text}; its centre expects to start it at {format_instant(attempt.expected_at)}{because}"
        )
    facts = {"centre_expects_ms": attempt.expected_at, "centre_says": attempt.detail or attempt.raw}
    return replace(found, text=text, facts={**found.facts, **facts})


def _held(record: JobRecord) -> Table:
    return Table(record.id, Outcome.WAITING, _held_until(record), ())


def _held_until(record: JobRecord) -> str:
    """Why a job does not even wait for its turn."""
    if record.cause == Held.AFTER:
        # An element waits with its array, which knows for whom.
        waits_for = record.waits_for or record.spec["after"]
        return f"held until {', '.join(waits_for)} has succeeded"
    if record.cause == Held.MONEY and record.detail:
        return f"held: {record.detail}"
    if record.cause == Held.MONEY:
        need = Money(record.asked, record.currency)
        return f"held until project {record.project!r} has {need} free: grant more, or wait until jobs end"
    if record.cause == Held.BACK_OFF:
        return f"held until {format_instant(record.not_before or 0)}: {record.detail}"
    return f"held until earlier elements of array {record.array} have ended"


def of_document(platform: Platform, actor: Actor, document: Mapping[str, Any]) -> Table:
    """Where a job would go now; nothing is submitted."""
    spec = read_specs(actor, [document], None, uploaded=False)[0]
    permit(actor, Action.USE, project=spec.project)
    now = platform.clock()

    def load(tx: Tx) -> tuple[Project, RegionCopy, frozenset[str], Purse, Sequence[Open], tuple[Bar, ...]]:
        project = tx.region.projects([spec.project]).get(spec.project)
        if project is None:
            raise NotFound(f"there is no project {spec.project!r}")
        copy = platform.catalogue.at(tx)
        (pinned,), _ = datasets.pin(tx, copy, [spec])
        secrets.check(tx, actor, [spec])
        check_places(copy, [spec])
        check_queues(copy, [spec], platform.clock())
        check_currency(project, [spec])
        jobs, arrays = tx.jobs.get(spec.after), tx.arrays.get(spec.after)
        purse = purse_of(tx, project.name, project.currency, spec.voucher)
        opened = tx.trading.open() if copy.sells else ()
        bars = Borders(tx, copy, platform.lists, now).bars(pinned) or ()
        return project, copy, predecessors(project, [spec], jobs, arrays), purse, opened, bars

    project, copy, waits_for, purse, opened, bars = platform.store.read(load)
    demand = demand_of(IMAGINED, project.currency, spec, project.organisation, actor.who, now, bars=bars)
    with platform.follower.lock:
        known = platform.follower.catch_up(now)
        in_future = with_deals(demand, to_come(opened, now), now)
        found = impossible(known.image, in_future)
        if found is not None:
            return table(spec.name, Outcome.IMPOSSIBLE, found.to_json(), copy.offers)
        answer = _table_of(known, spec.name, known.imagined(demand, spec.name), copy.offers, now)
    answer = _supported(answer, purse, now, spec.time)
    need = hold_for(copy, in_future, spec.checkpoint.grace, now)
    elements = 1 if spec.array is None else spec.array.parallel
    more = f"; {Money(need * elements, project.currency)} will be held for it"
    if need * elements > project.free:
        free = Money(project.free, project.currency)
        more += f", and project {project.name!r} has {free} free: it would be refused"
    if spec.spot and spec.checkpoint.path is None:
        more += f"; {UNSAVED}"
    if waits_for:
        more += f"; first {', '.join(sorted(waits_for))} must succeed"
    return replace(answer, text=answer.text + more)


def _supported(found: Table, purse: Purse, now: Instant, time_s: int) -> Table:
    """With what vouchers would pay at each offer if the job began now and took all of its time."""
    rows = []
    for row in found.rows:
        if row.cost is not None:
            shares, _ = purse.pay(row.cost.minor, now, now + time_s * 1000)
            paid = Money(sum(share.paid for share in shares), row.cost.currency)
            row = replace(row, voucher=paid if shares else None)
        rows.append(row)
    return replace(found, rows=tuple(rows))


def _table_of(
    known: RegionImage, subject: str, demand: Demand, offers: Mapping[str, Offer], now: Instant
) -> Table:
    return _told(subject, known.explain(demand, now), offers)


def _told(subject: str, found: Explanation, offers: Mapping[str, Offer]) -> Table:
    """Of what has no place yet."""
    outcome = Outcome.WOULD_PLACE if found.outcome.code == "fits-now" else Outcome.WAITING
    return table(subject, outcome, found.to_json(), offers)


def _stopped_for(found: Table, stopping: int) -> Table:
    if not stopping:
        return found
    who = "an attempt is" if stopping == 1 else f"{stopping} attempts are"
    return replace(found, text=f"{found.text}; {who} being stopped for it")


def table(
    subject: str, outcome: Outcome, explanation: Mapping[str, Any], offers: Mapping[str, Offer]
) -> Table:
    """An explanation (as `core.reasons.Explanation.to_json` wrote it) with its prices beside the verdicts."""
    data = explanation["outcome"]["data"]
    figures = {row["subject"]: row for row in data.get("costs", ())}
    best = data.get("best")
    rows = [
        _row(verdict, figures.get(verdict["subject"], {}), best, offers)
        for verdict in explanation["verdicts"]
    ]
    facts = {key: value for key, value in data.items() if key not in ("best", "costs")}
    return Table(subject, outcome, explanation["outcome"]["text"], tuple(rows), facts)


def _row(
    verdict: Mapping[str, Any], figures: Mapping[str, Any], best: str | None, offers: Mapping[str, Offer]
) -> Row:
    name, reasons = verdict["subject"], verdict["obstacles"]
    return Row(
        name,
        offers.get(figures.get("offer", "")),
        _verdict(name == best, [reason["code"] for reason in reasons]),
        Money(figures["cost_minor"], figures["currency"]) if figures else None,
        reasons,
        figures.get("wait_s"),
        figures.get("start_ms"),
        figures.get("transfer_s"),
        figures.get("run_s"),
        figures.get("gco2"),
        figures.get("centre_wait_s"),
        figures.get("link"),
        figures.get("work"),
        trades=tuple(figures.get("trades", ())),
    )


def _verdict(best: bool, codes: Sequence[str]) -> str:
    if best:
        return "chosen"
    if all(code == OUTRANKED for code in codes):
        return "possible"
    return "busy" if all(code in NOT_NOW for code in codes) else "no"
