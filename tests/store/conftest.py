"""One store, three times: SQLite on a file, SQLite in memory, PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from baygrid.ports.store import Store
from baygrid.store import open_store
from tests import services
from tests.store.records import Failpoints

EVERYWHERE = ["file", "memory", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=EVERYWHERE)
def database(request: pytest.FixtureRequest) -> str:
    """Which of the three; ask for `database` with indirect parameters to have some of them only."""
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> str:
    """Where an empty store can be opened."""
    if database == "memory":
        return "sqlite://"
    if database == "file":
        return f"sqlite:///{tmp_path}/baygrid.db"
    return request.getfixturevalue("migrated")()


@pytest.fixture
def failpoints() -> Failpoints:
    return Failpoints()


@pytest.fixture
def store(url: str, failpoints: Failpoints) -> Iterator[Store]:
    opened = open_store(url, failpoint=failpoints)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def _migrated_once(request: pytest.FixtureRequest) -> str:
    server: services.Postgres = request.getfixturevalue("postgres")
    url = server.url(server.create())
    open_store(url).close()
    return url


@pytest.fixture
def migrated(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Gives the address of a migrated PostgreSQL database: one for all tests, emptied each time."""

    def emptied() -> str:
        try:
            url: str = request.getfixturevalue("_migrated_once")
        except services.Missing as missing:
            pytest.skip(str(missing))
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("SET session_replication_role = replica")  # no triggers
            tables = connection.execute(
                "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
                " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            ).fetchone()
            assert tables is not None
            connection.execute(f"TRUNCATE {tables[0]} RESTART IDENTITY CASCADE".encode())
            connection.execute("INSERT INTO region (one, version) VALUES (1, 0)")
            connection.execute("INSERT INTO leader (one, term, holder, until) VALUES (1, 0, '', 0)")
            connection.execute("INSERT INTO audit_end (one, n, hash) VALUES (1, 0, repeat('0', 64))")
        return url

    return emptied
