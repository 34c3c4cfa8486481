"""Records as the JSON of the REST contract: pure functions, values in, plain values out. Here what all share
(times, money, pages) and the region; `render_jobs` and `render_money` stand on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from baygrid.app.access import Actor
from baygrid.app.datasets import View
from baygrid.app.outside import Use
from baygrid.app.tending import NodeUse
from baygrid.core.pricing.tariff import Tariff, in_force
from baygrid.core.terms import Energy, Terms
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.messages import PartitionReport
from baygrid.ports.records import (
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
        "token": actor.token_id,
        "user": actor.user,
        "scopes": sorted(actor.scopes),
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
        "scopes": sorted(row.scopes),
        "user": row.user,
        "made_by": row.made_by or None,
    }


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
        "law": row.content.to_json(),
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


def node_use(row: NodeUse) -> Doc:
    return {
        "partition": row.partition,
        "name": row.node.name,
        "cpus": row.node.cpus,
        "memory_mib": row.node.memory_mib,
        "accelerators": dict(row.node.accelerators),
        "used_cpus": row.cpus,
        "used_memory_mib": row.memory_mib,
        "used_accelerators": {model: float(used) for model, used in row.accelerators.items()},
        "attempts": row.attempts,
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


def offer(
    row: Offer, now: Instant, *, reachable: bool, state: CentreState | None, ratings: Sequence[Doc]
) -> Doc:
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
        "ratings": list(ratings),
    }


def rates(tariff: Tariff) -> Doc:
    terms = tariff.terms or Terms()
    return {
        "valid_from": instant(tariff.valid_from),
        "accelerator_hour": decimal(tariff.accelerator_hour),
        "cpu_hour": decimal(tariff.cpu_hour),
        "gib_hour": decimal(tariff.gib_hour),
        "minimum_s": terms.minimum_s,
        "round_up_s": terms.round_up_s,
        "egress_gib": decimal(terms.egress_gib),
        "energy": None if terms.energy is None else _energy(terms.energy),
    }


def _energy(energy: Energy) -> Doc:
    sign, (hours, minutes) = "-" if energy.utc_offset_min < 0 else "+", divmod(abs(energy.utc_offset_min), 60)
    return {
        "price_kwh": [decimal(price) for price in energy.price_kwh],
        "utc_offset": f"{sign}{hours:02}:{minutes:02}",
        "watts_cpu": energy.watts_cpu,
        "watts_accelerator": energy.watts_accelerator,
    }


def policy(row: PolicyRecord | None) -> Doc:
    return {
        "id": row.id if row else None,
        "valid_from": instant(row.valid_from) if row else None,
        "set_at": instant(row.set_at) if row else None,
        "set_by": row.set_by if row else None,
        "document": dict(row.document) if row else {},
    }
