"""Contracts about data, persons and recipients as JSON."""

from __future__ import annotations

from baygrid.api.render import Doc, instant, instant_or_none
from baygrid.app.contract_view import Contract, Due, Whole
from baygrid.app.persons import Counted
from baygrid.app.recipients import Link, Recipient
from baygrid.core.data.counting import Count
from baygrid.core.reasons import Reason
from baygrid.ports.contracts import ContractStep


def line(contract: Contract) -> Doc:
    row = contract.row
    return {
        "id": row.id,
        "share": row.share,
        "provider": row.provider,
        "consumer": row.consumer,
        "purpose": row.purpose,
        "ground": row.ground,
        "choice": row.choice,
        "onward": row.onward,
        "scope": row.scope,
        "facts": dict(row.facts),
        "from": instant(row.start),
        "until": instant_or_none(row.until),
        "grants": [{"id": it.id, "table": it.ref, "terms": it.terms.to_json()} for it in contract.it.grants],
        "state": row.state.value,
        "suspended": [
            {"by": it.side.value, "code": it.code, "reason": it.reason, "at": instant(it.at)}
            for it in row.suspensions
        ]
        or None,
        "renews": row.renews,
    }


def contract(whole: Whole) -> Doc:
    law = whole.answer.law
    return {
        **line(whole.contract),
        "obligations": [_due(it) for it in whole.dues],
        "steps": [_step(it) for it in whole.contract.steps],
        "law": {
            "as_of": str(whole.today),
            "outcome": law.outcome,
            "options": list(law.options),
            "basis": list(law.basis),
            "missing": list(law.missing),
            "notes": list(whole.answer.document["notes"]),
            "counts": whole.answer.counts,
        },
        "why": _reason(whole.why),
    }


def _due(it: Due) -> Doc:
    record = None if it.record is None else it.record.to_json()
    return {**it.obligation.to_json(), "record": record, "why": _reason(it.reason)}


def _reason(reason: Reason | None) -> Doc | None:
    return None if reason is None else dict(reason.to_json())


def _step(it: ContractStep) -> Doc:
    return {
        "n": it.n,
        "at": instant(it.at),
        "step": it.step.value,
        "side": it.side.value,
        "by": it.by,
        "data": dict(it.data),
    }


def counted(it: Counted) -> Doc:
    return {
        "exporter": it.exporter,
        "since": instant(it.since),
        "exposed": _persons(it.exposed),
        "observed": _persons(it.observed),
        "ahead": [
            {
                "kind": one.threshold.kind,
                "threshold": one.threshold.least,
                "persons": it.exposed.of(one.threshold),
                "near": one.near,
                "day": None if one.day is None else str(one.day),
            }
            for one in it.ahead
        ],
        "history": [{"at": instant(row.at), "pi": row.pi, "spi": row.spi} for row in it.history],
    }


def _persons(count: Count) -> Doc:
    return {"pi": count.pi, "spi": count.spi}


def recipient(it: Recipient) -> Doc:
    return {
        "id": it.row.id,
        "project": it.row.project,
        "name": it.row.name,
        "made_at": instant(it.row.made_at),
        "tokens": [
            {
                "id": token.id,
                "made_at": instant(token.made_at),
                "activated_at": instant_or_none(token.activated_at),
                "expires_at": instant_or_none(token.expires_at),
                "revoked_at": instant_or_none(token.revoked_at),
            }
            for token in it.tokens
        ],
    }


def link(it: Link) -> Doc:
    return {
        "recipient": recipient(it.recipient),
        "link": f"/v1/profiles/{it.secret}",
        "until": instant(it.until),
    }
