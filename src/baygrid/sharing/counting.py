"""Persons that terms show: each once, exactly, as 16 bytes of HMAC-SHA256 of how the table names them.

A name is the text of the subject column in Unicode's form NFC, with full-width letters, digits and blanks as
ASCII ones, without blanks around it, and with an identity card's last x as X. Nothing else is folded: two
persons must never become one.

A row that names nobody (null, or nothing but blanks) counts as a person of its own. Nobody can say that two
such rows are one person, and the law's thresholds are of persons, not of names: a count that may be too low
would let through what it should stop. Its 16 bytes follow from its content, so that it is the same one at the
next count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import duckdb

from baygrid.core.data.terms import Terms
from baygrid.ports.reader import BadExpression, Source
from baygrid.sharing.formats.table import Table, relation
from baygrid.sharing.shown import hmac, shown
from baygrid.sharing.types import quoted, text

SIZE: Final = 16
_CHUNK: Final = 65_536
_FULL: Final = "".join(chr(code) for code in range(0xFF01, 0xFF5F)) + "\u3000\u00a0"
_HALF: Final = "".join(chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)) + "  "


class Count:
    """Of one source under its terms. Masks play no part: who is shown behind a mask is shown."""

    def __init__(self, table: Table, source: Source, terms: Terms, subject: str, key: bytes) -> None:
        """Raises BadExpression."""
        columns = table.look.columns
        named = next((each for each in columns if each.name == subject), None)
        if named is None:
            raise BadExpression(f"the table has no column {subject} to count persons by")
        self._table, self._key = table, key
        self._condition = shown(columns, Terms((subject,), terms.filter), b"")
        self._subject = quoted(subject)
        self._about = f"{source.uri}\n{source.table}\n"
        self.some_unknown = True

    def known(self, database: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
        """Of the rows that name somebody."""
        rows = self._rows(database, self._condition.needed)
        # Twice: there are fewer spellings than rows, and folding one costs more than comparing it.
        spelled = f"SELECT DISTINCT {self._subject} AS it FROM {rows}{self._where('true')}"  # noqa: S608 - checked
        named = f"SELECT DISTINCT {name_of('it')} AS person FROM ({spelled})"  # noqa: S608 - checked
        database.execute(f"CREATE TEMP TABLE named AS {named}")
        content = hmac("encode(person)", self._key)
        yield from self._read(database, f"SELECT {content} AS it FROM named WHERE person IS NOT NULL")  # noqa: S608
        (nobody,) = database.execute("SELECT count(*) FROM named WHERE person IS NULL").fetchone() or (0,)
        self.some_unknown = bool(nobody)

    def unknown(self, database: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
        """Of the rows that name nobody."""
        columns = [each.name for each in self._table.look.columns]
        rows = self._rows(database, columns)
        whole = ", ".join(quoted(name) for name in columns)
        alike = (
            f"SELECT sha256(CAST(row({whole}) AS VARCHAR)) AS content, count(*) AS times FROM {rows}"  # noqa: S608
            f"{self._where(f'{name_of(self._subject)} IS NULL')} GROUP BY content"
        )
        each = f"SELECT content, unnest(range(times)) AS n FROM ({alike})"  # noqa: S608 - checked
        content = hmac(f"encode(concat({text(self._about)}, content, '-', n))", self._key)
        yield from self._read(database, f"SELECT {content} AS it FROM ({each})")  # noqa: S608 - checked

    def _where(self, more: str) -> str:
        return f" WHERE {self._condition.condition or 'true'} AND {more}"

    def _rows(self, database: duckdb.DuckDBPyConnection, columns: list[str] | tuple[str, ...]) -> str:
        batches = self._table.batches(columns)
        database.register("raw", batches)
        return relation(batches.schema, self._table.look.columns, "raw")

    def _read(self, database: duckdb.DuckDBPyConnection, hashes: str) -> Iterator[bytes]:
        """In the order of the hashes: theirs by chance tells nothing of the table's."""
        found = database.execute(f"SELECT unhex(left(it, {2 * SIZE})) FROM ({hashes}) ORDER BY it")  # noqa: S608
        while rows := found.fetchmany(_CHUNK):
            yield b"".join(row[0] for row in rows)


def name_of(column: str) -> str:
    """SQL for how a person is named, NULL where nobody is."""
    plain = f"translate(nfc_normalize(CAST({column} AS VARCHAR)), {text(_FULL)}, {text(_HALF)})"
    trimmed = rf"regexp_replace({plain}, '^\s+|\s+$', '', 'g')"
    card = rf"regexp_full_match({trimmed}, '\d{{17}}x')"
    return f"nullif(CASE WHEN {card} THEN upper({trimmed}) ELSE {trimmed} END, '')"
