"""Records as the JSON of the REST contract: pure functions, values in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from baygrid.app.access import Actor
from baygrid.app.admission import Accepted
from baygrid.app.arrays import ArrayView
from baygrid.app.bill import Bill, BillLine
from baygrid.app.blobs import Output
from baygrid.app.datasets import View
from baygrid.app.explain import Row, Table
from baygrid.app.jobs import JobView
from baygrid.app.outside import Use
from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.pricing.postings import Transaction
from baygrid.core.pricing.tariff import Tariff, in_force
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.messages import PartitionReport
from baygrid.ports.records import (
    ArrayRecord,
    AttemptRecord,
    CentreRecord,
    CentreState,
    Cursor,
    Event,
    Offer,
    Organisation,
    PolicyRecord,
    Project,
    SecretRecord,
    Token,
)

Doc = dict[str, Any]


def instant(at: Instant) -> str:
    """RFC 3339 in UTC with milliseconds."""
    seconds, milliseconds = divmod(at, 1000)
    return f"{_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def instant_or_none(at: Instant | None) -> str | None:
    return None if at is None else instant(at)


def money(minor: int, currency: str) -> Doc:
    return {"minor": minor, "currency": currency, "text": str(Money(minor, currency))}


def decimal(rate: Fraction) -> str:
    """A rate as the decimal text that it was given as: at most nine decimals, so this is exact."""
    text = f"{Decimal(rate.numerator) / Decimal(rate.denominator):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def items(rows: Iterable[Doc], next: str | None = None) -> Doc:
    return {"items": list(rows), "next": next}


def me(actor: Actor) -> Doc:
    return {
        "role": actor.role.value,
        "project": actor.project,
        "centre": actor.centre,
        "label": actor.label,
    }


def organisation(row: Organisation) -> Doc:
    return {"name": row.name, "kind": row.kind.value, "title": row.title}


def project(row: Project) -> Doc:
    return {
        "name": row.name,
        "organisation": row.organisation,
        "currency": row.currency,
        **{name: money(getattr(row, name), row.currency) for name in ("granted", "held", "charged", "free")},
    }


def token(row: Token) -> Doc:
    return {
        "id": row.id,
        "role": row.role.value,
        "label": row.label,
        "project": row.project,
        "centre": row.centre,
        "created_at": instant(row.created_at),
        "revoked_at": instant_or_none(row.revoked_at),
        "expires_at": instant_or_none(row.expires_at),
    }


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


def attempt(view: JobView, row: AttemptRecord) -> Doc:
    shared = row.accelerator_share < 1000
    devices = row.accelerators * row.accelerator_share / 1000 if shared else row.accelerators
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
        "cost_so_far": money(view.cost.get(row.id, 0), view.job.currency),
        "accelerators": f"{row.accelerator}:{devices}" if row.accelerator else None,
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
        "voucher": None,
        "gco2": row.gco2,
        "link": None if row.link is None else _link(row.link),
        "reasons": list(row.reasons),
    }


def _link(data: Mapping[str, Any]) -> Doc:
    at = data["measured_ms"]
    return {
        **{key: data[key] for key in ("mbit_s", "origin", "gib_price")},
        "measured_at": at and instant(at),
    }


def bill(row: Bill) -> Doc:
    doc: Doc = {
        "project": row.project,
        "currency": row.currency,
        "from": instant(row.start),
        "to": instant(row.end),
        "lines": list(map(_bill_line, row.lines)),
        "total": money(row.total, row.currency),
        "overrun": money(row.overrun, row.currency),
    }
    if row.differences is not None:
        found = [{"attempt": each.attempt, "n": each.n, "what": each.what} for each in row.differences]
        doc["recomputed"] = {"lines": len(row.lines), "differences": found}
    return doc


def _bill_line(row: BillLine) -> Doc:
    amount = Money.parse(row.line["amount"])
    return {
        "job": row.job,
        "name": row.job_name,
        "attempt": row.attempt,
        "n": row.n,
        "centre": row.centre,
        "offer": row.offer,
        "item": row.line["item"],
        "quantity": row.line["quantity"],
        "unit": row.line["unit"],
        "rate": row.line["rate"],
        "amount": money(amount.minor, amount.currency),
        "from": instant(row.line["from"]),
        "to": instant(row.line["to"]),
    }


def output(row: Output) -> Doc:
    return {"name": row.name, "sha256": row.sha256, "size": row.size}


def dataset(view: View) -> Doc:
    row = view.row
    return {
        "project": row.project,
        "name": row.name,
        "version": row.version,
        "ref": row.ref,
        "jurisdiction": row.jurisdiction,
        "uri": row.uri if view.own else None,
        "sha256": row.sha256,
        "bytes": row.bytes,
        "shared": row.shared,
        "made_at": instant(row.made_at),
        "made_by": row.made_by if view.own else None,
        "job": row.job if view.own else None,
        "lineage": list(row.lineage) if view.own else [],
    }


def secret(row: SecretRecord) -> Doc:
    """Without its value, sealed or not."""
    return {
        "project": row.project,
        "name": row.name,
        "set_at": instant(row.set_at),
        "set_by": row.set_by,
    }


def event(cursor: Cursor, row: Event) -> Doc:
    return {
        "cursor": str(cursor),
        "at": instant(row.at),
        "kind": row.kind,
        "project": row.project,
        "job": row.job,
        "attempt": row.attempt,
        "centre": row.centre,
        "data": dict(row.data),
    }


def centre(row: CentreRecord, *, reachable: bool, nodes: bool) -> Doc:
    """`nodes`: every node of each partition, not only sums."""
    return {
        "name": row.name,
        "jurisdiction": row.jurisdiction,
        "driver": row.driver,
        "version": row.version,
        "capabilities": None if row.capabilities is None else sorted(row.capabilities),
        "renewing": row.renewing,
        "state": row.state.value,
        "reachable": reachable,
        "seen_at": instant_or_none(row.seen_at),
        "partitions": [partition(part, nodes=nodes) for part in row.inventory],
    }


def centre_use(row: Use) -> Doc:
    return {
        "account": row.account,
        "inside": row.inside,
        "jobs": row.jobs,
        "cpu_hours": round(row.cpu_hours, 4),
        "accelerator_hours": round(row.accelerator_hours, 4),
    }


def partition(row: PartitionReport, *, nodes: bool) -> Doc:
    accelerators: dict[str, int] = {}
    for node in row.nodes:
        for model, count in node.accelerators.items():
            accelerators[model] = accelerators.get(model, 0) + count
    doc: Doc = {
        "name": row.name,
        "nodes": len(row.nodes),
        "cpus": sum(node.cpus for node in row.nodes),
        "memory_mib": sum(node.memory_mib for node in row.nodes),
        "accelerators": accelerators,
        "time_limit_s": row.time_limit_s,
    }
    if nodes:
        doc["node_list"] = [
            {
                "name": node.name,
                "cpus": node.cpus,
                "memory_mib": node.memory_mib,
                "accelerators": dict(node.accelerators),
            }
            for node in row.nodes
        ]
    return doc


def offer(row: Offer, now: Instant, *, reachable: bool, state: CentreState | None) -> Doc:
    """At the prices in force now, or the first ones where none is in force yet; and all of them by date."""
    tariff = in_force(row.tariffs, now) or row.tariffs[0]
    return {
        "id": row.id,
        "centre": row.centre,
        "partition": row.partition,
        "accelerator": row.accelerator,
        "currency": row.currency,
        **rates(tariff),
        "reachable": reachable,
        "state": state.value if state else None,
        "tariffs": [rates(each) for each in row.tariffs],
    }


def rates(tariff: Tariff) -> Doc:
    return {
        "valid_from": instant(tariff.valid_from),
        "accelerator_hour": decimal(tariff.accelerator_hour),
        "cpu_hour": decimal(tariff.cpu_hour),
        "gib_hour": decimal(tariff.gib_hour),
    }


def transaction(row: Transaction) -> Doc:
    return {
        "id": row.id,
        "key": row.key,
        "at": instant(row.at),
        "narration": row.narration,
        "postings": [
            {"account": p.account, "amount": money(p.money.minor, p.money.currency)} for p in row.postings
        ],
        "sources": list(row.sources),
    }


def balances(rows: Mapping[tuple[str, str], int]) -> Doc:
    return items(
        {"account": account, "balance": money(minor, currency)}
        for (account, currency), minor in sorted(rows.items())
    )


def policy(row: PolicyRecord | None) -> Doc:
    return {
        "id": row.id if row else None,
        "valid_from": instant(row.valid_from) if row else None,
        "set_at": instant(row.set_at) if row else None,
        "set_by": row.set_by if row else None,
        "document": dict(row.document) if row else {},
    }
