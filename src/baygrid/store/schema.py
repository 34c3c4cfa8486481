"""The database's shape: a new one is made from the metadata, an older one is brought there by migrations."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, create_mock_engine, event, inspect, text
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import ExecutableDDLElement

from baygrid.store.sql import SQLITE
from baygrid.store.sqlite import connect
from baygrid.store.tables import metadata
from baygrid.store.triggers import statements

HEAD = (
    "0039"  # the newest migration; known here, so that an up-to-date database opens without loading Alembic
)
_REVISION = (  # as Alembic makes it
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
_AT_HEAD = f"INSERT INTO alembic_version VALUES ('{HEAD}')"  # noqa: S608 - a constant
_LOCK = 0x626179677264  # PostgreSQL's advisory lock while migrating


@cache
def _made_by(dialect: str) -> tuple[str, ...]:
    """The statements that make an empty database; worked out once in a process."""
    made: list[str] = []

    def note(statement: ExecutableDDLElement, *_: object, **__: object) -> None:
        made.append(str(statement.compile(dialect=mock.dialect)))

    mock = create_mock_engine(f"{dialect}://", note)
    metadata.create_all(mock, checkfirst=False)
    return (
        *made,
        *statements(dialect),
        _REVISION,
        _AT_HEAD,
    )


def refill_postgresql(connection: Connection, fill: Callable[[], None]) -> None:
    """Makes the tables of an empty database and lets `fill` fill them, the rows that there always are, too;
    what refuses changes comes after."""
    metadata.create_all(connection, checkfirst=False)
    fill()
    for statement in (*statements("postgresql"), _REVISION, _AT_HEAD):
        if not statement.startswith("INSERT") or statement == _AT_HEAD:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


@cache
def memory_image() -> bytes:
    """An empty database, as bytes; made once in a process."""
    source = connect(":memory:")
    for statement in _made_by(SQLITE):
        source.execute(statement)
    image = source.serialize()
    source.close()
    return image


def upgrade_sqlite(path: Path) -> None:
    """Creates or upgrades a database file; two processes may do it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine("sqlite://", creator=lambda: _journaled(path), poolclass=NullPool)
    # Otherwise the driver commits before each CREATE, and a crash would leave half a migration.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        # Two that change the journal's mode at once do not wait for each other: one is told "locked".
        fcntl.flock(lock, fcntl.LOCK_EX)
        _upgrade(engine)


def upgrade_postgresql(url: URL) -> None:
    """Creates or upgrades; of several servers that start at once, one does it and the others wait."""
    _upgrade(create_engine(url, poolclass=NullPool))


def _journaled(path: Path) -> object:
    connection = connect(str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _upgrade(engine: Engine) -> None:
    try:
        with engine.begin() as connection:
            if connection.dialect.name != SQLITE:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            found = revision(connection)
            if found is None:
                for statement in _made_by(connection.dialect.name):
                    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
            elif found != HEAD:
                migrate(connection, HEAD)
            if connection.dialect.name != SQLITE:
                _adopt(connection)
    finally:
        engine.dispose()


def revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(connection: Connection, to: str) -> None:
    """From whatever revision it is, or from nothing."""
    from alembic import command  # slow to load, and needed only here
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _adopt(connection: Connection) -> None:
    """Events restored from another cluster's dump carry its transaction numbers. Where those lie in this
    cluster's future, they would be hidden for long: all of them become one old transaction, ordered by id."""
    in_future = text("SELECT max(xid) >= (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint FROM events")
    if connection.execute(in_future).scalar():
        connection.execute(text("ALTER TABLE events DISABLE TRIGGER events_append_only"))
        connection.execute(text("UPDATE events SET xid = 0"))
        connection.execute(text("ALTER TABLE events ENABLE TRIGGER events_append_only"))
