"""The migrations end where the metadata is; history cannot be rewritten; two servers may start at once."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Integer, create_engine, text
from sqlalchemy.exc import OperationalError

from baygrid.ports.papers import CloseRow
from baygrid.ports.records import Cursor
from baygrid.ports.store import Store
from baygrid.store import open_store, schema
from baygrid.store.tables import metadata
from baygrid.store.triggers import APPEND_ONLY
from tests.core.ratings import rating
from tests.store.records import (
    application,
    booking,
    charge,
    contract_of_data,
    data_table,
    dataset,
    event,
    exchange_rate,
    job,
    offer,
    organise,
    outside,
    paper,
    party,
    payment,
    plan,
    policy,
    rated,
    registered,
    step,
    tax,
    usage,
)


def sqlite_schema(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'"
    )
    return {name: " ".join(sql.split()) for name, sql in rows}


def migrate(url: str, to: str) -> None:
    """A database of before: `to` is what its code expected."""
    engine = create_engine(url)
    with engine.begin() as connection:
        schema.migrate(connection, to)
    engine.dispose()


def test_on_sqlite_the_migrations_end_at_the_metadata(tmp_path: Path):
    migrate(f"sqlite:///{tmp_path}/a.db", "0001")
    open_store(f"sqlite:///{tmp_path}/a.db").close()
    migrated = sqlite3.connect(tmp_path / "a.db")
    direct = sqlite3.connect(":memory:")
    direct.deserialize(schema.memory_image())
    assert sqlite_schema(migrated) == sqlite_schema(direct)
    for table in ("region", "leader", "audit_end"):
        assert (
            migrated.execute(f"SELECT * FROM {table}").fetchall()
            == direct.execute(f"SELECT * FROM {table}").fetchall()
        )
    assert migrated.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    migrated.close()
    direct.close()


# What PostgreSQL says of its tables, indexes, constraints and triggers.
_CATALOGUE = """
SELECT 'column', table_name, column_name,
    concat_ws(' ', data_type, collation_name, is_nullable, column_default, is_identity)
  FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
UNION ALL SELECT 'index', tablename, indexname, indexdef
  FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    AND conrelid::regclass::text <> 'alembic_version'
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', '', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def test_on_postgresql_the_migrations_end_at_the_metadata(new_database: Callable[[], str]):
    migrated, direct = new_database(), new_database()
    migrate(migrated, "0001")
    found = []
    for url in (migrated, direct):
        open_store(url).close()
        engine = create_engine(url)
        with engine.connect() as connection:
            found.append(set(connection.exec_driver_sql(_CATALOGUE).fetchall()))
        engine.dispose()
    assert found[0] == found[1]
    assert len(found[0]) > 150


