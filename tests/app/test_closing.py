"""A month is closed once, its papers say exactly what was posted, and nothing is posted into it any more."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from baygrid.app import closing, ledger, paper_rates, papers, projects
from baygrid.app.access import Actor
from baygrid.app.allocations import Wanted, allot
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Invalid, NotFound, WrongState
from baygrid.app.projects import find_project
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.accounts import centre_account, income_account, receivable_account
from baygrid.core.pricing.allocations import Source
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.postings import Transaction, trade_postings
from baygrid.core.pricing.rates import RateKind
from baygrid.core.units import Money
from baygrid.ports.messages import Order
from baygrid.ports.papers import PaperKind
from baygrid.ports.store import Store, Tx
from baygrid.store import open_store
from tests.app.stage import OPERATOR, START, CountingIds, Site, Stage
from tests.app.test_vouchers import issued, pool

MONTH = Month.of(START)
NEXT = MONTH.next
ON_BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=ON_BOTH)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    here = f"sqlite:///{tmp_path}/a.db"
    store = open_store(here if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield Stage(store, funds="1000 CNY")
    store.close()


def ran(stage: Stage, site: Site, seconds: int = 3600, actor: Actor | None = None, **more: object) -> str:
    """A job that ran there for so long, on 8 cpus unless it says otherwise."""
    site.report()
    document = {"resources": {"cpus": 8, "memory": 1}, "time": "2h", "infra": site.name, **more}
    (job,) = stage.submit(document, actor=actor)
    stage.schedule()
    stage.pass_time(seconds * 1000)
    (order,) = [it for it in site.desired().orders if it.job == job]
    site.report(site.says(order, AttemptState.SUCCEEDED, seconds))
    return job


def month_passes(stage: Stage) -> None:
    stage.now = max(stage.now, Month.of(stage.now).end + closing.OVER_MS)


def close(stage: Stage, month: Month = MONTH, *, dry_run: bool = False) -> closing.Closed:
    return closing.close(stage.platform, OPERATOR, str(month), dry_run=dry_run)


def documents(closed: closing.Closed, kind: PaperKind) -> list[dict[str, Any]]:
    return [orjson.loads(row.document) for row in closed.papers if row.kind is kind]


def balances(stage: Stage) -> dict[str, int]:
    return {account: minor for (account, _), minor in ledger.balances(stage.platform, OPERATOR).items()}


def credit(stage: Stage, amount: str, project: str = "demo") -> None:
    def apply(tx: Tx) -> None:
        wanted = Wanted(Money.parse(amount), "until the invoice", Source.CREDIT)
        allot(stage.platform, tx, find_project(tx, project), wanted, "tok-operator", stage.now)

    stage.store.write(apply)


def set_rates(stage: Stage) -> None:
    paper_rates.set_rate(stage.platform, OPERATOR, RateKind.TAX, "VAT", "6%", str(MONTH), "a notice")
    paper_rates.set_rate(stage.platform, OPERATOR, RateKind.FEE, "fee", "0.03", str(MONTH), "the contract")
    day = MONTH.last_day.isoformat()
    paper_rates.add_exchange_rate(stage.platform, OPERATOR, "CNY", "HKD", "1.0870", day, "a bank")


def test_a_month_with_two_projects_two_centres_and_a_voucher(stage: Stage):
    site, other = stage.add_site("qianhai"), stage.add_site("nanshan", cpu_hour="3")
    set_rates(stage)
    pool(stage)
    issued(stage, project="demo")
    rival = stage.add_project("rival", funds="5 CNY")
    credit(stage, "100 CNY", "rival")
    ran(stage, site)
    ran(stage, site, actor=rival)
    ran(stage, other, 1800, actor=rival)
    month_passes(stage)
    closed = close(stage)
    mine, theirs = documents(closed, PaperKind.INVOICE)
    assert (mine["number"], mine["subtotal"], mine["supported"]) == (f"{MONTH}-0001", "3.20 CNY", "4.80 CNY")
    assert mine["settled"] == {"grant": "3.20 CNY", "payment": "0.00 CNY", "credit": "0.00 CNY"}
    assert (mine["tax"]["amount"], mine["total"], mine["due"]) == ("0.19 CNY", "3.39 CNY", "0.19 CNY")
    assert mine["also_in"]["total"] == "3.68 HKD"
    assert theirs["settled"] == {"grant": "5.00 CNY", "payment": "0.00 CNY", "credit": "15.00 CNY"}
    assert theirs["due"] == "16.20 CNY"
    south, north = documents(closed, PaperKind.SETTLEMENT)
    assert [(it["centre"], it["gross"], it["payable"]) for it in (south, north)] == [
        ("nanshan", "12.00 CNY", "11.64 CNY"),
        ("qianhai", "16.00 CNY", "15.52 CNY"),
    ]
    (claim,) = documents(closed, PaperKind.CLAIM)
    assert (claim["pool"], claim["payer"], claim["total"]) == ("region", "the bureau", "4.80 CNY")
    assert claim["shares"][0]["invoice"] == mine["number"]
    assert claim["reference"] == claim["vouchers"][0]["finding"]["reference"]
    assert closed.missing == ()
    after = balances(stage)
    assert after[receivable_account("rival")] == 1_620
    assert after[receivable_account("demo")] == 19
    assert after["Liabilities:Tax"] == -139
    assert after[centre_account("qianhai")] == -1_552
    assert after["Liabilities:Projects:Rival"] == 0, "what was used on credit is a debt now"
    assert sum(after.values()) == 0
    for row in closed.papers:
        assert hashlib.sha256(row.document.encode()).hexdigest() == row.sha256


def test_all_papers_add_up_to_the_ledger(stage: Stage):
    sites = [stage.add_site(f"centre-{n}", cpu_hour=price) for n, price in enumerate(("0.07", "1.13"))]
    for seconds in (1, 17, 3601):
        for site in sites:
            ran(stage, site, seconds)
    month_passes(stage)
    closed = close(stage)
    gross = [Money.parse(it["gross"]).minor for it in documents(closed, PaperKind.SETTLEMENT)]
    charged = stage.store.read(lambda tx: tx.money.all_charges(MONTH.start, MONTH.end))
    (invoice,) = documents(closed, PaperKind.INVOICE)
    assert sum(gross) == sum(row.total for row in charged)
    assert Money.parse(invoice["subtotal"]).minor == sum(row.amount for row in charged)
    assert [balances(stage)[income_account(f"centre-{n}")] for n in (0, 1)] == [-minor for minor in gross]
    assert invoice["tax"] is None
    assert [words.split(":")[0] for words in closed.missing] == [
        "no tax is configured",
        "no fee of the platform is configured",
        "no exchange rate of this month",
    ]


def test_a_closed_month_stays_as_it_is(stage: Stage):
    site = stage.add_site("qianhai")
    ran(stage, site)
    month_passes(stage)
    shown = close(stage, dry_run=True)
    assert shown.closed_at is None
    assert stage.store.read(lambda tx: tx.papers.closes()) == []
    closed = close(stage)
    assert [row.number for row in closed.papers] == [row.number for row in shown.papers]
    again = close(stage)
    assert (again.papers, again.closed_at) == (closed.papers, closed.closed_at)
    assert close(stage, dry_run=True).papers == closed.papers
    with pytest.raises(WrongState, match=f"{MONTH} is closed"):
        set_rates(stage)
    projects.grant(stage.platform, OPERATOR, "demo", Wanted(Money.parse("5 CNY"), "later"))
    assert close(stage).papers == closed.papers


def test_a_charge_that_comes_late_is_of_the_open_month(stage: Stage):
    """A server whose clock is slow charges in a month that another one has closed."""
    site = stage.add_site("qianhai")
    ran(stage, site, 600)
    (job,) = stage.submit({"resources": {"cpus": 8, "memory": 1}})
    stage.schedule()
    (order,) = site.desired().orders
    now = stage.now
    month_passes(stage)
    first = close(stage)
    stage.now = now + 600_000
    site.report(site.says(order, AttemptState.SUCCEEDED, 600))
    (late,) = stage.store.read(lambda tx: tx.money.charges_of([job]))
    assert late.at == MONTH.end
    stage.now = NEXT.end + closing.OVER_MS
    (before,) = documents(first, PaperKind.INVOICE)
    (after,) = documents(close(stage, NEXT), PaperKind.INVOICE)
    assert [it["job"] for it in after["charges"]] == [job]
    assert job not in {it["job"] for it in before["charges"]}
    posted = ledger.ledger(stage.platform, OPERATOR, None, 99)
    assert {it.at for it in posted if it.key.startswith(f"charge:{late.attempt}")} == {MONTH.end}


def test_months_are_closed_in_their_turn(stage: Stage):
    site = stage.add_site("qianhai")
    ran(stage, site)
    with pytest.raises(WrongState, match=r"is not over: it can be closed from 2027-02-01 00:05 \(UTC\+8\)"):
        close(stage)
    month_passes(stage)
    stage.now = NEXT.end + closing.OVER_MS
    with pytest.raises(WrongState, match=f"close {MONTH} first"):
        close(stage, NEXT)
    with pytest.raises(WrongState, match="nothing was posted in 2026-12"):
        close(stage, Month(2026, 12))
    with pytest.raises(Invalid, match="write for example 2026-11"):
        closing.close(stage.platform, OPERATOR, "January", dry_run=False)
    assert len(close(stage).papers) == 2
    assert close(stage, NEXT).papers == (), "nothing was used"
    with pytest.raises(Forbidden):
        closing.close(stage.platform, stage.team, str(MONTH), dry_run=True)


def test_an_allocation_is_drawn_by_one_invoice_after_the_other(stage: Stage):
    site = stage.add_site("qianhai")
    rival = stage.add_project("rival", funds="12 CNY")
    credit(stage, "50 CNY", "rival")
    ran(stage, site, actor=rival)
    month_passes(stage)
    (first,) = documents(close(stage), PaperKind.INVOICE)
    ran(stage, site, actor=rival)
    month_passes(stage)
    (second,) = documents(close(stage, NEXT), PaperKind.INVOICE)
    assert (first["settled"]["grant"], first["due"]) == ("8.00 CNY", "0.00 CNY")
    assert (second["settled"]["grant"], second["due"]) == ("4.00 CNY", "4.00 CNY")
    assert len(second["drawn"]) == 2


def test_what_was_bought_ahead_is_invoiced_and_settled(stage: Stage):
    stage.add_site("qianhai")

    def buys(tx: Tx) -> None:
        postings = trade_postings("demo", "qianhai", Money.parse("300 CNY"))
        tx.money.post([Transaction("txn-buys", "trade:t-1", stage.now, "reserved 8 units", postings)])
        assert tx.money.move("demo", charged=30_000)

    stage.store.write(buys)
    month_passes(stage)
    closed = close(stage)
    (invoice,) = documents(closed, PaperKind.INVOICE)
    (settlement,) = documents(closed, PaperKind.SETTLEMENT)
    told = {"what": "reserved 8 units", "at": START, "amount": "300.00 CNY", "key": "trade:t-1"}
    assert (invoice["others"], invoice["subtotal"]) == ([told], "300.00 CNY")
    assert (settlement["others"], settlement["gross"]) == ([{**told, "project": "demo"}], "300.00 CNY")
    assert balances(stage)[centre_account("qianhai")] == -30_000


def test_who_may_read_which_paper(stage: Stage):
    site, other = stage.add_site("qianhai"), stage.add_site("nanshan")
    rival = stage.add_project("rival")
    ran(stage, site)
    month_passes(stage)
    close(stage)
    number = f"{MONTH}-0001"

    def shown(actor: Actor, kind: PaperKind) -> papers.Shown:
        return papers.shown(stage.platform, actor, kind, number)

    def listed(actor: Actor, kind: PaperKind, subject: str | None = None) -> list[str]:
        rows = papers.listed(stage.platform, actor, kind, subject=subject, month=None, after="", limit=9)
        return [row.subject for row, _ in rows]

    assert shown(stage.team, PaperKind.INVOICE).document["project"] == "demo"
    assert shown(site.actor, PaperKind.SETTLEMENT).document["centre"] == "qianhai"
    assert listed(stage.team, PaperKind.INVOICE) == listed(OPERATOR, PaperKind.INVOICE) == ["demo"]
    assert listed(site.actor, PaperKind.SETTLEMENT) == ["qianhai"]
    assert listed(other.actor, PaperKind.SETTLEMENT) == listed(rival, PaperKind.INVOICE) == []
    for actor, kind in ((rival, PaperKind.INVOICE), (other.actor, PaperKind.SETTLEMENT)):
        with pytest.raises(NotFound):
            shown(actor, kind)
    with pytest.raises(NotFound):
        listed(rival, PaperKind.INVOICE, "demo")
    for actor, kind in (
        (site.actor, PaperKind.INVOICE),
        (stage.team, PaperKind.SETTLEMENT),
        (stage.team, PaperKind.CLAIM),
        (site.actor, PaperKind.CLAIM),
    ):
        with pytest.raises(Forbidden):
            shown(actor, kind)
        with pytest.raises(Forbidden):
            listed(actor, kind)


def test_large_amounts_and_one_fen_are_exact_to_the_end(stage: Stage):
    site = stage.add_site("qianhai", cpu_hour="20971521.26")
    projects.grant(stage.platform, OPERATOR, "demo", Wanted(Money.parse("999999999.99 CNY"), "much"))
    rival = stage.add_project("rival", funds="1000000000 CNY")
    ran(stage, site)
    ran(stage, site, 1, actor=rival, resources={"cpus": 1, "memory": 1})
    month_passes(stage)
    set_rates(stage)
    closed = close(stage)
    mine, theirs = documents(closed, PaperKind.INVOICE)
    assert mine["subtotal"] == "167772170.08 CNY"
    assert mine["tax"]["amount"] == "10066330.20 CNY"
    assert mine["total"] == "177838500.28 CNY"
    assert theirs["subtotal"] == "5825.42 CNY"
    (settled,) = documents(closed, PaperKind.SETTLEMENT)
    assert settled["gross"] == "167777995.50 CNY"
    rows = papers.listed(
        stage.platform, OPERATOR, PaperKind.INVOICE, subject="demo", month=None, after="", limit=9
    )
    assert [(row.total, due.due) for row, due in rows] == [(17_783_850_028, 1_006_633_020)]


def test_bean_check_accepts_the_ledger_after_a_close(stage: Stage, tmp_path: Path):
    site = stage.add_site("qianhai")
    set_rates(stage)
    pool(stage)
    issued(stage)
    rival = stage.add_project("rival", funds="1 CNY")
    credit(stage, "100 CNY", "rival")
    ran(stage, site)
    ran(stage, site, actor=rival)
    month_passes(stage)
    closed = close(stage)
    texts = {"region": ledger.beancount(stage.platform, OPERATOR)}
    for row in closed.papers:
        if row.kind is PaperKind.INVOICE:
            texts[row.number] = papers.beancount(stage.platform, OPERATOR, row.number)
    assert "Assets:Receivable:Rival" in texts[f"{MONTH}-0002"]
    assert "Liabilities:Centres:Qianhai" in texts["region"]
    for name, text in texts.items():
        file = tmp_path / f"{name}.beancount"
        file.write_text(text)
        check = [str(Path(sys.executable).parent / "bean-check"), "--no-cache", str(file)]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert f"{MONTH.last_day} * " in texts["region"]


CLIENTS = 8


@pytest.mark.parametrize("database", ON_BOTH)
def test_a_close_while_eight_clients_charge(database: str, request: pytest.FixtureRequest, tmp_path: Path):
    """Their clocks say the last second of the month, the closing server's says that it is over. Each charge
    is in one invoice and one settlement, and in no two months."""
    url = f"sqlite:///{tmp_path}/b.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    store, second = open_store(url), open_store(url)
    try:
        stage = Stage(store, funds="100000 CNY")
        sites = [stage.add_site(f"centre-{n}") for n in range(CLIENTS)]
        stage.now = MONTH.end - 3_600_000
        for site in sites:
            site.report()
        stage.submit(*[{"resources": {"cpus": 2, "memory": 1}}] * (CLIENTS * 4))
        stage.schedule()
        stage.now = MONTH.end - 1_000
        ends = [[(site, order) for order in site.desired().orders] for site in sites]
        assert sum(map(len, ends)) == CLIENTS * 4
        over = _elsewhere(stage, second, MONTH.end + closing.OVER_MS)
        gate = threading.Barrier(CLIENTS + 1)

        def end(mine: list[tuple[Site, Order]]) -> None:
            gate.wait(60)
            for site, order in mine:
                site.report(site.says(order, AttemptState.SUCCEEDED, 600))

        def shut() -> closing.Closed:
            gate.wait(60)
            return closing.close(over, OPERATOR, str(MONTH), dry_run=False)

        with ThreadPoolExecutor(CLIENTS + 1) as pool:
            charging = [pool.submit(end, mine) for mine in ends]
            first = pool.submit(shut).result(120)
            for done in charging:
                done.result(120)
        much_later = _elsewhere(stage, second, NEXT.end + closing.OVER_MS)
        later = closing.close(much_later, OPERATOR, str(NEXT), dry_run=False)
        rows = store.read(lambda tx: tx.money.all_charges(0, NEXT.end))
        expected = sorted((row.attempt, row.n) for row in rows)
        assert len(expected) == CLIENTS * 4
        for kind in (PaperKind.INVOICE, PaperKind.SETTLEMENT):
            told = [
                (charge["attempt"], charge["n"])
                for closed in (first, later)
                for document in documents(closed, kind)
                for charge in document["charges"]
            ]
            assert sorted(told) == expected
        assert sum(balances(stage).values()) == 0
    finally:
        store.close()
        second.close()


def _elsewhere(stage: Stage, store: Store, now: int) -> Platform:
    """Another server, whose clock is not ours."""
    return replace(stage.platform, store=store, clock=lambda: now, ids=CountingIds(f"{now}-"))
