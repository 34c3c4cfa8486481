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
import pyarrow.csv as pc

from baygrid.ports.reader import Column, Look, ReadFailed
from baygrid.sharing.engine import binder, told
from baygrid.sharing.formats.table import fingerprint
from baygrid.sharing.places.place import Place, bring
from baygrid.sharing.types import columns_of, quoted

_DELIMITERS: Final = (",", "\t", ";", "|")
_AT_ONCE: Final = 50
"""Columns whose types are looked for together."""
_BLOCK: Final = 4 << 20
"""Bytes that are read at a time; a row must fit in."""
_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_TIME: Final = rf"{_DAY}[ T]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,6}})?)?"
_NUMBER: Final = r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?"
_TESTS: Final = {
    "int64": "CAST(TRY_CAST(@ AS BIGINT) AS VARCHAR) = @ AND length(@) <= 15",
    "double": f"regexp_full_match(@, '{_NUMBER}') AND length(@) <= 24"
    " AND (length(@) <= 15 OR regexp_matches(@, '[.eE]'))",
    "bool": "lower(@) IN ('true', 'false')",
    "date32[day]": f"regexp_full_match(@, '{_DAY}') AND TRY_CAST(@ AS DATE) IS NOT NULL",
    "timestamp[us]": f"regexp_full_match(@, '{_TIME}') AND TRY_CAST(@ AS TIMESTAMP) IS NOT NULL",
    "timestamp[us, tz=UTC]": rf"regexp_full_match(@, '{_TIME}(Z|[+-]\d{{2}}(:?\d{{2}})?)')"
    " AND TRY_CAST(@ AS TIMESTAMPTZ) IS NOT NULL",
}
"""By type: an SQL condition on @ that all values of a column meet."""


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
        """Some columns at a time: a query over all of a wide table takes far longer than all its parts."""
        found: list[Column] = []
        rows = 0
        for start in range(0, len(self._names), _AT_ONCE):
            some, rows = self._types(self._names[start : start + _AT_ONCE])
            found += some
        return tuple(found), rows

    def _types(self, names: list[str]) -> tuple[list[Column], int]:
        schema = pa.schema([(name, pa.string()) for name in names])
        tests = [_all(quoted(name), test) for name in names for test in _TESTS.values()]
        with binder() as database, told():
            database.register("raw", pa.RecordBatchReader.from_batches(schema, self._batches(names)))
            asked = f"SELECT count(*), {', '.join(tests)} FROM raw"  # noqa: S608 - names of columns, quoted
            rows, *fits = database.execute(asked).fetchone() or (0,)
        answers = iter(fits)
        found = []
        for name in names:
            fitting = [
                type_ for type_, fit in zip(_TESTS, [next(answers) for _ in _TESTS], strict=True) if fit
            ]
            found.append(Column(name, fitting[0] if fitting else "string"))
        return found, rows


def _all(name: str, test: str) -> str:
    """SQL: whether there are values, and all of them meet the test."""
    return f"count({name}) > 0 AND bool_and({name} IS NULL OR coalesce({test.replace('@', name)}, false))"


def _delimiter(file: Path) -> str:
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        line = opened.readline(1 << 20)
    bare = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


@contextmanager
def _read(file: Path, delimiter: str, columns: Sequence[str] | None) -> Iterator[pc.CSVStreamingReader]:
    read = pc.ReadOptions(block_size=_BLOCK, use_threads=False)
    parse = pc.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    text = {name: pa.string() for name in columns or ()}
    convert = pc.ConvertOptions(
        column_types=text, include_columns=list(columns or ()), null_values=[""], strings_can_be_null=True,
        quoted_strings_can_be_null=True, check_utf8=True,
    )  # fmt: skip
    try:
        with pc.open_csv(pa.OSFile(str(file)), read, parse, convert) as reader:
            yield reader
    except UnicodeDecodeError:
        raise ReadFailed("it cannot be read as CSV: it is not UTF-8") from None
    except (pa.ArrowException, OSError) as error:
        fields = "a row has more or fewer fields than the first line"
        why = "it is not UTF-8" if "UTF8" in str(error) else fields
        raise ReadFailed(f"it cannot be read as CSV: {why}") from None
