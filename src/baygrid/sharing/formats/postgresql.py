"""A table or view of a PostgreSQL database, read by ADBC as a stream (COPY), in one transaction that cannot
write.

The host is named by a project: the guard judges every address that it has, and the connection goes to the
judged one. To the internet at large it must be TLS with a certificate of that host (libpq's verify-full); in
networks that the operator has listed as own, TLS where the server has it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, urlencode

import pyarrow as pa
from adbc_driver_postgresql import dbapi

from baygrid.ports.reader import Look, ReadFailed, Source
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.types import columns_of, quoted, text
from baygrid.staging.guard import refused, special

_URI: Final = re.compile(
    r"postgresql://([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/([^/?#\s]{1,63})"
)
_TABLE: Final = re.compile(r"(?:([^.\s]{1,63})\.)?([^.\s]{1,63})")
_BATCH: Final = "4194304"
"""Bytes of a batch, about."""
_AS_IT_IS: Final[Mapping[str, pa.DataType]] = {
    "boolean": pa.bool_(), "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(),
    "real": pa.float32(), "double precision": pa.float64(), "text": pa.string(), "bytea": pa.binary(),
    "date": pa.date32(), "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "text[]": pa.list_(pa.field("element", pa.string())),
    "integer[]": pa.list_(pa.field("element", pa.int32())),
    "bigint[]": pa.list_(pa.field("element", pa.int64())),
    "double precision[]": pa.list_(pa.field("element", pa.float64())),
}  # fmt: skip
_NUMERIC: Final = re.compile(r"numeric\((\d+),(\d+)\)")
_COLUMNS: Final = """
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)::text, a.attnotnull, c.relkind::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = {schema} AND c.relname = {table} AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_OF_ROWS: Final = "hashtidextended(ctid, (xmin::text::int8 << 32) + tableoid::int8)"
"""A number for each row version: where it is, in which table, and which transaction made it."""
_OF_CONTENT: Final = "hashtextextended(t::text, 0)"


