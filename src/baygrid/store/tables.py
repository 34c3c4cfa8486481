"""All tables, once, for both databases. The migrations must end where this file is (a test compares them).

Integers are 64 bits everywhere; SQLite tables are STRICT, so that what PostgreSQL refuses is refused there
too. Instants are whole milliseconds, money is minor units, documents are JSON text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

Int64 = BigInteger().with_variant(Integer(), "sqlite")
# Ids sort byte by byte, whatever language the database speaks.
String = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
        "uq": "%(table_name)s_one_%(column_0_N_name)s",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_name)s",
        "pk": "%(table_name)s_key",
    }
)

# Rows of these are never changed or removed: triggers refuse it on both databases (see `triggers.py`).
APPEND_ONLY = (
    "events",
    "ledger",
    "postings",
    "usage",
    "charges",
    "policies",
    "datasets",
    "outside",
    "ratings",
    "plans",
)


class ThisTransaction(FunctionElement[int]):
    """The number of the writing transaction, by which PostgreSQL's event stream is ordered; 0 on SQLite."""

    type = BigInteger()
    inherit_cache = True


@compiles(ThisTransaction, "sqlite")
def _sqlite_transaction(element: ThisTransaction, compiler: Any, **options: Any) -> str:
    return "0"


@compiles(ThisTransaction, "postgresql")
def _postgresql_transaction(element: ThisTransaction, compiler: Any, **options: Any) -> str:
    return "((pg_current_xact_id()::text)::bigint)"


def _table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def _text(name: str, *parts: Any, **options: Any) -> Column[str]:
    return Column(name, String, *parts, nullable=options.pop("nullable", False), **options)


def _int(name: str, *parts: Any, **options: Any) -> Column[int]:
    return Column(name, Int64, *parts, nullable=options.pop("nullable", False), **options)


