"""Parquet: a file, or a folder of them, with partitions as NAME=VALUE in the folders' names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import unquote

import pyarrow as pa

from baygrid.ports.reader import Look, ReadFailed
from baygrid.sharing.formats import files
from baygrid.sharing.formats.files import Part
from baygrid.sharing.formats.table import fingerprint
from baygrid.sharing.places.place import Entry, Place
from baygrid.sharing.types import columns_of

_NOTHING: Final = "__HIVE_DEFAULT_PARTITION__"


class Parquet:
    """Implements `Table`. All footers are read when it is opened: a column that only some files have is null
    in the others, one that they have in several types has the widest."""

    def __init__(self, place: Place) -> None:
        entries = [each for each in place.entries() if _is_data(each)]
        if not entries:
            raise ReadFailed("there is no Parquet file")
        self._place = place
        self._parts = [Part(each.path, _partitions(each.path)) for each in entries]
        footers = [files.footer(place, each.path) for each in entries]
        self._schema = _unified([schema for schema, _ in footers], self._parts)
        rows = sum(count for _, count in footers)
        self._look = Look(columns_of(self._schema), 0, fingerprint(entries), rows)

    @property
    def look(self) -> Look:
        return self._look

    def batches(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        chosen = set(columns) or {self._schema.names[0]}
        schema = pa.schema([each for each in self._schema if each.name in chosen])
        return files.stream(self._place, self._parts, schema)


def _is_data(entry: Entry) -> bool:
    """Files and folders whose names begin with _ or . are other programs' notes."""
    hidden = any(part.startswith(("_", ".")) and "=" not in part for part in entry.path.split("/"))
    return entry.size > 0 and not hidden and not entry.path.endswith((".crc", ".md", ".txt"))


def _partitions(path: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for part in path.split("/")[:-1]:
        name, equals, value = part.partition("=")
        if equals:
            found[unquote(name)] = None if value == _NOTHING else unquote(value)
    return found


def _unified(schemas: Iterable[pa.Schema], parts: Iterable[Part]) -> pa.Schema:
    """What stands in folders' names is text: what type it may have is nobody's to guess."""
    folders = pa.schema(
        [(name, pa.string()) for name in {name: None for part in parts for name in part.constants}]
    )
    try:
        found = pa.unify_schemas([each.remove_metadata() for each in schemas], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise ReadFailed("its files have one column in types that do not go together") from None
    inner = [each for each in found if each.name not in folders.names]
    return pa.schema([*inner, *folders])
