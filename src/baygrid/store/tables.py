"""All tables, once, for both databases; those of money are in `money_tables`, `account_tables` and
`paper_tables`, those of the data service in `data_tables` and `contract_tables`, those of the registry in
`registry_tables`, those of users in `user_tables`, those of notices in `notice_tables`. The migrations
must end where these files are (a test compares them)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text

from baygrid.store import account_tables as account_tables  # they are in the metadata, too
from baygrid.store import contract_tables as contract_tables
from baygrid.store import data_tables as data_tables
from baygrid.store import money_tables as money_tables
from baygrid.store import notice_tables as notice_tables
from baygrid.store import paper_tables as paper_tables
from baygrid.store import registry_tables as registry_tables
from baygrid.store import user_tables as user_tables
from baygrid.store.columns import ThisTransaction, integer, partial_index, string, table
from baygrid.store.columns import metadata as metadata

organisations = table("organisations", string("name", primary_key=True), string("kind"), string("title"))

# `before`: what was charged before `month` began (milliseconds). `budget`, if any, is for a month; `hard` 1:
# never passed. `alerted`: the last percentage of `alerts` that was told of this month.
projects = table(
    "projects",
    string("name", primary_key=True),
    string("organisation", ForeignKey("organisations.name")),
    string("currency"),
    integer("granted"),
    integer("held"),
    integer("charged"),
    integer("month", server_default=text("0")),
    integer("before", server_default=text("0")),
    integer("hard", server_default=text("0")),
    integer("alerted", server_default=text("0")),
    integer("budget", nullable=True),
    string("alerts", server_default=text("'[]'")),
    CheckConstraint("held >= 0", name="held"),
    CheckConstraint("granted - held - charged >= 0", name="free"),
    partial_index("projects_with_budget", "budget IS NOT NULL", "name"),
)

tokens = table(
    "tokens",
    string("id", primary_key=True),
    string("sha256", unique=True),
    string("role"),
    string("label"),
    string("project", nullable=True),
    string("centre", nullable=True),
    integer("created_at"),
    integer("revoked_at", nullable=True),
    integer("expires_at", nullable=True),
    string("used_by", nullable=True),
    integer("with_offers", server_default=text("0")),
    integer("fresh", server_default=text("0")),
    string("scopes", server_default=text("'read use'")),
    string("user", nullable=True),
    string("made_by", server_default=text("''")),
)

centres = table(
    "centres",
    string("name", primary_key=True),
    string("jurisdiction"),
    string("driver"),
    string("state"),
    string("public_key"),
    integer("incarnation"),
    integer("seq"),
    integer("gen"),
    integer("seen_at", nullable=True),
    integer("renewing", server_default=text("0")),
    string("refused", server_default=text("'{}'")),
)

# Apart from `centres`, because a heartbeat rewrites that row and this one may be large.
inventories = table(
    "inventories",
    string("centre", ForeignKey("centres.name"), primary_key=True),
    string("digest"),
    string("partitions"),
    string("version", server_default=text("''")),
    string("capabilities", nullable=True),
)

# What a centre's own scheduler was asked last, and what it said: how long jobs would wait there.
estimates = table(
    "estimates",
    string("centre", ForeignKey("centres.name"), primary_key=True),
    string("asked"),
    integer("asked_at"),
    string("told"),
    integer("told_at"),
)

offers = table(
    "offers",
    string("id", primary_key=True),
    string("centre", ForeignKey("centres.name")),
    string("partition"),
    string("accelerator", nullable=True),
    string("currency"),
)

# Rates are exact fractions: '1/4'. `terms`: as by `core.terms`, NULL where there is nothing but rates.
tariffs = table(
    "tariffs",
    string("offer", ForeignKey("offers.id"), primary_key=True),
    integer("valid_from", primary_key=True, autoincrement=False),
    string("currency"),
    string("accelerator_hour"),
    string("cpu_hour"),
    string("gib_hour"),
    string("terms", nullable=True),
)

# Tables of one row: the primary key can only be 1.
region = table(
    "region",
    integer("one", primary_key=True, autoincrement=False),
    integer("version"),
    CheckConstraint("one = 1", name="one"),
)

leader = table(
    "leader",
    integer("one", primary_key=True, autoincrement=False),
    integer("term"),
    string("holder"),
    integer("until"),
    CheckConstraint("one = 1", name="one"),
)

jobs = table(
    "jobs",
    string("id", primary_key=True),
    string("project"),
    string("name"),
    string("state"),
    integer("submitted_at"),
    string("submitted_by"),
    string("currency"),
    integer("hold"),
    integer("version"),
    integer("ended_at", nullable=True),
    string("cause", nullable=True),
    string("detail"),
    integer("exit_code", nullable=True),
    string("spec"),
    # What came with migration 0002 stands last, as SQLite adds columns.
    integer("asked", server_default=text("0")),
    integer("attempts", server_default=text("0")),
    integer("retries", server_default=text("0")),
    string("checkpoint", nullable=True),
    string("array", nullable=True),
    integer("index", nullable=True),
    string("waits_for", server_default=text("'[]'")),
    integer("input_bytes", server_default=text("0")),
    string("waited_at", server_default=text("''")),
    integer("not_before", nullable=True),
    string("bars", nullable=True),
    Index(None, "state", "id"),
    Index(None, "project", "id"),
    Index(None, "project", "state", "id"),
    partial_index("jobs_of_array", '"array" IS NOT NULL', "array", "id"),
    partial_index("jobs_of_array_by_state", '"array" IS NOT NULL', "array", "state", "cause", "id"),
    partial_index(
        "jobs_short_of_money",
        "state = 'HELD' AND cause = 'money'",
        "project",
        "state",
        "cause",
        "id",
        "asked",
    ),
    partial_index("jobs_with_data", "bars IS NOT NULL", "state", "id"),
    partial_index("jobs_backing_off", "state = 'HELD' AND cause = 'back-off'", "not_before", "id"),
)

arrays = table(
    "arrays",
    string("id", primary_key=True),
    string("project"),
    string("name"),
    integer("size"),
    integer("parallel"),
    integer("left"),
    integer("submitted_at"),
    string("submitted_by"),
    integer("failed"),
    integer("version"),
    string("waits_for"),
    Index(None, "project", "id"),
)

# `waiter` (a job or an array) waits for `on` (a job or an array). Never removed.
waits = table(
    "waits",
    string("on", primary_key=True),
    string("waiter", primary_key=True),
)

# `live` 1: not final, or `want` is not 'nothing'. A column, so that small partial indexes can name it.
BROKEN = "(state = 'LOST' OR cause = 'interrupted')"
"""Attempts that their centres took with them: few, and looked for in every bill."""

attempts = table(
    "attempts",
    string("id", primary_key=True),
    string("job"),
    string("project"),
    integer("n"),
    string("token"),
    string("centre"),
    string("partition"),
    string("offer"),
    integer("cpus"),
    integer("memory_mib"),
    string("accelerator", nullable=True),
    integer("accelerators"),
    integer("grace_s"),
    integer("placed_at"),
    string("state"),
    string("want"),
    integer("gen"),
    integer("version"),
    string("stop_reason"),
    string("raw"),
    integer("started_at", nullable=True),
    integer("ended_at", nullable=True),
    integer("exit_code", nullable=True),
    string("cause", nullable=True),
    string("detail"),
    integer("log_size"),
    integer("log_end", nullable=True),
    integer("live"),
    string("nodes"),
    string("outputs"),
    string("reasons"),
    integer("accelerator_share", server_default=text("1000")),
    string("accelerator_slots", server_default=text("'[]'")),
    integer("count", server_default=text("1")),
    integer("staged_bytes", server_default=text("0")),
    integer("staging_bytes", nullable=True),
    integer("expected_at", nullable=True),
    string("covers", server_default=text("'[]'")),
    UniqueConstraint("job", "n"),
    Index(None, "centre", "id"),
    partial_index("attempts_live", "live = 1", "id"),
    partial_index("attempts_wanted", "want <> 'nothing'", "centre", "gen", "id"),
    partial_index("attempts_broken", BROKEN, "project", "ended_at", "id"),
)

log_chunks = table(
    "log_chunks",
    string("attempt", ForeignKey("attempts.id"), primary_key=True),
    integer("start", primary_key=True, autoincrement=False),
    integer("size"),
)

# What centres were measured to do: signed. `accelerator` '': a partition without.
ratings = table(
    "ratings",
    string("centre", primary_key=True),
    string("partition", primary_key=True),
    string("accelerator", primary_key=True),
    string("profile", primary_key=True),
    integer("measured_at", primary_key=True, autoincrement=False),
    integer("stored_at"),
    string("public_key"),
    string("signature"),
    string("document"),
)

# What operators publish of a centre, unmeasured.
plans = table(
    "plans",
    string("centre", primary_key=True),
    integer("set_at", primary_key=True, autoincrement=False),
    string("set_by"),
    string("document"),
)

# SQLite's stream is ordered by id alone, so its indexes leave the transaction out.
events = table(
    "events",
    integer("id", Identity(always=True), primary_key=True),
    integer("xid", server_default=ThisTransaction()),
    integer("at"),
    string("kind"),
    string("project", nullable=True),
    string("job", nullable=True),
    string("attempt", nullable=True),
    string("centre", nullable=True),
    integer("term"),
    string("data"),
    Index("events_stream", "xid", "id").ddl_if(dialect="postgresql"),
    Index("events_project_stream", "project", "xid", "id").ddl_if(dialect="postgresql"),
    Index("events_job_stream", "job", "xid", "id").ddl_if(dialect="postgresql"),
    Index("events_by_project", "project", "id").ddl_if(dialect="sqlite"),
    Index("events_by_job", "job", "id").ddl_if(dialect="sqlite"),
)

answers = table(
    "answers",
    string("project", primary_key=True),
    string("key", primary_key=True),
    string("body_sha256"),
    integer("status"),
    integer("at"),
    string("body"),
)

policies = table(
    "policies",
    string("id", primary_key=True),
    integer("valid_from"),
    integer("set_at"),
    string("set_by"),
    string("document"),
    Index(None, "valid_from", "id"),
)

datasets = table(
    "datasets",
    string("project", primary_key=True),
    string("name", primary_key=True),
    integer("version", primary_key=True, autoincrement=False),
    string("jurisdiction"),
    string("uri"),
    string("sha256", nullable=True),
    integer("bytes", nullable=True),
    integer("shared"),
    integer("made_at"),
    string("made_by"),
    string("job", nullable=True),
    string("lineage"),
    string("content", nullable=True),
)

secrets = table(
    "secrets",
    string("project", primary_key=True),
    string("name", primary_key=True),
    string("sealed"),
    string("key"),
    integer("set_at"),
    string("set_by"),
)

members = table("members", string("name", primary_key=True), string("kind"), integer("added_at"))

links = table(
    "links",
    string("source", primary_key=True),
    string("target", primary_key=True),
    string("samples"),
)
