"""The hospital's tables as files, and who asks of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from baygrid.core.data.terms import Mode, Terms
from baygrid.ports.reader import Format, Name, Shared, Source
from tests.sharing.sql.governed import TERMS, WHOLE

SALT = b"of this contract"
SUBJECTS: Mapping[Name, str] = {
    ("hospital", "clinic", "patients"): "id",
    ("hospital", "clinic", "visits"): "patient",
}


def write(folder: Path) -> None:
    for name, table in WHOLE.items():
        pq.write_table(table, folder / f"{name[-1]}.parquet")


@dataclass
class Stranger:
    """Who asks; `heard`: what was answered. `terms`: in the place of the usual ones."""

    folder: Path
    k: int = 0
    terms: Mapping[Name, Terms] = field(default_factory=lambda: dict(TERMS))
    heard: list[tuple[int, int | None]] = field(default_factory=list)
    asked: list[Name] = field(default_factory=list)
    refuse: Exception | None = None
    left: bool = False
    fingerprint: str = ""

    def tables(self, names: Sequence[Name]) -> Mapping[Name, Shared]:
        self.asked += names
        if self.refuse is not None:
            raise self.refuse
        found = {}
        for name in names:
            full = next((it for it in self.terms if it[-len(name) :] == name), None)
            if full is not None:
                found[name] = self._shared(full)
        return found

    def _shared(self, name: Name) -> Shared:
        terms = self.terms[name]
        if self.k:
            terms = replace(terms, mode=Mode.AGGREGATE, k=self.k)
        source = Source(Format.PARQUET, f"file://{self.folder}/{name[-1]}.parquet")
        return Shared(source, terms, SALT, SUBJECTS.get(name), fingerprint=self.fingerprint)

    def waits(self) -> bool:
        return not self.left

    def goes(self, size: int) -> None:
        """Nobody takes back what a stranger may see here."""

    def answered(self, rows: int, withheld: int | None) -> None:
        self.heard.append((rows, withheld))


def table_of(pieces: Iterator[bytes]) -> tuple[pa.Table, dict[str, Any]]:
    """The rows, and what the last batch says of them."""
    reader = pa.ipc.open_stream(pa.py_buffer(b"".join(pieces)))
    batches, said = [], {}
    while True:
        try:
            batch, metadata = reader.read_next_batch_with_custom_metadata()
        except StopIteration:
            break
        batches.append(batch)
        if metadata is not None:
            said = json.loads(dict(metadata)[b"baygrid"])
    return pa.Table.from_batches(batches, reader.schema), said
