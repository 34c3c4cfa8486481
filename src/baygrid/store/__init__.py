"""Where everything is kept: transactions on SQLite or PostgreSQL, objects in a folder or in S3."""

from baygrid.store.opening import open_store

__all__ = ["open_store"]
