"""Alembic's entry. The store hands in its connection, already in a transaction; on the command line
(`alembic -x url=...`) it is opened here, which is how a developer writes a new migration.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from baygrid.store.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=False)
    context.run_migrations()


def main() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    with create_engine(context.get_x_argument(as_dictionary=True)["url"]).begin() as connection:
        _run(connection)


main()
