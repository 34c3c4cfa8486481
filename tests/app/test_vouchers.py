"""Vouchers from the clause that entitles to them to the bill that they pay a share of."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from baygrid.app import bill, explain, jobs, ledger, projects, vouchers
from baygrid.app.access import Actor
from baygrid.app.entitlement import Asked
from baygrid.app.problems import Invalid, NotFound, Problem, WrongState
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.accounts import support_account
from baygrid.core.units import Money
from baygrid.ports.messages import Order
from baygrid.ports.support import VoucherRow
from baygrid.store import open_store
from tests.app.stage import OPERATOR, Site, Stage

FACTS = {"start_up": True, "compute_contract": "1000", "compute_contract_name": "contract 1"}
LAPSED = 4_102_416_000_000  # 2100-01-01T00:00+08:00


def cny(text: str) -> Money:
    return Money.parse(f"{text} CNY")


def pool(stage: Stage, amount: str = "1000", name: str = "region") -> None:
    vouchers.add_pool(
        stage.platform, OPERATOR, name=name, payer="the bureau", rulebook="example", clause="compute-share",
        amount=cny(amount),
    )  # fmt: skip


def issued(
    stage: Stage, contract: str = "contract 1", facts: Mapping[str, object] | None = None, **more: Any
) -> VoucherRow:
    given = {"organisation": "acme", "project": None, "pool": "region", **more}
    facts = {**FACTS, "compute_contract_name": contract, **(facts or {})}
    return vouchers.issue(stage.platform, OPERATOR, Asked(facts=facts, **given))


def ran(stage: Stage, site: Site, seconds: int = 3600, actor: Actor | None = None, **document: object) -> str:
    """A job that ran for so long; 8 cpus at 1 CNY an hour each."""
    (job,) = stage.submit({"resources": {"cpus": 8, "memory": 1}, "time": "2h", **document}, actor=actor)
    stage.schedule()
    stage.pass_time(seconds * 1000)
    (order,) = [it for it in site.desired().orders if it.job == job]
    site.report(site.says(order, AttemptState.SUCCEEDED, seconds))
    return job


def left(stage: Stage, name: str = "region") -> int:
    return next(row.left for row in vouchers.pools(stage.platform, OPERATOR) if row.name == name)


def test_a_start_up_pays_forty_percent(stage: Stage, site: Site):
    pool(stage)
    row = issued(stage)
    assert (str(row.voucher.terms.rate), row.voucher.terms.cap) == ("3/5", cny("600.00"))
    job = ran(stage, site)
    view = jobs.job(stage.platform, stage.team, job)
    assert (view.charged, view.supported, view.overrun) == (320, 480, 0)
    paid = bill.of_job(stage.platform, stage.team, job, recompute=True)
    assert (paid.total, paid.differences) == (320, ())
    assert [(it.share["voucher"], it.share["paid"]) for it in paid.shares] == [(row.voucher.id, 480)]
    owed = {
        it.account: it.money.minor for it in ledger.ledger(stage.platform, OPERATOR, None, 10)[-1].postings
    }
    assert owed[support_account("region")] == 480
    assert sum(owed.values()) == 0
    assert projects.project(stage.platform, stage.team, "demo").charged == 320
    assert left(stage) == 100_000 - 480


def test_the_offer_table_tells_the_share_before(stage: Stage, site: Site):
    document = {"name": "a", "run": "true", "time": "1h", "resources": {"cpus": 8, "memory": 1}}
    assert [row.voucher for row in explain.of_document(stage.platform, stage.team, document).rows] == [None]
    pool(stage)
    issued(stage, cap=cny("1.00"))
    rows = explain.of_document(stage.platform, stage.team, document).rows
    assert [(row.cost, row.voucher) for row in rows] == [(cny("8.00"), cny("1.00"))]
    refused = {**document, "budget": {"voucher": "none"}}
    assert [row.voucher for row in explain.of_document(stage.platform, stage.team, refused).rows] == [None]


def test_a_job_may_do_without_or_name_one(stage: Stage, site: Site):
    pool(stage)
    first, second = issued(stage), issued(stage, "contract 2", until=date(2028, 1, 1))
    job = ran(stage, site, budget={"voucher": "none"})
    assert jobs.job(stage.platform, stage.team, job).supported == 0
    job = ran(stage, site)
    (share,) = bill.of_job(stage.platform, stage.team, job).shares
    assert share.share["voucher"] == second.voucher.id, "what lapses first is used first"
    job = ran(stage, site, budget={"voucher": first.voucher.id})
    (share,) = bill.of_job(stage.platform, stage.team, job).shares
    assert share.share["voucher"] == first.voucher.id


def test_a_voucher_that_is_not_there_is_refused(stage: Stage, site: Site):
    with pytest.raises(Invalid, match=r"budget\.voucher: there is no voucher 'vch-x'"):
        stage.submit({"budget": {"voucher": "vch-x"}})


def test_another_project_or_organisation_has_nothing_of_it(stage: Stage, site: Site):
    pool(stage)
    other = stage.add_project("other")
    issued(stage, project="demo")
    assert jobs.job(stage.platform, other, ran(stage, site, actor=other)).supported == 0
    assert vouchers.vouchers(stage.platform, other, None) == []
    assert len(vouchers.vouchers(stage.platform, stage.team, None)) == 1


def test_caps_contracts_and_pools_end_it_to_the_fen(stage: Stage, site: Site):
    pool(stage, "4.81")
    issued(stage)
    first, second = ran(stage, site), ran(stage, site)
    assert [jobs.job(stage.platform, stage.team, it).supported for it in (first, second)] == [480, 1]
    assert left(stage) == 0
    vouchers.change_pool(stage.platform, OPERATOR, "region", cny("2.00"))
    assert jobs.job(stage.platform, stage.team, ran(stage, site)).supported == 200
    assert bill.bill(stage.platform, stage.team, "demo", 0, stage.now + 1, recompute=True).differences == ()


def test_a_revoked_voucher_pays_nothing_more(stage: Stage, site: Site):
    pool(stage)
    row = issued(stage)
    vouchers.revoke(stage.platform, OPERATOR, row.voucher.id)
    assert jobs.job(stage.platform, stage.team, ran(stage, site)).supported == 0
    with pytest.raises(WrongState, match="revoked before"):
        vouchers.revoke(stage.platform, OPERATOR, row.voucher.id)
    again = issued(stage)
    assert again.voucher.terms.cap == cny("600.00"), "what the first did not pay was not had"


def test_what_is_told_after_a_voucher_was_revoked_is_not_paid_by_it(stage: Stage, site: Site):
    """Else it and the one that is issued instead would pay more than the clause allows."""
    pool(stage)
    first = issued(stage, facts={"compute_contract": "10"})
    stage.submit({"resources": {"cpus": 8, "memory": 1}, "time": "2h"})
    stage.schedule()
    stage.pass_time(3_600_000)
    (order,) = site.desired().orders
    told = site.says(order, AttemptState.SUCCEEDED, 3600)
    vouchers.revoke(stage.platform, OPERATOR, first.voucher.id)
    again = issued(stage, facts={"compute_contract": "10"}, until=date(2030, 1, 1))
    stage.pass_time(1_000)
    site.report(told)
    given = {
        row.voucher.id: row.voucher.drawn.paid for row in vouchers.vouchers(stage.platform, OPERATOR, None)
    }
    assert given[first.voucher.id] == 0
    assert sum(given.values()) <= again.voucher.terms.cap.minor == 600


def test_what_lapsed_counts_with_its_cap(stage: Stage):
    """A report may still come of what was used in its time."""
    pool(stage, "200000")
    issued(stage, facts={"compute_contract": "100000"}, until=date(2027, 1, 31))
    stage.pass_time(40 * 86_400_000)
    assert issued(stage, "contract 2", facts={"compute_contract": "100000"}).voucher.terms.cap == cny(
        "40000.00"
    )


def test_a_charge_stays_right_after_its_voucher_was_revoked(stage: Stage, site: Site):
    """Also where the centre's clock is ahead of ours."""
    pool(stage)
    row = issued(stage)
    (job,) = stage.submit({"resources": {"cpus": 8, "memory": 1}, "time": "2h"})
    stage.schedule()
    stage.pass_time(60_000)
    (order,) = site.desired().orders
    ahead = replace(site.says(order, AttemptState.SUCCEEDED), ended_at=stage.now + 5_000)
    site.report(replace(ahead, usage=(site.usage(order, stage.now - 60_000, stage.now + 5_000),)))
    vouchers.revoke(stage.platform, OPERATOR, row.voucher.id)
    found = bill.of_job(stage.platform, stage.team, job, recompute=True)
    assert (len(found.shares), found.differences) == (1, ())


