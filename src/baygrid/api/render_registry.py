"""The registry as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from baygrid.api.render import Doc, instant
from baygrid.app.registry import View
from baygrid.app.registry_import import Outcome
from baygrid.core.region.bodies import Label, Labelled
from baygrid.core.region.documents import label_document, spell_document
from baygrid.core.region.proposing import Proposal
from baygrid.ports.registry import ChangeRow, ImportRow, ZonesRow

_ADDRESS = {"since": None, "until": None, "lon": None, "lat": None, "district": ""}
_LABEL = {"since": None, "until": None, "evidence": "", "source": ""}


def body(view: View) -> Doc:
    it, row = view.row.record.body, view.row
    return {
        "id": it.id,
        "version": row.version,
        "kind": it.kind.value,
        "scheme": it.scheme.value if it.scheme else None,
        "code": it.code,
        "name": it.name,
        "names": dict(it.names),
        "founded": it.founded,
        "dissolved": it.dissolved,
        "hk_funded": it.hk_funded,
        "synthetic": it.synthetic,
        "scope": it.scope,
        "organisation": row.organisation,
        "merged_into": row.merged_into,
        "zone": view.place.zone if view.place else None,
        "placed": view.place.how.value if view.place else "unplaced",
        "address": view.address.address if view.address else None,
        "layer": next(iter(_values(view.labels, Labelled.LAYER)), None),
        "fields": _values(view.labels, Labelled.FIELD),
    }


def history(view: View, changes: Sequence[ChangeRow]) -> Doc:
    record = view.row.record
    return body(view) | {
        "addresses": [_ADDRESS | spell_document(it) for it in record.spells],
        "labels": [_LABEL | label_document(it) for it in record.labels],
        "changes": [_change(it) for it in changes],
    }


def proposal(it: Proposal) -> Doc:
    return {"kind": it.kind.value, "value": it.value, "words": list(it.words)}


def zones(row: ZonesRow | None) -> Doc:
    if row is None:
        return {"version": 0, "at": None, "zones": {"type": "FeatureCollection", "features": []}}
    return {"version": row.version, "at": instant(row.at), "zones": dict(row.document)}


def outcome(it: Outcome) -> Doc:
    return {
        "imported": it.imported,
        "id": it.id,
        "counts": dict(it.counts),
        "findings": [
            {
                "table": each.table,
                "line": each.line,
                "body": each.body,
                "code": each.code,
                "message": each.message,
                "keepable": each.keepable,
            }
            for each in it.findings
        ],
        "total": it.total,
        "unseen": it.unseen,
    }


def past_import(row: ImportRow) -> Doc:
    return {
        "id": row.id,
        "at": instant(row.at),
        "by": row.by,
        "files": dict(row.files),
        "counts": dict(row.counts),
    }


def _values(labels: Sequence[Label], kind: Labelled) -> list[str]:
    return [it.value for it in labels if it.kind is kind]


def _change(it: ChangeRow) -> dict[str, Any]:
    return {
        "version": it.version,
        "change": it.change.value,
        "at": instant(it.at),
        "by": it.by,
        "person": it.person,
        "why": it.why,
        "data": dict(it.data),
    }