class PostgreSQL:
    """Implements `Table`. Its fingerprint is of which row versions there are, so a look reads the table once:
    nothing cheaper tells for sure that nothing has changed."""

    def __init__(self, source: Source, allowed: Allowed) -> None:
        """Raises ReadFailed."""
        self._uri = _address(source.uri, source.secrets or {}, allowed)
        match = _TABLE.fullmatch(source.table)
        if match is None:
            raise ReadFailed("its table must be named like public.orders")
        self._schema_name, self._table = match[1] or "public", match[2]
        self._fields, self._reads, stored = self._described()
        each = _OF_ROWS if stored else _OF_CONTENT
        asked = f"SELECT count(*), coalesce(sum({each}::numeric), 0)::text FROM {self._relation} t"  # noqa: S608
        ((rows, mark),) = self._rows(asked)
        self._look = Look(columns_of(self._fields), 0, f"{rows}-{mark}", rows)

    @property
    def look(self) -> Look:
        return self._look

    @property
    def _relation(self) -> str:
        return f"{quoted(self._schema_name)}.{quoted(self._table)}"

    def batches(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        names = [name for name in self._fields.names if name in columns] or self._fields.names[:1]
        schema = pa.schema([self._fields.field(name) for name in names])
        asked = ", ".join(f"{self._reads[name]} AS {quoted(name)}" for name in names)
        sql = f"SELECT {asked} FROM {self._relation} t"  # noqa: S608 - quoted
        return pa.RecordBatchReader.from_batches(schema, self._batches(sql, schema))

    def _described(self) -> tuple[pa.Schema, dict[str, str], bool]:
        """Columns, how each is asked for, and whether its rows are stored (a view's are not)."""
        found = self._rows(_COLUMNS.format(schema=text(self._schema_name), table=text(self._table)))
        if not found:
            raise ReadFailed(
                f"there is no table {self._schema_name}.{self._table}, or none that its user may see"
            )
        fields, reads = [], {}
        for name, type_, not_null, _ in found:
            arrow, sql = _asked(type_, f"t.{quoted(name)}")
            fields.append(pa.field(name, arrow, not not_null))
            reads[name] = sql
        return pa.schema(fields), reads, found[0][3] in ("r", "p", "m")

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with _connected(self._uri) as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def _batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with _connected(self._uri) as cursor:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": _BATCH})
            cursor.execute(sql)
            for batch in cursor.fetch_record_batch():
                pairs = zip(batch.columns, schema, strict=True)
                arrays = [
                    array if array.type == each.type else array.cast(each.type) for array, each in pairs
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _asked(type_: str, column: str) -> tuple[pa.DataType, str]:
    """What a type is seen as, and SQL that gives it so. Exact numbers without bounds, and all that is not
    listed, are text."""
    if match := _NUMERIC.fullmatch(type_):
        digits, scale = int(match[1]), int(match[2])
        if 0 <= scale <= digits <= 38:
            return pa.decimal128(digits, scale), f"{column}::text"
    if type_ in _AS_IT_IS:
        return _AS_IT_IS[type_], column
    return pa.string(), f"{column}::text"


def _address(uri: str, secrets: Mapping[str, str], allowed: Allowed) -> str:
    """For libpq, with the address that was judged. Raises ReadFailed."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ReadFailed("its address must be like postgresql://db.example.org:5432/sales, nothing more")
    host, port, database = match[1].strip("[]"), int(match[2] or 5432), match[3]
    ip, own = _judged(host, port, allowed)
    who = quote(secrets.get("user", "postgres"), safe="")
    options = {
        "hostaddr": ip,
        "connect_timeout": "10",
        "application_name": "baygrid",
        "sslmode": "prefer" if own else "verify-full",
        "options": "-c default_transaction_read_only=on"
        f" -c statement_timeout={round(allowed.rules.max_s * 1000)}",
    }
    if not own:
        options["sslrootcert"] = allowed.rules.ca or "system"
    if "password" in secrets:
        options["password"] = secrets["password"]
    at = f"{who}@{match[1]}:{port}/{quote(database, safe='')}"
    return f"postgresql://{at}?{urlencode(options, quote_via=quote)}"


def _judged(host: str, port: int, allowed: Allowed) -> tuple[str, bool]:
    """An address of the host that may be asked, and whether it is in a network of the operator's. Raises
    ReadFailed."""
    try:
        ipaddress.ip_address(host)
        found: Sequence[str] = [host]
    except ValueError:
        try:
            found = allowed.resolve(host, port)
        except (OSError, UnicodeError):
            raise ReadFailed(f"the name {host} cannot be looked up") from None
    why = "has no address"
    for each in found:
        ip = ipaddress.ip_address(each)
        refusal = refused(allowed.rules, ip, port)
        if refusal is None:
            return str(ip), special(ip) is not None
        why = f"leads to an address that is {refusal}"
    raise ReadFailed(f"{host} {why}: this server reads nothing from there")


@contextmanager
def _connected(uri: str) -> Iterator[Any]:
    """libpq's errors in our words: theirs may name users, and values of rows."""
    try:
        with dbapi.connect(uri) as connection, connection.cursor() as cursor:
            yield cursor
    except dbapi.Error as error:
        raise ReadFailed(_why(str(error))) from None
    except (pa.ArrowException, OSError) as error:
        raise ReadFailed(f"reading the database failed ({type(error).__name__})") from None


def _why(said: str) -> str:
    for sign, why in _SIGNS:
        if sign in said:
            return why
    return "its database cannot be read"


_SIGNS: Final = (
    ("authentication failed", "its database does not take the user and password of its secret"),
    ("does not exist", "its database, table or user is not there"),
    ("permission denied", "the user of its secret may not read it"),
    ("server does not support SSL", "its database has no TLS: it is needed over the internet"),
    ("certificate", "its database shows no certificate that is trusted"),
    ("statement timeout", "its database takes too long"),
    ("Failed to connect", "its database cannot be reached"),
)
