"""A source that was opened: what it says of itself, and its rows as a stream."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

import pyarrow as pa

from baygrid.ports.reader import Column, Look
from baygrid.sharing.places.place import Entry
from baygrid.sharing.types import duck, of_word, quoted


class Table(Protocol):
    @property
    def look(self) -> Look: ...

    def batches(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        """The rows with these columns, in the source's types. A column more may come where none is asked for,
        as rows are to be counted."""
        ...


def relation(schema: pa.Schema, columns: Iterable[Column], name: str) -> str:
    """SQL that shows a registered stream of a source's types with the types that `look` tells."""
    types = {each.name: of_word(each.type) for each in columns}
    shown = []
    for field in schema:
        own, type_ = quoted(field.name), types[field.name]
        shown.append(own if type_ == field.type else f"CAST({own} AS {duck(type_)}) AS {own}")
    return f"(SELECT {', '.join(shown)} FROM {name})"  # noqa: S608 - our own names, quoted


def fingerprint(entries: Iterable[Entry]) -> str:
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(f"{entry.path}\0{entry.size}\0{entry.mark}\0".encode())
    return digest.hexdigest()
