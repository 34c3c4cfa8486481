"""What money costs: charges posted a second, and a rulebook over 100,000 companies.

Charges: reports of a centre that each tell the end of many attempts are taken in, with their signed usage,
split with a voucher, posted to the ledger and durable before the answer. Beside it the least that a
database must do: the same rows of usage, charges, ledger and postings by one plain statement each, in
transactions as large, with nothing checked, nothing priced and no job ended. And beancount, a double-entry
bookkeeper, reading in the same ledger.

The rulebook: Shenzhen's clauses, vectorised and exact, beside one company after the other (the same clauses),
and beside a formula of one clause in float32, as rule engines compute: what its sum is off by.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from beancount import loader

from baygrid.app import vouchers
from baygrid.app.entitlement import Asked
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.law.clauses import Applicant, find
from baygrid.core.pricing.beancount import render
from baygrid.core.units import Money
from baygrid.rulebooks.measures.book import rulebook
from baygrid.rulebooks.measures.lanes import Column
from baygrid.rulebooks.measures.simulation import simulate
from baygrid.store import open_store
from tests import services
from tests.app.stage import OPERATOR, Site, Stage

JOBS, AT_ONCE = 2_000, 50
COMPANIES, ONE_BY_ONE = 100_000, 2_000
DAY = date(2026, 11, 23)
KEPT = ("usage", "charges", "ledger", "postings")
KEYS = ("attempt", "id", "key", "ledger")


def measure(postgres: bool = True) -> dict[str, Any]:
    """Charges a second; companies a CPU-second."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="baygrid-bench-") as folder:
        file = Path(folder) / "region.db"
        figures["sqlite"] = _charges(f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA synchronous = FULL")
            figures["sqlite"]["plain_rows_per_s"] = round(_plain(database, "?"))
    if postgres:
        with services.postgres(durable=True) as server:
            name = server.create()
            figures["postgresql"] = _charges(server.url(name))
            with psycopg.connect(server.url(name, driver="postgresql")) as connection:
                figures["postgresql"]["plain_rows_per_s"] = round(_plain(connection, "%s"))
    figures["measures"] = _measures()
    return figures


def _charges(url: str) -> dict[str, Any]:
    store = open_store(url)
    stage = Stage(store, funds="100000000 CNY")
    site = stage.add_site("centre", nodes=JOBS)
    bare = _post(stage, site)
    vouchers.add_pool(
        stage.platform, OPERATOR, name="region", payer="bureau", rulebook="example", clause="compute-share",
        amount=Money.parse("10000000 CNY"),
    )  # fmt: skip
    facts = {"start_up": True, "compute_contract": 150_000, "compute_contract_name": "contract 1"}
    vouchers.issue(stage.platform, OPERATOR, Asked("acme", None, "region", facts))
    supported = _post(stage, site)
    text = render(store.read(lambda tx: tx.money.transactions(None, 10 * JOBS)))
    store.close()
    began = time.perf_counter()
    entries, errors, _ = loader.load_string(text)
    booked = time.perf_counter() - began
    if errors:
        raise RuntimeError(f"beancount refuses the ledger: {errors[0]}")
    return {
        "charges_per_s": round(bare),
        "with_voucher_per_s": round(supported),
        "beancount_reads_per_s": round(len(entries) / booked),
    }


def _post(stage: Stage, site: Site) -> float:
    """Charges a second: all jobs run, then their ends are told."""
    document = {"resources": {"cpus": 8, "memory": 1}, "time": "2h"}
    for _ in range(JOBS // 500):
        stage.submit(*[document] * 500)
    while len(orders := site.desired().orders) < JOBS:
        stage.schedule()
    stage.pass_time(3_600_000)
    reports = [
        [site.says(order, AttemptState.SUCCEEDED, 3600) for order in orders[start : start + AT_ONCE]]
        for start in range(0, JOBS, AT_ONCE)
    ]
    began = time.perf_counter()
    for one in reports:
        site.report(*one)
    return JOBS / (time.perf_counter() - began)


def _plain(connection: Any, mark: str) -> float:
    """Charges a second, by the rows that ours left, written again under other keys."""
    tables = {table: _rows(connection, table) for table in KEPT}
    usage = {(row["attempt"], row["n"]): row for row in tables["usage"]}
    ledger = {row["id"]: row for row in tables["ledger"]}
    postings: dict[str, list[dict[str, Any]]] = {}
    for row in tables["postings"]:
        postings.setdefault(row["ledger"], []).append(row)
    charges = tables["charges"][:JOBS]
    began = time.perf_counter()
    for start in range(0, JOBS, AT_ONCE):
        part = charges[start : start + AT_ONCE]
        _write(connection, "usage", mark, [usage[row["attempt"], row["n"]] for row in part])
        _write(connection, "charges", mark, part)
        _write(connection, "ledger", mark, [ledger[row["ledger"]] for row in part])
        _write(connection, "postings", mark, [row for one in part for row in postings[one["ledger"]]])
        connection.commit()
    return JOBS / (time.perf_counter() - began)


def _rows(connection: Any, table: str) -> list[dict[str, Any]]:
    cursor = connection.cursor()
    cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _write(connection: Any, table: str, mark: str, rows: list[dict[str, Any]]) -> None:
    names = [name for name in rows[0] if name != "number"]
    marks = ", ".join([mark] * len(names))
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our own names
    connection.cursor().executemany(
        statement, [[f"{row[n]}-again" if n in KEYS else row[n] for n in names] for row in rows]
    )


def _measures() -> dict[str, Any]:
    book = rulebook("shenzhen-2024")
    columns = _companies(random.Random(1))
    began = time.process_time()
    costs = simulate(book, columns, COMPANIES, DAY)
    whole = time.process_time() - began
    began = time.process_time()
    for number in range(ONE_BY_ONE):
        facts = {name: column[number] for name, column in columns.items()}
        for clause in book.clauses:
            find(clause, Applicant(facts), book.parameters, DAY)
    one_by_one = (time.process_time() - began) * COMPANIES / ONE_BY_ONE
    exact = next(cost.ceilings for cost in costs if cost.clause == "compute-voucher")
    return {
        "companies": COMPANIES,
        "clauses": len(book.clauses),
        "cpu_s": round(whole, 2),
        "one_by_one_cpu_s": round(one_by_one, 1),
        "sum_cny": f"{exact:.2f}",
        "float32_is_off_by_cny": f"{abs(Decimal(float(_in_float32(columns))) - exact):.2f}",
    }


def _companies(rng: random.Random) -> dict[str, Column]:
    """Every company with all that the clauses ask."""
    amounts = {
        name: [Decimal(rng.randrange(1, most * 100)) / 100 for _ in range(COMPANIES)]
        for name, most in (
            ("compute_contract", 40_000_000),
            ("corpus_contract", 8_000_000),
            ("model_cost", 8_000_000),
            ("demonstration_investment", 40_000_000),
        )
    }
    yes_no = (
        "start_up", "compute_for_training", "corpus_through_exchange", "corpus_seller_affiliated",
        "corpus_for_models", "model_filed", "claimed_by_buyer", "demonstration_benchmark",
    )  # fmt: skip
    facts: dict[str, list[Any]] = {
        **amounts,
        **{name: [rng.random() < 0.5 for _ in range(COMPANIES)] for name in yes_no},
        "applicant_kind": [rng.choice(("company", "university", "other")) for _ in range(COMPANIES)],
        "corpus_sources_opened": [Decimal(rng.randrange(3)) for _ in range(COMPANIES)],
    }
    found = {}
    for name, values in facts.items():
        found[name] = np.empty(COMPANIES, dtype=object)
        found[name][:] = values
    return found


def _in_float32(columns: dict[str, Column]) -> np.float32:
    """The compute voucher of all companies."""
    contract = columns["compute_contract"].astype(np.float32)
    rate = np.where(columns["start_up"].astype(bool), np.float32(0.6), np.float32(0.5))
    eligible = columns["compute_for_training"].astype(bool) & (columns["applicant_kind"] != "other")
    ceiling = np.minimum(contract * rate, np.float32(10_000_000))
    total: np.float32 = np.where(eligible, ceiling, np.float32(0)).sum(dtype=np.float32)
    return total
