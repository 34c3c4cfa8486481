"""A few connections to PostgreSQL, each with everything that a transaction needs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import LiteralString

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper

from baygrid.store.documents import clean_all, dumps
from baygrid.store.sql import BULK, POSTGRESQL, Params, ReadOnly, Row, Statement
from baygrid.store.tx import Tx

# A server that hangs in a transaction would hold back everybody's events: PostgreSQL ends it.
_SETTINGS: LiteralString = (
    "SET idle_in_transaction_session_timeout = '60s'; SET standard_conforming_strings = on"
)

# Transactions before this one have all ended, so their events can be read.
SETTLED = b"SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint"


def connect(conninfo: str) -> psycopg.Connection:
    """Transactions are begun and ended by us alone."""
    connection = psycopg.connect(conninfo, autocommit=True, application_name="baygrid")
    # One type for every whole number, or each mix of small and large ones would be another statement to plan.
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.execute(_SETTINGS)
    return connection


class PostgresSession:
    """Implements `sql.Session` on one connection."""

    dialect = POSTGRESQL

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self._cursor = connection.cursor()
        self._opening: bytes | None = None
        self.topics: set[str] = set()
        self.tx = Tx(self)
        self.read_tx = Tx(_PostgresReadSession(self))

    def begin(self, command: bytes) -> None:
        """Sent when the first statement is."""
        self._opening = command
        self.topics = set()

    def finish(self) -> None:
        """Commits a transaction that nobody is told of."""
        if self._opening is None:
            self._cursor.execute(b"COMMIT")
        self._opening = None

    def finish_telling(self, announcement: str) -> tuple[int, bool]:
        """Commits and announces, in one round trip; the transaction's number, and whether its events are
        readable now."""
        self._cursor.execute(
            f"SELECT {announcement}, (pg_current_xact_id()::text)::bigint; COMMIT;".encode() + SETTLED
        )
        number = self._cursor.fetchall()[0][1]
        while self._cursor.nextset():
            pass
        return number, number < self._cursor.fetchall()[0][0]

    def roll_back(self) -> None:
        """Whatever state it is in; a broken connection is left broken."""
        self._opening = None
        if (
            self.connection.info.transaction_status is not TransactionStatus.IDLE
            and not self.connection.closed
        ):
            try:
                self._cursor.execute(b"ROLLBACK")
            except psycopg.Error:
                self.connection.close()

    @property
    def usable(self) -> bool:
        return (
            not self.connection.closed and self.connection.info.transaction_status is TransactionStatus.IDLE
        )

    def all(self, statement: Statement, params: Params) -> list[Row]:
        return self._execute(statement, params).fetchall()

    def change(self, statement: Statement, params: Params) -> int:
        return self._execute(statement, params).rowcount

    def change_many(self, statement: Statement, rows: Sequence[Params]) -> int:
        if len(rows) == 1:
            return self.change(statement, rows[0])
        text, _ = statement.compiled(BULK)
        return self._send(text.encode(), {"rows": dumps(rows)}).rowcount

    def returning(self, statement: Statement, params: Params) -> Row | None:
        return self._execute(statement, params).fetchone()

    def texts(self, values: Sequence[str]) -> list[str]:
        return list(values)

    def _execute(self, statement: Statement, params: Params) -> psycopg.Cursor:
        text, fixed = statement.compiled(POSTGRESQL)
        given = {**fixed, **params} if fixed else params
        try:
            return self._send(text.encode(), given)
        except (psycopg.DataError, UnicodeEncodeError):
            cleaned = clean_all(given)
            if cleaned == given or self.connection.info.transaction_status is TransactionStatus.INERROR:
                raise
            return self._send(text.encode(), cleaned)

    def _send(self, text: bytes, params: Params) -> psycopg.Cursor:
        self._open()
        return self._cursor.execute(text, params)

    def _open(self) -> None:
        if self._opening is not None:
            opening, self._opening = self._opening, None
            self._cursor.execute(opening)


class _PostgresReadSession(ReadOnly):
    """The same connection, refusing to write."""

    dialect = POSTGRESQL

    def __init__(self, session: PostgresSession) -> None:
        self._session = session
        self.topics: set[str] = set()

    def all(self, statement: Statement, params: Params) -> list[Row]:
        return self._session.all(statement, params)

    def texts(self, values: Sequence[str]) -> list[str]:
        return list(values)


class Pool:
    """At most `size` connections; who finds none free waits."""

    def __init__(self, conninfo: str, size: int) -> None:
        self._conninfo = conninfo
        self._free = BoundedSemaphore(size)
        self._idle: deque[PostgresSession] = deque()
        self._closed = False

    @contextmanager
    def session(self) -> Iterator[PostgresSession]:
        """Comes back rolled back, and is thrown away when it is broken."""
        with self._free:
            try:
                session = self._idle.pop()
            except IndexError:
                session = PostgresSession(connect(self._conninfo))
            try:
                yield session
            finally:
                session.roll_back()
                if session.usable and not self._closed:
                    self._idle.append(session)
                else:
                    session.connection.close()

    def drop_idle(self) -> None:
        """After one connection was found broken the others most likely are too."""
        while self._idle:
            self._idle.pop().connection.close()

    def close(self) -> None:
        self._closed = True
        self.drop_idle()
