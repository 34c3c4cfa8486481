"""What other servers on the same PostgreSQL have committed, heard by LISTEN.

A notification comes when its transaction has committed, but the transaction's events are readable only when
no older transaction is running any more (see `events.py`). Whoever was woken too early must be woken again.
So each notification names its transaction; topics of those that are still held back, of our own commits too,
are kept and told a second time when they have become readable. Only while something is held back does this
thread ask PostgreSQL again and again, every few milliseconds.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from selectors import EVENT_READ, DefaultSelector
from threading import Lock, Thread

import orjson
import psycopg

from baygrid.store.listeners import EVERYTHING, Listeners
from baygrid.store.pool import SETTLED, connect

CHANNEL = "baygrid"
_LARGEST = 7000  # bytes; PostgreSQL takes 7999
_POLL_S = 0.01
_RECONNECT_S = 1.0

_log = logging.getLogger(__name__)


def notification(origin: str, topics: Iterable[str]) -> str:
    """The SQL expression that announces this transaction when it commits."""
    text = orjson.dumps(sorted(topics)).decode()
    if len(text.encode()) > _LARGEST:
        text = '["*"]'
    quoted = text.replace("'", "''")
    return f"pg_notify('{CHANNEL}', '{origin} ' || pg_current_xact_id() || ' {quoted}')"


class News:
    """A daemon thread with a connection of its own, from the first listener on."""

    def __init__(self, conninfo: str, origin: str, listeners: Listeners) -> None:
        self._conninfo = conninfo
        self._origin = origin
        self._listeners = listeners
        self._lock = Lock()
        self._thread: Thread | None = None
        self._closing = False
        self._held: list[
            tuple[int, frozenset[str]]
        ] = []  # committed, not yet readable: (transaction, topics)
        self._wake_read, self._wake_write = os.pipe()

    def start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing:
                self._thread = Thread(target=self._run, name="baygrid-news", daemon=True)
                self._thread.start()

    def hold(self, transaction: int, topics: Iterable[str]) -> None:
        """These were told when they were not readable yet: tell them again when they are."""
        with self._lock:
            if self._thread is None or self._closing:
                return
            self._held.append((transaction, frozenset(topics)))
            os.write(self._wake_write, b".")

    def close(self) -> None:
        with self._lock:
            if self._closing:
                return
            self._closing = True
            os.write(self._wake_write, b".")
        if self._thread is not None:
            self._thread.join(timeout=10)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        with DefaultSelector() as waiting:
            waiting.register(self._wake_read, EVENT_READ)
            while not self._closing:
                try:
                    with connect(self._conninfo) as connection:
                        connection.execute(f"LISTEN {CHANNEL}".encode())
                        self._listen(connection, waiting)
                except psycopg.Error as error:
                    if not self._closing:
                        _log.warning("no news from PostgreSQL, trying again: %s", error)
                        self._wait(waiting, _RECONNECT_S)

    def _listen(self, connection: psycopg.Connection, waiting: DefaultSelector) -> None:
        # Who knows what was missed; and what was committed before LISTEN may be held back as well.
        self._listeners.tell(EVERYTHING)
        self.hold(
            _number(connection, b"SELECT (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint"), ["*"]
        )
        socket = connection.fileno()
        waiting.register(socket, EVENT_READ)
        try:
            while not self._closing:
                heard = self._hear(connection)
                while heard:
                    self._settle(connection, heard)
                    # What came in with the answer to that does not make the socket readable again.
                    heard = self._hear(connection)
                self._wait(waiting, _POLL_S if self._held else None)
                if self._held:
                    self._settle(connection, [])
        finally:
            waiting.unregister(socket)

    def _hear(self, connection: psycopg.Connection) -> list[tuple[int, frozenset[str]]]:
        """Other servers' commits since the last call."""
        heard = []
        for notify in connection.notifies(timeout=0):
            origin, transaction, topics = notify.payload.split(" ", 2)
            if origin != self._origin:
                heard.append((int(transaction), frozenset(orjson.loads(topics))))
        return heard

    def _settle(self, connection: psycopg.Connection, heard: list[tuple[int, frozenset[str]]]) -> None:
        """Tells what was heard, and what was held back and is readable now."""
        oldest_running = _number(connection, SETTLED)
        with self._lock:
            readable = [topics for transaction, topics in self._held if transaction < oldest_running]
            self._held = [held for held in (*self._held, *heard) if held[0] >= oldest_running]
        self._listeners.tell(frozenset().union(*readable, *(topics for _, topics in heard)))

    def _wait(self, waiting: DefaultSelector, seconds: float | None) -> None:
        for key, _ in waiting.select(seconds):
            if key.fd == self._wake_read:
                os.read(self._wake_read, 4096)


def _number(connection: psycopg.Connection, query: bytes) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    number: int = row[0]
    return number
