"""Jobs as the JSON of the REST contract: their attempts, their arrays, and why they are where they are."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from baygrid.api.render import Doc, instant, instant_or_none, money
from baygrid.app.admission import Accepted
from baygrid.app.arrays import ArrayView
from baygrid.app.blobs import Output
from baygrid.app.explain import Row, Table
from baygrid.app.jobs import JobView
from baygrid.app.tending import Run
from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.jobs.spared import not_charged
from baygrid.ports.records import ArrayRecord, AttemptRecord


def job(view: JobView, reasons: Table | None = None) -> Doc:
    """All of a job."""
    doc = job_line(view)
    doc["attempts"] = [attempt(view, row) for row in view.attempts]
    doc["spec"] = view.job.spec
    doc["reasons"] = explanation(reasons) if reasons else None
    return doc


def job_line(view: JobView) -> Doc:
    """A job as lists show it: without its file and the reasons, with its last attempt only."""
    row = view.job
    last = view.attempts[-1] if view.attempts else None
    return {
        "id": row.id,
        "project": row.project,
        "name": row.name,
        "state": row.state.value,
        "submitted_at": instant(row.submitted_at),
        "ended_at": instant_or_none(row.ended_at),
        "cause": row.cause,
        "detail": row.detail,
        "exit_code": row.exit_code,
        "hold": money(row.hold, row.currency),
        "charge": money(view.charged, row.currency),
        "overrun": money(view.overrun, row.currency),
        "supported": money(view.supported, row.currency),
        "centre": last.centre if last else None,
        "partition": last.partition if last else None,
        "offer": last.offer if last else None,
        "array": row.array,
        "index": row.index,
        "queue": row.spec.get("queue", "default"),
        "priority": row.spec.get("priority", "normal"),
        "waits_for": list(row.waits_for),
        "not_before": instant_or_none(row.not_before),
        "attempts": [attempt(view, last)] if last else [],
    }


def submitted(row: Accepted) -> Doc:
    """A job or array of a batch that was just accepted."""
    if isinstance(row, ArrayRecord):
        state = ArrayView.new(row).state.value
        return {"id": row.id, "name": row.name, "state": state, "size": row.size}
    return {"id": row.id, "name": row.name, "state": row.state.value}


def array(view: ArrayView) -> Doc:
    row = view.array
    return {
        "id": row.id,
        "project": row.project,
        "name": row.name,
        "state": view.state.value,
        "submitted_at": instant(row.submitted_at),
        "size": row.size,
        "parallel": row.parallel,
        "left": row.left,
        "failed": row.failed,
        "states": {state.value: view.states.get(state, 0) for state in JobState},
        "waits_for": list(row.waits_for),
    }


def centre_attempt(run: Run) -> Doc:
    row = run.attempt
    return {
        "id": row.id,
        "job": row.job,
        "name": run.job.name,
        "project": row.project,
        "n": row.n,
        "partition": row.partition,
        "offer": row.offer,
        "nodes": list(row.nodes),
        "count": row.count,
        "cpus": row.cpus,
        "memory_mib": row.memory_mib,
        "accelerators": _accelerators(row),
        "state": row.state.value,
        "raw": row.raw,
        "placed_at": instant(row.placed_at),
        "started_at": instant_or_none(row.started_at),
        "ended_at": instant_or_none(row.ended_at),
        "exit_code": row.exit_code,
        "cause": row.cause,
        "detail": row.detail,
    }


def _accelerators(row: AttemptRecord) -> str | None:
    shared = row.accelerator_share < 1000
    devices = row.accelerators * row.accelerator_share / 1000 if shared else row.accelerators
    return f"{row.accelerator}:{devices}" if row.accelerator else None


def attempt(view: JobView, row: AttemptRecord) -> Doc:
    return {
        "id": row.id,
        "n": row.n,
        "centre": row.centre,
        "partition": row.partition,
        "offer": row.offer,
        "nodes": list(row.nodes),
        "count": row.count,
        "state": row.state.value,
        "raw": row.raw,
        "placed_at": instant(row.placed_at),
        "expected_at": instant_or_none(row.expected_at),
        "started_at": instant_or_none(row.started_at),
        "ended_at": instant_or_none(row.ended_at),
        "exit_code": row.exit_code,
        "cause": row.cause,
        "detail": row.detail,
        "log_size": row.log_size,
        "staged_bytes": row.staged_bytes,
        "staging_bytes": row.staging_bytes,
        "outputs": dict(row.outputs),
        "not_charged": not_charged(row.state, row.cause, row.outputs) if row.started_at is not None else None,
        "cost_so_far": money(view.cost.get(row.id, 0), view.job.currency),
        "accelerators": _accelerators(row),
    }


def explanation(table: Table) -> Doc:
    candidates = list(map(_candidate, table.rows))
    chosen = next((row for row in candidates if row["verdict"] == "chosen"), None)
    return {
        "subject": table.subject,
        "outcome": table.outcome.value,
        "text": table.text,
        "chosen": {key: chosen[key] for key in ("centre", "partition", "offer", "cost")} if chosen else None,
        "facts": dict(table.facts),
        "candidates": candidates,
    }


def _candidate(row: Row) -> Doc:
    centre, _, partition = row.name.partition(" ")[0].partition("/")
    return {
        "name": row.name,
        "centre": centre,
        "partition": partition,
        "offer": row.offer.id if row.offer else None,
        "accelerator": row.offer.accelerator if row.offer else None,
        "verdict": row.verdict,
        "wait_s": row.wait_s,
        "centre_wait_s": row.centre_wait_s,
        "start": None if row.start is None else instant(row.start),
        "transfer_s": row.transfer_s,
        "run_s": row.run_s,
        "cost": money(row.cost.minor, row.cost.currency) if row.cost else None,
        "voucher": money(row.voucher.minor, row.voucher.currency) if row.voucher else None,
        "trades": list(row.trades),
        "gco2": row.gco2,
        "link": None if row.link is None else _link(row.link),
        "work": None if row.work is None or row.cost is None else _work(row.work, row.cost.currency),
        "reasons": list(row.reasons),
    }


def _work(data: Mapping[str, Any], currency: str) -> Doc:
    return {
        **{key: data[key] for key in ("unit", "per", "takes_s", "late", "profile")},
        "cost": money(data["cost_minor"], currency),
        "price": None if data["price"] is None else f"{Decimal(repr(data['price'])):f}",
        "measured_at": instant_or_none(data["measured_ms"]),
    }


def _link(data: Mapping[str, Any]) -> Doc:
    at = data["measured_ms"]
    return {
        **{key: data[key] for key in ("mbit_s", "origin", "gib_price")},
        "measured_at": at and instant(at),
    }


def output(row: Output) -> Doc:
    return {"name": row.name, "sha256": row.sha256, "size": row.size}