def test_what_was_given_before_counts(stage: Stage):
    pool(stage, "200000")
    assert issued(stage, facts={"compute_contract": "100000"}).voucher.terms.cap == cny("60000.00")
    again = issued(stage, "contract 2", facts={"compute_contract": "100000"})
    assert again.voucher.terms.cap == cny("40000.00"), "100,000 a year for an applicant"
    with pytest.raises(Invalid, match="comes to nothing"):
        issued(stage, "contract 3", facts={"compute_contract": "100000"})
    for name in ("contract 1", "Contract 1", " contract  1 ", "ｃｏｎｔｒａｃｔ 1"):
        with pytest.raises(Invalid, match="same cost"):
            issued(stage, name)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"facts": {"compute_contract_name": None}}, "compute_contract_name: must be there: Which contract"),
        ({"facts": {"start_up": None}}, "start_up: Is the applicant a start-up"),
        ({"facts": {"start_up": "yes"}}, "facts.start_up: must be true or false"),
        ({"facts": {"nothing": 1}}, "facts.nothing: no clause of this rulebook asks for it"),
        ({"cap": cny("600.01")}, "must not be above 600.00 CNY"),
        ({"cap": cny("0.00")}, "more than nothing"),
        ({"cap": Money.parse("1 HKD")}, "an amount of CNY"),
        ({"organisation": "nobody"}, "no organisation 'nobody'"),
        ({"project": "absent"}, "no project 'absent'"),
        ({"pool": "absent"}, "no pool 'absent'"),
        ({"until": date(2026, 1, 1)}, "must be a day from"),
        ({"until": date(2100, 1, 1)}, "must be a day from"),
    ],
)
def test_what_is_not_so_gives_no_voucher(stage: Stage, change: dict[str, Any], says: str):
    pool(stage)
    with pytest.raises(Problem, match=says):
        issued(stage, **change)
    assert vouchers.vouchers(stage.platform, OPERATOR, None) == []


