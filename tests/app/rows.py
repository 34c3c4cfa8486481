"""Tables whose rows a test has at hand, as a reader reads them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from baygrid.core.data.labels import Labels
from baygrid.core.data.terms import Terms
from baygrid.ports.reader import Asker, Column, File, Head, Look, ReadFailed, Source


class MemoryReader:
    """`ports.reader.Reader` for catalogues: tables by URI, or by URI and name in the database. It keeps which
    sources it was asked for."""

    def __init__(self) -> None:
        self.tables: dict[str, pa.Table] = {}
        self.asked: list[Source] = []

    def put(self, uri: str, columns: Mapping[str, Sequence[Any]]) -> None:
        self.tables[uri] = pa.table(dict(columns))

    def _table(self, source: Source) -> pa.Table:
        self.asked.append(source)
        key = f"{source.uri}#{source.table}" if source.table else source.uri
        if key not in self.tables:
            raise ReadFailed(f"there is nothing to read at {source.uri}")
        return self.tables[key]

    def look(self, source: Source, version: int | None = None) -> Look:
        table = self._table(source)
        columns = tuple(Column(it.name, str(it.type), it.nullable) for it in table.schema)
        return Look(columns, 0, "", table.num_rows)

    def check(self, columns: Sequence[Column], terms: Terms) -> tuple[Column, ...]:
        return tuple(it for it in columns if terms.columns is None or it.name in terms.columns)

    def profile(self, source: Source, columns: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        table = self._table(source)
        found = {}
        for name in columns:
            values = table[name].to_pylist()
            there = [value for value in values if value is not None]
            found[name] = {
                "rows": len(values),
                "nulls": len(values) - len(there),
                "distinct": len(set(there)),
                "least": min(there),
                "greatest": max(there),
            }
        return found

    def propose(self, source: Source) -> Mapping[str, tuple[Labels, str]]:
        return {
            name: (Labels(personal=name in ("name", "姓名")), "by its name")
            for name in self._table(source).column_names
        }

    def persons(
        self, source: Source, terms: Terms, subject: str, key: bytes, version: int | None = None
    ) -> Iterator[bytes]:
        raise NotImplementedError

    def folder(self) -> AbstractContextManager[Path]:
        raise NotImplementedError

    def write(
        self, source: Source, terms: Terms, salt: bytes, folder: Path, version: int | None
    ) -> Sequence[File]:
        raise NotImplementedError

    def changes(
        self, source: Source, terms: Terms, salt: bytes, folder: Path, first: int, last: int
    ) -> Sequence[File]:
        raise NotImplementedError

    def head(self, data: bytes, also: Sequence[str]) -> Head:
        raise ReadFailed("no file is at hand here")

    def query(self, sql: str, rows: int, asker: Asker) -> Iterator[bytes]:
        (it,) = asker.tables([("it",)]).values()
        shown = self._table(it.source).select(list(it.terms.columns or ())).slice(0, rows)
        sink = io.BytesIO()
        with ipc.new_stream(sink, shown.schema) as stream:
            stream.write_table(shown)
        return iter([sink.getvalue()])
