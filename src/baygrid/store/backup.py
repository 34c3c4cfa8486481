"""A copy of all that a region's servers keep: the database as one snapshot, then every object.

An object is there before a row names it and is never changed, so objects that are copied after the database
are at least those that it names. The manifest is written last: a backup without one is not whole.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.engine import URL, make_url

from baygrid.store.columns import metadata
from baygrid.store.objects import PIECE, Listed
from baygrid.store.schema import HEAD, refill_postgresql, revision

if TYPE_CHECKING:
    import psycopg

MANIFEST: Final = "manifest.json"
DATABASE: Final = "database/baygrid.db"
FORMAT: Final = 1


class BackupError(Exception):
    """What is in the way and how it is cured, in one sentence. Nothing was changed."""


def save(url: str, objects: Listed, kept: Mapping[str, bytes], into: Listed, version: str, at: str) -> int:
    """Copies a database, its objects and `kept` (small files by name), also while servers use them. Returns
    how many objects there are. `at`: when, as text. Raises BackupError."""
    if next(into.keys(), None) is not None:
        raise BackupError("something is there already: name a place that is empty")
    parts = _save_sqlite(url, into) if _is_sqlite(url) else _save_postgresql(url, into)
    for name, data in kept.items():
        into.put(f"kept/{name}", iter([data]))
        parts[f"kept/{name}"] = hashlib.sha256(data).hexdigest()
    sizes: dict[str, int] = {}
    for key in objects.keys():  # noqa: SIM118 - no dict
        try:
            sizes[key] = into.put(f"objects/{key}", objects.get(key))
        except KeyError:
            continue  # swept away meanwhile: nothing needs it any more
    document = {
        "format": FORMAT,
        "version": version,
        "revision": HEAD,
        "at": at,
        "parts": parts,
        "objects": sizes,
    }
    into.put(MANIFEST, iter([orjson.dumps(document)]))
    return len(sizes)


def restore(source: Listed, url: str, objects: Listed) -> Mapping[str, bytes]:
    """Fills an empty database and an empty store of objects. Returns the small files. Raises BackupError; the
    database is filled last and at once, so that what was interrupted can be told and done again."""
    known = _manifest(source)
    from_sqlite = DATABASE in known["parts"]
    if from_sqlite != _is_sqlite(url):
        have = "SQLite" if from_sqlite else "PostgreSQL"
        raise BackupError(f"this is a backup of {have}: restore it into that")
    _check_empty(url, objects)
    for part, digest in known["parts"].items():
        if _digest(source.get(part)) != digest:
            raise BackupError(f"{part} of the backup was altered: take another backup")
    for key, size in known["objects"].items():
        if objects.put(key, source.get(f"objects/{key}")) != size:
            raise BackupError(f"object {key} of the backup was altered: take another backup")
    kept = {
        part.removeprefix("kept/"): b"".join(source.get(part))
        for part in known["parts"]
        if part.startswith("kept/")
    }
    if from_sqlite:
        _restore_sqlite(url, source)
    else:
        _restore_postgresql(url, source, known)
    return kept


def _manifest(source: Listed) -> dict[str, Any]:
    try:
        document = orjson.loads(b"".join(source.get(MANIFEST)))
    except (KeyError, orjson.JSONDecodeError):
        raise BackupError("there is no whole backup: its manifest is missing") from None
    if document["format"] != FORMAT:
        raise BackupError(f"this backup was made by Baygrid {document['version']}: restore it with that")
    if document["revision"] > HEAD or (DATABASE not in document["parts"] and document["revision"] != HEAD):
        raise BackupError(
            f"this backup was made by Baygrid {document['version']}: restore it with that, then upgrade"
        )
    return cast("dict[str, Any]", document)


def _check_empty(url: str, objects: Listed) -> None:
    if _is_sqlite(url):
        there = _path(url).exists()
    else:
        engine = create_engine(_driver(url))
        with closing(engine.connect()) as connection:
            there = bool(inspect(connection).get_table_names())
        engine.dispose()
    if there:
        raise BackupError("the database is not empty: name one that is, nothing is written over")
    if next(objects.keys(), None) is not None:
        raise BackupError("the store of objects is not empty: name one that is, nothing is written over")


def _save_sqlite(url: str, into: Listed) -> dict[str, str]:
    """By SQLite's own online backup: one snapshot, all in one step, so that no writer makes it begin anew."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        with (
            closing(sqlite3.connect(f"file:{_path(url)}?mode=ro", uri=True, timeout=60)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        return {DATABASE: _put(into, DATABASE, _read(copy))}


def _restore_sqlite(url: str, source: Listed) -> None:
    path = _path(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.restoring")
    with part.open("wb") as file:
        for piece in source.get(DATABASE):
            file.write(piece)
        file.flush()
    part.replace(path)


def _save_postgresql(url: str, into: Listed) -> dict[str, str]:
    """COPY of every table in one snapshot."""
    engine = create_engine(_driver(url), isolation_level="REPEATABLE READ")
    parts = {}
    with engine.connect() as connection:
        if revision(connection) != HEAD:
            raise BackupError("the database is of another version than this program: use the server's own")
        for table in metadata.sorted_tables:
            key = f"database/{table.name}"
            parts[key] = _put(into, key, _copied(connection, _copy(table.name, "TO STDOUT")))
    engine.dispose()
    return parts


def _restore_postgresql(url: str, source: Listed, known: Mapping[str, Any]) -> None:
    engine = create_engine(_driver(url))
    with engine.begin() as connection:
        refill_postgresql(connection, lambda: _fill(connection, source, known))
    engine.dispose()


def _fill(connection: Connection, source: Listed, known: Mapping[str, Any]) -> None:
    raw = cast("psycopg.Connection", connection.connection.dbapi_connection)
    for table in metadata.sorted_tables:
        part = f"database/{table.name}"
        if part not in known["parts"]:
            continue
        with raw.cursor() as cursor, cursor.copy(_copy(table.name, "FROM STDIN")) as copy:
            for piece in source.get(part):
                copy.write(piece)
        for column in (it for it in table.columns if it.identity is not None):
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'),"  # noqa: S608 - our own names
                f" (SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"
            )


def _copy(table: str, direction: str) -> str:
    names = ", ".join(f'"{column.name}"' for column in metadata.tables[table].columns)
    return f'COPY "{table}" ({names}) {direction}'


def _copied(connection: Connection, statement: str) -> Iterator[bytes]:
    raw = cast("psycopg.Connection", connection.connection.dbapi_connection)
    with raw.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in copy:
            yield bytes(piece)


def _put(into: Listed, key: str, pieces: Iterator[bytes]) -> str:
    """Its SHA-256."""
    digest = hashlib.sha256()

    def counted() -> Iterator[bytes]:
        for piece in pieces:
            digest.update(piece)
            yield piece

    into.put(key, counted())
    return digest.hexdigest()


def _digest(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _path(url: str) -> Path:
    return Path(str(make_url(url).database)).absolute()


def _driver(url: str) -> URL:
    return make_url(url).set(drivername="postgresql+psycopg")
