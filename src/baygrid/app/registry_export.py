"""The registry in its plain form, as it streams out: what an import takes, and what is counted without a
server."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from baygrid.app import registry_rows
from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound
from baygrid.core.region.bodies import Body, Label, Record, Return, Spell
from baygrid.core.region.documents import row_of
from baygrid.core.region.rows import COLUMNS, FILES, ZONES

_PIECE: Final = 64 * 1024


def export(platform: Platform, actor: Actor, file: str) -> Iterator[bytes]:
    """A file of the plain form. What was merged is in what it was merged into. Returns of single bodies are
    among it, so it is for operators only. Raises NotFound."""
    permit(actor, Action.OPERATE)
    if file not in FILES:
        raise NotFound(f"there is no file {file!r}: the files are {', '.join(FILES)}")
    if file == ZONES:
        row = platform.store.read(lambda tx: tx.registry.zones())
        document: Mapping[str, Any] = row.document if row else {"type": "FeatureCollection", "features": []}
        return iter([json.dumps(document, ensure_ascii=False, indent=1).encode()])
    table = file.removesuffix(".csv")
    values = _returns(platform) if table == "returns" else _of_bodies(platform, _PARTS[table])
    return _lines(table, values)


_PARTS: Final[Mapping[str, Callable[[Record], Iterable[Body | Spell | Label]]]] = {
    "bodies": lambda record: (record.body,),
    "addresses": lambda record: record.spells,
    "labels": lambda record: record.labels,
}


def _of_bodies(
    platform: Platform, part: Callable[[Record], Iterable[Body | Spell | Label]]
) -> Iterator[Body | Spell | Label]:
    for row in registry_rows.bodies(platform):
        if row.merged_into is None:
            yield from part(row.record)


def _returns(platform: Platform) -> Iterator[Return]:
    merged = {it.id: it.merged_into for it in registry_rows.bodies(platform) if it.merged_into}
    return registry_rows.returns(platform, merged)


def _lines(table: str, values: Iterable[Body | Spell | Label | Return]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS[table], restval="", lineterminator="\n")
    writer.writeheader()
    for value in values:
        writer.writerow(row_of(value))
        if buffer.tell() > _PIECE:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
