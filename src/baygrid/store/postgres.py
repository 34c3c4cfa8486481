"""The store on PostgreSQL: each write is a transaction of its own, each read one snapshot."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from threading import Event
from typing import TypeVar

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure

from baygrid.ports import store as ports
from baygrid.ports.basics import Failpoint, no_failpoint
from baygrid.ports.store import Away, Conflict
from baygrid.store.listeners import Listener, Listeners
from baygrid.store.news import News, notification
from baygrid.store.pool import Pool

T = TypeVar("T")

TRIES = 20
_RECONNECTS = 3
_WRITE = b"BEGIN ISOLATION LEVEL READ COMMITTED"
_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresStore:
    """Implements `ports.store.Store`. `conninfo` is a libpq address."""

    def __init__(self, conninfo: str, connections: int, *, failpoint: Failpoint = no_failpoint) -> None:
        self._failpoint = failpoint
        self._pool = Pool(conninfo, connections)
        self._listeners = Listeners()
        # Our own commits come back to us as notifications too; by this they are known.
        self._origin = uuid.uuid4().hex[:12]
        self._news = News(conninfo, self._origin, self._listeners)
        self._pause = Event()  # never set: a sleep that needs no clock

    def write(self, work: Callable[[ports.Tx], T]) -> T:
        try:
            return self._write(work)
        except psycopg.OperationalError as error:
            raise Away(f"the database failed, and what was asked may be done or not: {error}") from error

    def _write(self, work: Callable[[ports.Tx], T]) -> T:
        """When the connection is lost in the commit itself, nobody knows: psycopg.OperationalError."""
        broken = 0
        for turn in range(TRIES):
            try:
                result, topics = self._once(work)
            except (Conflict, DeadlockDetected, SerializationFailure) as error:
                if turn == TRIES - 1:
                    raise
                # Who waited for our locks must get them before we come again; two that collided must part.
                shortest = 0.0 if isinstance(error, Conflict) else 0.005
                self._pause.wait(random.uniform(shortest, 2 * shortest + 0.002 * turn))
            except _Broken as lost:
                broken += 1
                if broken > _RECONNECTS:
                    raise lost.error from None
                self._pool.drop_idle()
            else:
                self._listeners.tell(topics)
                return result
        raise AssertionError

    def _once(self, work: Callable[[ports.Tx], T]) -> tuple[T, set[str]]:
        with self._pool.session() as session:
            session.begin(_WRITE)
            try:
                result = session.tx.write(work)
                self._failpoint("store.commit.before")
            except psycopg.OperationalError as error:
                if session.connection.broken:  # not yet committed, so it may run again
                    raise _Broken(error) from error
                raise
            topics = session.topics
            if topics:
                number, readable = session.finish_telling(notification(self._origin, topics))
                if not readable:
                    self._news.hold(number, topics)
            else:
                session.finish()
            self._failpoint("store.commit.after")
            return result, topics

    def read(self, work: Callable[[ports.Tx], T]) -> T:
        try:
            return self._read(work)
        except psycopg.OperationalError as error:
            raise Away(f"the database failed: {error}") from error

    def _read(self, work: Callable[[ports.Tx], T]) -> T:
        for turn in range(_RECONNECTS + 1):
            with self._pool.session() as session:
                session.begin(_READ)
                try:
                    result = work(session.read_tx)
                    session.finish()
                except psycopg.OperationalError:
                    if turn == _RECONNECTS or not session.connection.broken:
                        raise
                else:
                    return result
            self._pool.drop_idle()
        raise AssertionError

    def subscribe(self, listener: Listener) -> None:
        """The listener hears `*` first, as soon as nothing can be missed any more."""
        self._listeners.add(listener)
        self._news.start()

    def close(self) -> None:
        """Call it when no transaction is running. A second call does nothing."""
        self._news.close()
        self._pool.close()


class _Broken(Exception):
    """The connection was lost before the commit was asked for."""

    def __init__(self, error: psycopg.OperationalError) -> None:
        super().__init__(str(error))
        self.error = error
