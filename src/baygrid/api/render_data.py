"""The data service's catalogue and audit as JSON."""

from __future__ import annotations

import math
from typing import Any

from baygrid.api.render import Doc, instant
from baygrid.app.labelling import Proposal
from baygrid.app.looking import Profile, Sample
from baygrid.app.tables import View
from baygrid.core.data.chain import Link
from baygrid.core.data.labels import Labels
from baygrid.ports.data import PartyRow, WishRow


def link(it: Link) -> Doc:
    return {
        "n": it.n,
        "at": instant(it.at),
        "kind": it.kind,
        "contract": it.contract,
        "project": it.project,
        "data": dict(it.data),
        "hash": it.hash,
    }


def party(row: PartyRow) -> Doc:
    return {
        "organisation": row.organisation,
        "version": row.version,
        "facts": dict(row.facts),
        "pilot": None if row.pilot is None else dict(row.pilot),
        "made_at": instant(row.made_at),
        "made_by": row.made_by,
    }


def table(view: View) -> Doc:
    row, own = view.row, view.own
    columns = [
        {
            "name": it.name,
            "type": it.type,
            "nullable": it.nullable,
            "labels": _labels(row.labels.get(it.name)),
        }
        for it in row.columns
    ]
    return {
        "project": row.project,
        "name": row.name,
        "ref": row.ref,
        "version": row.version,
        "title": row.title,
        "place": row.place,
        "format": row.format.value,
        "open": row.open,
        "columns": columns,
        "confirmed_by": row.confirmed_by,
        "uri": row.uri if own else None,
        "table": row.table if own else None,
        "secret": row.secret if own else None,
        "made_at": instant(row.made_at),
        "made_by": row.made_by if own else None,
    }


def _labels(labels: Labels | None) -> Doc | None:
    return None if labels is None else labels.to_json()


def proposal(it: Proposal) -> Doc:
    return {
        "column": it.column,
        "proposed": _labels(it.proposed),
        "why": it.why,
        "confirmed": _labels(it.confirmed),
    }


def profile(it: Profile) -> Doc:
    columns = {
        name: {what: _plain(value) for what, value in figures.items()} for name, figures in it.columns.items()
    }
    return {"columns": columns, "withheld": list(it.withheld)}


def sample(it: Sample) -> Doc:
    if it.stream is None:
        return {"columns": [], "rows": [], "withheld": list(it.withheld)}
    from pyarrow import ipc  # it is there where a reader is

    with ipc.open_stream(it.stream) as stream:
        found = stream.read_all()
    rows = [[_plain(value) for value in row.values()] for row in found.to_pylist()]
    return {"columns": found.column_names, "rows": rows, "withheld": list(it.withheld)}


def _plain(value: Any) -> Any:
    """A value as JSON has it; of other types the text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(2**63) <= value < 2**63 else str(value)
    return value if value is None or isinstance(value, str | bool) else str(value)


def wish(row: WishRow) -> Doc:
    return {
        "text": row.text,
        "times": row.times,
        "projects": row.projects,
        "first_at": instant(row.first_at),
        "last_at": instant(row.last_at),
    }
