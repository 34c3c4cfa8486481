"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from baygrid.ports.basics import Failpoint, no_failpoint
from baygrid.ports.store import Store
from baygrid.store.schema import memory_image, upgrade_postgresql, upgrade_sqlite
from baygrid.store.sqlite import SqliteStore, check_version


def open_store(url: str, *, failpoint: Failpoint = no_failpoint, connections: int = 8) -> Store:
    """`sqlite:///PATH` (four slashes for an absolute one), `sqlite://` in memory, `postgresql://USER@HOST/NAME`.

    Creates and upgrades the tables. `connections`: at most so many to PostgreSQL, and one more that listens.
    Raises ValueError when the URL is none of these.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(f"not a database's URL: {url!r}") from None
    if parsed.get_backend_name() == "sqlite":
        check_version()
        if parsed.database in (None, "", ":memory:"):
            return SqliteStore(None, memory_image(), failpoint=failpoint)
        path = Path(str(parsed.database)).absolute()
        upgrade_sqlite(path)
        return SqliteStore(path, failpoint=failpoint)
    if parsed.get_backend_name() == "postgresql":
        from baygrid.store.postgres import PostgresStore  # its driver is slow to load

        upgrade_postgresql(parsed.set(drivername="postgresql+psycopg"))
        address = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        return PostgresStore(address, connections, failpoint=failpoint)
    raise ValueError(f"no store for {parsed.drivername!r}: sqlite or postgresql")
