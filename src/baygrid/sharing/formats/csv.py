"""CSV (RFC 4180): UTF-8, names in the first line, an empty field is null; , ; | or a tab between fields.

Types are found once, over all rows, and kept: a later file in which a column does not fit them is not read. A
text that only looks like a number stays text: 00123 is a code, and so is a number of more than 15 digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from baygrid.ports.reader import Column, Look, ReadFailed
from baygrid.sharing.formats.table import fingerprint
from baygrid.sharing.places.place import Place, bring
from baygrid.sharing.types import columns_of

_DELIMITERS: Final = (",", "\t", ";", "|")
_BLOCK: Final = 4 << 20
"""Bytes that are read at a time; a row must fit in."""
_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_TIME: Final = rf"{_DAY}[ T]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,6}})?)?"
_TYPES: Final = (
    (pa.int64(), r"^(0|-?[1-9]\d{0,14})$"),
    (pa.float64(), r"^-?(0|[1-9]\d{0,14})(\.\d{1,17})?([eE][+-]?\d{1,2})?$"),
    (pa.bool_(), r"^(?i:true|false)$"),
    (pa.date32(), rf"^{_DAY}$"),
    (pa.timestamp("us"), rf"^{_TIME}$"),
    (pa.timestamp("us", "UTC"), rf"^{_TIME}(Z|[+-]\d{{2}}:\d{{2}})$"),
)
"""What a column may be, most special first, and how all its values are written then."""


class Csv:
    """Implements `Table`: one file, or all of a folder, with equal first lines."""

    def __init__(self, place: Place, scratch: Path, columns: Sequence[Column] | None) -> None:
        """`columns`: as the first look found them. Raises ReadFailed."""
        entries = [each for each in place.entries() if each.size and not each.path.startswith((".", "_"))]
        if not entries:
            raise ReadFailed("there is no CSV file")
        self._files = [bring(place, each.path, scratch / str(n)) for n, each in enumerate(entries)]
        self._delimiter = _delimiter(self._files[0])
        self._names = self._header()
        rows: int | None = None
        if columns is None:
            columns, rows = self._typed()
        elif gone := [each.name for each in columns if each.name not in self._names]:
            raise ReadFailed(f"it has no column {gone[0]} any more: add the table again")
        self._look = Look(tuple(columns), 0, fingerprint(entries), rows)

    @property
    def look(self) -> Look:
        return self._look

    def batches(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        """All fields as text."""
        chosen = [each.name for each in self._look.columns if each.name in columns] or self._names[:1]
        schema = pa.schema([(name, pa.string()) for name in chosen])
        return pa.RecordBatchReader.from_batches(schema, self._batches(chosen))

    def _header(self) -> list[str]:
        found = []
        for file in self._files:
            with _read(file, self._delimiter, None) as reader:
                found.append(list(reader.schema.names))
        if any(names != found[0] for names in found):
            raise ReadFailed("its files have different first lines")
        columns_of(pa.schema([(name, pa.string()) for name in found[0]]))
        return found[0]

    def _batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for file in self._files:
            with _read(file, self._delimiter, columns) as reader:
                yield from reader

    def _typed(self) -> tuple[tuple[Column, ...], int]:
        """A type that all values of a column have, over all rows."""
        left = {name: list(_TYPES) for name in self._names}
        empty = set(self._names)
        rows = 0
        for batch in self._batches(self._names):
            rows += batch.num_rows
            for name in [name for name, types in left.items() if types]:
                values = batch.column(name).drop_null()
                if len(values):
                    empty.discard(name)
                    left[name] = [each for each in left[name] if _fits(values, *each)]
        found = {name: types[0][0] for name, types in left.items() if types and name not in empty}
        return tuple(Column(name, str(found.get(name, pa.string()))) for name in self._names), rows


def _fits(values: pa.Array, type_: pa.DataType, written: str) -> bool:
    if not pc.all(pc.match_substring_regex(values, written)).as_py():
        return False
    try:
        values.cast(type_)
    except pa.ArrowInvalid:  # a day that never was
        return False
    return True


def _delimiter(file: Path) -> str:
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        line = opened.readline(1 << 20)
    bare = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


@contextmanager
def _read(
    file: Path, delimiter: str, columns: Sequence[str] | None
) -> Iterator[pyarrow.csv.CSVStreamingReader]:
    read = pyarrow.csv.ReadOptions(block_size=_BLOCK, use_threads=False)
    parse = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    text = {name: pa.string() for name in columns or ()}
    convert = pyarrow.csv.ConvertOptions(
        column_types=text, include_columns=list(columns or ()), null_values=[""], strings_can_be_null=True,
        quoted_strings_can_be_null=True, check_utf8=True,
    )  # fmt: skip
    try:
        with pyarrow.csv.open_csv(pa.OSFile(str(file)), read, parse, convert) as reader:
            yield reader
    except UnicodeDecodeError:
        raise ReadFailed("it cannot be read as CSV: it is not UTF-8") from None
    except (pa.ArrowException, OSError) as error:
        fields = "a row has more or fewer fields than the first line"
        why = "it is not UTF-8" if "UTF8" in str(error) else fields
        raise ReadFailed(f"it cannot be read as CSV: {why}") from None