def _where(name: str, condition: str, *columns: str) -> Index:
    """An index of some rows only."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


organisations = _table("organisations", _text("name", primary_key=True), _text("kind"), _text("title"))

projects = _table(
    "projects",
    _text("name", primary_key=True),
    _text("organisation", ForeignKey("organisations.name")),
    _text("currency"),
    _int("granted"),
    _int("held"),
    _int("charged"),
    CheckConstraint("held >= 0", name="held"),
    CheckConstraint("granted - held - charged >= 0", name="free"),
)

tokens = _table(
    "tokens",
    _text("id", primary_key=True),
    _text("sha256", unique=True),
    _text("role"),
    _text("label"),
    _text("project", nullable=True),
    _text("centre", nullable=True),
    _int("created_at"),
    _int("revoked_at", nullable=True),
    _int("expires_at", nullable=True),
    _text("used_by", nullable=True),
    _int("with_offers", server_default=text("0")),
    _int("fresh", server_default=text("0")),
)

centres = _table(
    "centres",
    _text("name", primary_key=True),
    _text("jurisdiction"),
    _text("driver"),
    _text("state"),
    _text("public_key"),
    _int("incarnation"),
    _int("seq"),
    _int("gen"),
    _int("seen_at", nullable=True),
    _int("renewing", server_default=text("0")),
)

# Apart from `centres`, because a heartbeat rewrites that row and this one may be large.
inventories = _table(
    "inventories",
    _text("centre", ForeignKey("centres.name"), primary_key=True),
    _text("digest"),
    _text("partitions"),
    _text("version", server_default=text("''")),
    _text("capabilities", nullable=True),
)

# What a centre's own scheduler was asked last, and what it said: how long jobs would wait there.
estimates = _table(
    "estimates",
    _text("centre", ForeignKey("centres.name"), primary_key=True),
    _text("asked"),
    _int("asked_at"),
    _text("told"),
    _int("told_at"),
)

offers = _table(
    "offers",
    _text("id", primary_key=True),
    _text("centre", ForeignKey("centres.name")),
    _text("partition"),
    _text("accelerator", nullable=True),
    _text("currency"),
)

# Rates are exact fractions: '1/4'.
tariffs = _table(
    "tariffs",
    _text("offer", ForeignKey("offers.id"), primary_key=True),
    _int("valid_from", primary_key=True, autoincrement=False),
    _text("currency"),
    _text("accelerator_hour"),
    _text("cpu_hour"),
    _text("gib_hour"),
)

# Tables of one row: the primary key can only be 1.
region = _table(
    "region",
    _int("one", primary_key=True, autoincrement=False),
    _int("version"),
    CheckConstraint("one = 1", name="one"),
)

leader = _table(
    "leader",
    _int("one", primary_key=True, autoincrement=False),
    _int("term"),
    _text("holder"),
    _int("until"),
    CheckConstraint("one = 1", name="one"),
)

jobs = _table(
    "jobs",
    _text("id", primary_key=True),
    _text("project"),
    _text("name"),
    _text("state"),
    _int("submitted_at"),
    _text("submitted_by"),
    _text("currency"),
    _int("hold"),
    _int("version"),
    _int("ended_at", nullable=True),
    _text("cause", nullable=True),
    _text("detail"),
    _int("exit_code", nullable=True),
    _text("spec"),
    # What came with migration 0002 stands last, as SQLite adds columns.
    _int("asked", server_default=text("0")),
    _int("attempts", server_default=text("0")),
    _int("retries", server_default=text("0")),
    _text("checkpoint", nullable=True),
    _text("array", nullable=True),
    _int("index", nullable=True),
    _text("waits_for", server_default=text("'[]'")),
    _int("input_bytes", server_default=text("0")),
    _text("waited_at", server_default=text("''")),
    _int("not_before", nullable=True),
    Index(None, "state", "id"),
    Index(None, "project", "id"),
    Index(None, "project", "state", "id"),
    _where("jobs_of_array", '"array" IS NOT NULL', "array", "id"),
    _where("jobs_of_array_by_state", '"array" IS NOT NULL', "array", "state", "cause", "id"),
    _where("jobs_short_of_money", "state = 'HELD' AND cause = 'money'", "project", "id"),
    _where("jobs_backing_off", "state = 'HELD' AND cause = 'back-off'", "not_before", "id"),
)

arrays = _table(
    "arrays",
    _text("id", primary_key=True),
    _text("project"),
    _text("name"),
    _int("size"),
    _int("parallel"),
    _int("left"),
    _int("submitted_at"),
    _text("submitted_by"),
    _int("failed"),
    _int("version"),
    _text("waits_for"),
    Index(None, "project", "id"),
)

# `waiter` (a job or an array) waits for `on` (a job or an array). Never removed.
waits = _table(
    "waits",
    _text("on", primary_key=True),
    _text("waiter", primary_key=True),
)

# `live` 1: not final, or `want` is not 'nothing'. A column, so that small partial indexes can name it.
attempts = _table(
    "attempts",
    _text("id", primary_key=True),
    _text("job"),
    _text("project"),
    _int("n"),
    _text("token"),
    _text("centre"),
    _text("partition"),
    _text("offer"),
    _int("cpus"),
    _int("memory_mib"),
    _text("accelerator", nullable=True),
    _int("accelerators"),
    _int("grace_s"),
    _int("placed_at"),
    _text("state"),
    _text("want"),
    _int("gen"),
    _int("version"),
    _text("stop_reason"),
    _text("raw"),
    _int("started_at", nullable=True),
    _int("ended_at", nullable=True),
    _int("exit_code", nullable=True),
    _text("cause", nullable=True),
    _text("detail"),
    _int("log_size"),
    _int("log_end", nullable=True),
    _int("live"),
    _text("nodes"),
    _text("outputs"),
    _text("reasons"),
    _int("accelerator_share", server_default=text("1000")),
    _text("accelerator_slots", server_default=text("'[]'")),
    _int("count", server_default=text("1")),
    _int("staged_bytes", server_default=text("0")),
    _int("staging_bytes", nullable=True),
    _int("expected_at", nullable=True),
    UniqueConstraint("job", "n"),
    _where("attempts_live", "live = 1", "id"),
    _where("attempts_wanted", "want <> 'nothing'", "centre", "gen", "id"),
)

log_chunks = _table(
    "log_chunks",
    _text("attempt", ForeignKey("attempts.id"), primary_key=True),
    _int("start", primary_key=True, autoincrement=False),
    _int("size"),
)

usage = _table(
    "usage",
    _text("attempt", primary_key=True),
    _int("n", primary_key=True, autoincrement=False),
    _text("centre"),
    _text("project"),
    _text("job"),
    _int("stored_at"),
    _text("public_key"),
    _text("signature"),
    _text("document"),
    Index(None, "centre", "stored_at"),
)

# Jobs that ran at a centre without Baygrid. Its own ids may come again after years. `*_s`: times so many.
outside = _table(
    "outside",
    _text("centre", primary_key=True),
    _int("end", primary_key=True, autoincrement=False),
    _text("id", primary_key=True),
    _text("account"),
    _int("cpu_s"),
    _int("accelerator_s"),
    _int("stored_at"),
    _text("public_key"),
    _text("signature"),
    _text("document"),
)

# What centres were measured to do: signed. `accelerator` '': a partition without.
ratings = _table(
    "ratings",
    _text("centre", primary_key=True),
    _text("partition", primary_key=True),
    _text("accelerator", primary_key=True),
    _text("profile", primary_key=True),
    _int("measured_at", primary_key=True, autoincrement=False),
    _int("stored_at"),
    _text("public_key"),
    _text("signature"),
    _text("document"),
)

# What operators publish of a centre, unmeasured.
plans = _table(
    "plans",
    _text("centre", primary_key=True),
    _int("set_at", primary_key=True, autoincrement=False),
    _text("set_by"),
    _text("document"),
)

charges = _table(
    "charges",
    _int("number", Identity(always=True), primary_key=True),
    _text("attempt"),
    _int("n"),
    _text("job"),
    _text("project"),
    _text("centre"),
    _text("offer"),
    _int("at"),
    _text("currency"),
    _int("amount"),
    _int("overrun"),
    _text("ledger"),
    _text("lines"),
    UniqueConstraint("attempt", "n"),
    Index(None, "project", "at"),
    Index(None, "job"),
)

ledger = _table(
    "ledger",
    _text("id", primary_key=True),
    _text("key", unique=True),
    _int("at"),
    _text("narration"),
    _text("sources"),
)

postings = _table(
    "postings",
    _text("ledger", ForeignKey("ledger.id"), primary_key=True),
    _int("n", primary_key=True, autoincrement=False),
    _text("account"),
    _text("currency"),
    _int("amount"),
)

# SQLite's stream is ordered by id alone, so its indexes leave the transaction out.
events = _table(
    "events",
    _int("id", Identity(always=True), primary_key=True),
    _int("xid", server_default=ThisTransaction()),
    _int("at"),
    _text("kind"),
    _text("project", nullable=True),
    _text("job", nullable=True),
    _text("attempt", nullable=True),
    _text("centre", nullable=True),
    _int("term"),
    _text("data"),
    Index("events_stream", "xid", "id").ddl_if(dialect="postgresql"),
    Index("events_project_stream", "project", "xid", "id").ddl_if(dialect="postgresql"),
    Index("events_job_stream", "job", "xid", "id").ddl_if(dialect="postgresql"),
    Index("events_by_project", "project", "id").ddl_if(dialect="sqlite"),
    Index("events_by_job", "job", "id").ddl_if(dialect="sqlite"),
)

answers = _table(
    "answers",
    _text("project", primary_key=True),
    _text("key", primary_key=True),
    _text("body_sha256"),
    _int("status"),
    _int("at"),
    _text("body"),
)

policies = _table(
    "policies",
    _text("id", primary_key=True),
    _int("valid_from"),
    _int("set_at"),
    _text("set_by"),
    _text("document"),
    Index(None, "valid_from", "id"),
)

datasets = _table(
    "datasets",
    _text("project", primary_key=True),
    _text("name", primary_key=True),
    _int("version", primary_key=True, autoincrement=False),
    _text("jurisdiction"),
    _text("uri"),
    _text("sha256", nullable=True),
    _int("bytes", nullable=True),
    _int("shared"),
    _int("made_at"),
    _text("made_by"),
    _text("job", nullable=True),
    _text("lineage"),
)

secrets = _table(
    "secrets",
    _text("project", primary_key=True),
    _text("name", primary_key=True),
    _text("sealed"),
    _text("key"),
    _int("set_at"),
    _text("set_by"),
)

members = _table("members", _text("name", primary_key=True), _text("kind"), _int("added_at"))

links = _table(
    "links",
    _text("source", primary_key=True),
    _text("target", primary_key=True),
    _text("samples"),
)