def test_after_the_last_day_the_answer_is_lapsed(stage: Stage):
    pool(stage)
    stage.now = LAPSED - 1
    assert issued(stage).voucher.terms.valid_until == LAPSED
    stage.now = LAPSED
    with pytest.raises(Invalid, match="lapsed"):
        issued(stage, "contract 2")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rulebook": "absent"}, "no rulebook 'absent'"),
        ({"clause": "absent"}, "no clause 'absent'"),
        ({"rulebook": "qianhai-v2", "clause": "office-rent"}, "not loaded|no clause"),
        ({"clause": "business-cases"}, "pays no share of a cost"),
        ({"amount": Money.parse("1 HKD")}, "is in CNY, not HKD"),
        ({"amount": cny("-1.00")}, "less than nothing"),
    ],
)
def test_what_no_pool_can_be_of(stage: Stage, change: dict[str, Any], says: str):
    given = {
        "name": "p", "payer": "b", "rulebook": "example", "clause": "compute-share", "amount": cny("1.00"),
    }  # fmt: skip
    with pytest.raises(Invalid, match=says):
        vouchers.add_pool(stage.platform, OPERATOR, **{**given, **change})
    assert vouchers.pools(stage.platform, OPERATOR) == []


def test_a_pool_gives_back_only_what_is_left(stage: Stage, site: Site):
    pool(stage, "10")
    issued(stage)
    ran(stage, site)
    with pytest.raises(WrongState, match=r"only 5\.20 CNY is left"):
        vouchers.change_pool(stage.platform, OPERATOR, "region", cny("-5.21"))
    vouchers.change_pool(stage.platform, OPERATOR, "region", cny("-5.20"))
    assert left(stage) == 0
    with pytest.raises(NotFound):
        vouchers.change_pool(stage.platform, OPERATOR, "absent", cny("1.00"))


CLIENTS = 16


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_vouchers_issued_at_once_out_of_several_pools_stay_under_one_ceiling(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
):
    url = f"sqlite:///{tmp_path}/pool.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    store = open_store(url)
    try:
        stage = Stage(store)
        for n in range(4):
            pool(stage, "1000000", name=f"pool-{n}")
        gate = threading.Barrier(8)

        def ask(n: int) -> int:
            gate.wait(60)
            try:
                row = issued(stage, f"contract {n}", {"compute_contract": "100000"}, pool=f"pool-{n % 4}")
            except Invalid:
                return 0
            return row.voucher.terms.cap.minor

        with ThreadPoolExecutor(8) as clients:
            given = sorted(clients.map(ask, range(8)))
        assert given == [0] * 6 + [4_000_000, 6_000_000], "100,000 a year for an applicant"
    finally:
        store.close()


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_sixteen_at_once_spend_the_last_of_one_pool(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
):
    """Each from its own centre and project, twice: 32 shares of 4.80 CNY are more than there is."""
    url = f"sqlite:///{tmp_path}/pool.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    store = open_store(url)
    try:
        stage = Stage(store, funds="100000 CNY")
        pool(stage, "100.01")
        issued(stage)
        sites = [stage.add_site(f"centre-{n}") for n in range(CLIENTS)]
        gate = threading.Barrier(CLIENTS)

        def end(site: Site, order: Order) -> None:
            gate.wait(60)
            site.report(site.says(order, AttemptState.SUCCEEDED, 3600))

        for _ in range(2):
            stage.submit(*[{"resources": {"cpus": 8, "memory": 1}, "time": "2h"}] * CLIENTS)
            stage.schedule()
            stage.pass_time(3_600_000)
            orders = [(site, order) for site in sites for order in site.desired().orders]
            assert len(orders) == CLIENTS
            with ThreadPoolExecutor(CLIENTS) as clients:
                for done in [clients.submit(end, site, order) for site, order in orders]:
                    done.result(120)
        found = bill.bill(stage.platform, stage.team, "demo", 0, stage.now + 1, recompute=True)
        paid = [it.share["paid"] for it in found.shares]
        assert left(stage) == 0
        assert sum(paid) == 10_001
        assert sorted(paid) == [401, *[480] * 20]
        assert found.differences == ()
        assert found.total == CLIENTS * 2 * 800 - 10_001
        (row,) = vouchers.vouchers(stage.platform, OPERATOR, None)
        assert row.voucher.drawn.paid == 10_001
    finally:
        store.close()
