"""The store on SQLite: one writing connection with group commit, reading connections beside it in WAL mode.

In memory there is one connection for everything, made from a ready image of the empty database, because the
simulation makes thousands of them.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, get_ident
from typing import TypeVar

from baygrid.ports import store as ports
from baygrid.ports.basics import Failpoint, no_failpoint
from baygrid.ports.store import Conflict
from baygrid.store.documents import clean_all, dumps
from baygrid.store.group import Entry, Group
from baygrid.store.listeners import Listener, Listeners
from baygrid.store.sql import SQLITE, Params, ReadOnly, Row, Statement
from baygrid.store.tx import Tx

T = TypeVar("T")

TRIES = 20
_IDLE_READERS = 8
_OLDEST = (3, 37, 0)  # STRICT tables


class SqliteSession:
    """Implements `sql.Session` on one connection."""

    dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._executemany = connection.executemany
        self.topics: set[str] = set()
        self.tx = Tx(self)

    def all(self, statement: Statement, params: Params) -> list[Row]:
        return self._run(statement, params).fetchall()

    def change(self, statement: Statement, params: Params) -> int:
        return self._run(statement, params).rowcount

    def change_many(self, statement: Statement, rows: Sequence[Params]) -> int:
        if len(rows) == 1:
            return self._run(statement, rows[0]).rowcount
        text, fixed = statement.compiled(SQLITE)
        return self._executemany(text, [{**fixed, **row} for row in rows] if fixed else rows).rowcount

    def returning(self, statement: Statement, params: Params) -> Row | None:
        rows = self.all(statement, params)
        return rows[0] if rows else None

    def texts(self, values: Sequence[str]) -> str:
        return dumps(values)

    def run(self, command: str) -> None:
        """BEGIN, COMMIT and their like."""
        self._execute(command)

    def _run(self, statement: Statement, params: Params) -> sqlite3.Cursor:
        text, fixed = statement.compiled(SQLITE)
        given = {**fixed, **params} if fixed else params
        try:
            return self._execute(text, given)
        except UnicodeEncodeError:  # a lone surrogate
            return self._execute(text, clean_all(given))

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        self._connection.close()


class SqliteReadSession(ReadOnly, SqliteSession):
    """The same, refusing to write. (SQLite's own pragma for that throws away every prepared statement.)"""


def connect(database: str) -> sqlite3.Connection:
    """Transactions are begun and ended by us alone."""
    connection = sqlite3.connect(
        database, timeout=30, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def check_version() -> None:
    """Raises RuntimeError when SQLite is too old for what the tables need."""
    if sqlite3.sqlite_version_info < _OLDEST:
        raise RuntimeError(f"SQLite {sqlite3.sqlite_version} is too old, 3.37 is needed")


class SqliteStore:
    """Implements `ports.store.Store`. `path` None: in memory, from the image of an empty database."""

    def __init__(self, path: Path | None, image: bytes = b"", *, failpoint: Failpoint = no_failpoint) -> None:
        self._path = path
        self._failpoint = failpoint
        self._listeners = Listeners()
        self._group = Group(self._run)
        self._idle: deque[SqliteSession] = deque()
        self._closed = False
        # In memory readers and the writer share the connection; on a file only the leader uses the writer's.
        self._shared = Lock()
        self._owner: int | None = None
        connection = connect(":memory:" if path is None else str(path))
        if path is None:
            connection.deserialize(image)
        else:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA journal_size_limit = 67108864")
        self._writer = SqliteSession(connection)
        self._memory = SqliteReadSession(connection)

    def write(self, work: Callable[[ports.Tx], T]) -> T:
        result: T = self._group.submit(Entry(work))
        return result

    def read(self, work: Callable[[ports.Tx], T]) -> T:
        with self._reader() as session:
            session.run("BEGIN")
            try:
                return work(session.tx)
            finally:
                session.run("ROLLBACK")

    def subscribe(self, listener: Listener) -> None:
        self._listeners.add(listener)

    def close(self) -> None:
        """Call it when no transaction is running. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        self._writer.close()

    @contextmanager
    def _reader(self) -> Iterator[SqliteSession]:
        if self._path is None:
            with self._alone():
                yield self._memory
            return
        try:
            session = self._idle.pop()
        except IndexError:
            session = SqliteReadSession(connect(str(self._path)))
        try:
            yield session
        finally:
            if self._closed or session.in_transaction or len(self._idle) >= _IDLE_READERS:
                session.close()
            else:
                self._idle.append(session)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._owner == get_ident():
            raise RuntimeError("a transaction inside a transaction: use the one that is already there")
        with self._shared:
            self._owner = get_ident()
            try:
                yield
            finally:
                self._owner = None

    def _run(self, entries: list[Entry]) -> Callable[[], None]:
        """One transaction for all entries. Never raises: what went wrong is in the entries it concerns."""
        topics: set[str] = set()
        try:
            if self._path is None:
                with self._alone():
                    self._transaction(entries, topics)
            else:
                self._transaction(entries, topics)
        except BaseException as error:  # noqa: BLE001 - it goes to every caller
            topics.clear()
            for entry in entries:
                entry.error = entry.error or error
        return lambda: self._listeners.tell(topics)

    def _transaction(self, entries: list[Entry], topics: set[str]) -> None:
        session = self._writer
        try:
            session.run("BEGIN IMMEDIATE")
            if len(entries) == 1:
                self._work(entries[0], topics, "ROLLBACK", "BEGIN IMMEDIATE")
            else:
                for entry in entries:
                    session.run("SAVEPOINT work")
                    self._work(entry, topics, "ROLLBACK TO work")
                    session.run("RELEASE work")
            if all(entry.error is not None for entry in entries):
                session.run("ROLLBACK")
                return
            self._failpoint("store.commit.before")
            session.run("COMMIT")
            self._failpoint("store.commit.after")
        finally:
            if session.in_transaction:
                session.run("ROLLBACK")

    def _work(self, entry: Entry, topics: set[str], *undo: str) -> None:
        """Runs one work, undoing it when it raises; again and again on Conflict, within bounds."""
        session = self._writer
        for left in reversed(range(TRIES)):
            session.topics = set()
            try:
                entry.result = session.tx.write(entry.work)
            except Conflict as conflict:
                entry.error = None if left else conflict
            except BaseException as error:  # noqa: BLE001 - it goes to the caller
                entry.error = error
            else:
                topics |= session.topics
                return
            for command in undo:
                session.run(command)
            if entry.error is not None:
                return