@pytest.mark.parametrize(
    "database", ["file", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_attempts_of_before_have_as_many_nodes_as_they_name(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
):
    new = request.getfixturevalue("new_database") if database == "postgresql" else None
    url = new() if new else f"sqlite:///{tmp_path}/a.db"
    migrate(url, "0005")
    later = ("count", "staged_bytes", "staging_bytes", "expected_at", "covers")
    columns = [column.name for column in metadata.tables["attempts"].columns if column.name not in later]
    engine = create_engine(url)
    for number, nodes in enumerate(('["n1", "n2"]', "[]", '["n1"]')):
        given = dict.fromkeys(columns, 0) | {"id": f"att-{number}", "job": f"job-{number}", "nodes": nodes}
        row = {name: value if isinstance(value, str) else _default(name) for name, value in given.items()}
        with engine.begin() as connection:
            marks = ", ".join(f":{name}" for name in columns)
            names = ", ".join(f'"{name}"' for name in columns)
            connection.execute(text(f"INSERT INTO attempts ({names}) VALUES ({marks})"), row)
    engine.dispose()
    store = open_store(url)
    found = store.read(lambda tx: tx.attempts.of_jobs(["job-0", "job-1", "job-2"]))
    assert [attempt.count for attempt in found] == [2, 1, 1]
    store.close()


def _default(column: str) -> object:
    if column in ("state", "want"):
        return {"state": "RUNNING", "want": "run"}[column]
    kind = metadata.tables["attempts"].columns[column].type
    if isinstance(kind, Integer):
        return 1
    return "{}" if column in ("outputs", "reasons") else "[]"


def test_the_newest_migration_is_the_one_the_code_expects():
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def fill(store: Store) -> None:
    store.write(lambda tx: tx.events.append([event(1)]))
    store.write(lambda tx: tx.money.post([booking(1)]))
    store.write(lambda tx: tx.money.insert_usage([usage()]))
    store.write(lambda tx: tx.money.insert_charges([charge()]))
    store.write(lambda tx: tx.policies.insert(policy(1)))
    store.write(lambda tx: tx.datasets.insert(dataset()))
    store.write(lambda tx: tx.outside.insert([outside()]))
    store.write(lambda tx: tx.ratings.insert(rated(rating("north"))))
    store.write(lambda tx: tx.ratings.set_plan(plan()))
    store.write(lambda tx: tx.papers.insert([(paper(1), 0)]))
    store.write(lambda tx: tx.papers.insert_draws("demo", "2026-11-0001", {"allocation-1": 5}))
    store.write(lambda tx: tx.papers.insert_payment(payment()))
    store.write(lambda tx: tx.papers.insert_rate(tax()))
    store.write(lambda tx: tx.papers.insert_exchange_rate(exchange_rate()))
    store.write(lambda tx: tx.papers.close(CloseRow("2026-10", 1, 1, "tok-1")))
    store.write(organise)
    store.write(lambda tx: tx.region.insert_offer(offer()))
    store.write(lambda tx: tx.accounts.insert_application(application()))
    store.write(lambda tx: tx.accounts.insert_step(step(0)))
    store.write(lambda tx: tx.catalogue.insert_party(party()))
    store.write(lambda tx: tx.catalogue.insert_table(data_table()))
    store.write(lambda tx: tx.audit.append(1, "read", {}, contract=None, project=None))
    store.write(contract_of_data)
    store.write(registered)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("database", ["file"], indirect=True)
def test_sqlite_refuses_to_rewrite_history(store: Store, url: str, table: str):
    fill(store)
    other = sqlite3.connect(url.removeprefix("sqlite:///"))
    columns = [row[1] for row in other.execute(f"PRAGMA table_info({table})")]
    for column in columns:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute(f'UPDATE {table} SET "{column}" = "{column}"')
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(f"DELETE FROM {table}")
    other.close()


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_postgresql_refuses_to_rewrite_history(store: Store, url: str, table: str):
    fill(store)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
        column = {
            "ledger": "narration",
            "postings": "amount",
            "tariffs": "cpu_hour",
            "policies": "document",
            "outside": "id",
            "ratings": "document",
            "plans": "document",
            "papers": "document",
            "draws": "amount",
            "payments": "amount",
            "closes": "month",
            "rates": "rate",
            "exchange_rates": "rate",
            "application_steps": "words",
            "parties": "facts",
            "data_tables": "labels",
            "audit": "data",
            "contract_steps": "data",
            "person_counts": "pi",
            "registry_changes": "why",
            "registry_returns": "value",
            "registry_zones": "document",
            "registry_imports": "counts",
        }.get(table, "job")
        for command in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                other.execute(command.encode())


def test_many_servers_may_start_at_once_on_postgresql(postgres_url: str):
    start_together([postgres_url] * 4)


def test_many_processes_may_start_at_once_on_sqlite(tmp_path: Path):
    start_together([f"sqlite:///{tmp_path}/deep/folder/a.db"] * 4)


def start_together(urls: list[str]) -> None:
    gate = threading.Barrier(len(urls))
    failed: list[BaseException] = []

    def start(number: int, url: str) -> None:
        gate.wait(timeout=30)
        try:
            store = open_store(url)
            store.write(lambda tx: tx.jobs.insert([job(number)]))
            store.close()
        except BaseException as error:  # noqa: BLE001 - raised below
            failed.append(error)

    threads = [threading.Thread(target=start, args=given) for given in enumerate(urls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failed == []
    store = open_store(urls[0])
    assert len(store.read(lambda tx: tx.jobs.page(None, [], None, 99))) == len(urls)
    store.close()


def test_a_crash_while_it_is_made_or_migrated_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def tables() -> int:
        left = sqlite3.connect(tmp_path / "a.db")
        (count,) = left.execute("SELECT count(*) FROM sqlite_master").fetchone()
        left.close()
        return int(count)

    def crash(connection: Connection, to: str) -> None:
        migrate_to(connection, to)
        raise KeyboardInterrupt

    url = f"sqlite:///{tmp_path}/a.db"
    made_by, migrate_to = schema._made_by, schema.migrate
    monkeypatch.setattr(schema, "_made_by", lambda dialect: (*made_by(dialect), "CRASH"))
    with pytest.raises(OperationalError, match="CRASH"):
        open_store(url)
    assert tables() == 0
    migrate(url, "0005")
    before = tables()
    monkeypatch.setattr(schema, "migrate", crash)
    with pytest.raises(KeyboardInterrupt):
        open_store(url)
    assert tables() == before
    monkeypatch.undo()
    store = open_store(url)
    store.write(lambda tx: tx.jobs.insert([job(1)]))
    store.close()


def test_events_restored_from_another_cluster_stay_readable(postgres_url: str):
    """A dump brings its old transaction numbers into a cluster whose own are still small."""
    store = open_store(postgres_url)
    store.write(lambda tx: tx.events.append([event(number) for number in range(5)]))
    store.close()
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE events SET xid = 4000000000000 + id")
    store = open_store(postgres_url)
    found = store.read(lambda tx: tx.events.after(Cursor(), 99))
    assert [one for _, one in found] == [event(number) for number in range(5)]
    store.write(lambda tx: tx.events.append([event(9)]))
    # A reader that had come as far as the third event before the restore goes on after it.
    later = store.read(lambda tx: tx.events.after(Cursor(4000000000003, 3), 99))
    assert [one.data["number"] for _, one in later] == [3, 4, 9]
    assert store.read(lambda tx: tx.events.end()) == later[-1][0]
    store.close()
