"""A month of a simulated region: three organisations, two centres, two vouchers, a price that changes, and so
many jobs, drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from baygrid.app import offers, projects, vouchers
from baygrid.app.entitlement import Asked
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.units import Money
from baygrid.ports.messages import Order
from baygrid.ports.records import Kind
from tests.app.stage import HOUR, OPERATOR, Site, Stage

BEGIN: Final = 1_798_732_800_000
"""2027-01-01T00:00+08:00."""
DAYS: Final = 31
DAY: Final = 24 * HOUR
TEAMS: Final = (("start-up", Kind.COMPANY), ("university", Kind.UNIVERSITY), ("institute", Kind.INSTITUTE))
ENDS: Final = (AttemptState.SUCCEEDED,) * 9 + (AttemptState.FAILED,)


def found(stage: Stage) -> list[Site]:
    """The region on its first day."""
    stage.now = BEGIN
    sites = [
        stage.add_site("qianhai", cpu_hour="1.37", nodes=20),
        stage.add_site("hongkong", cpu_hour="1.4", nodes=20, jurisdiction="HK"),
    ]
    vouchers.add_pool(
        stage.platform, OPERATOR, name="region", payer="a sample bureau", rulebook="example",
        clause="compute-share", amount=Money.parse("2500 CNY"),
    )  # fmt: skip
    for name, kind in TEAMS:
        projects.add_organisation(stage.platform, OPERATOR, name, kind, name)
        stage.add_project(name, name, "100000 CNY")
    for name in ("start-up", "university"):
        facts = {
            "start_up": name == "start-up",
            "compute_contract": 4_000,
            "compute_contract_name": f"contract of the {name}",
        }
        vouchers.issue(stage.platform, OPERATOR, Asked(name, name, "region", facts))
    return sites


def live(stage: Stage, sites: list[Site], jobs: int, seed: int) -> None:
    """So many jobs, as many each day; the price of one centre changes in the middle of the month."""
    rng = Random(seed)
    for day in range(DAYS):
        stage.now = BEGIN + day * DAY
        if day == DAYS // 2:
            rates = offers.Rates(cpu_hour="1.93")
            offers.add_tariff(stage.platform, OPERATOR, "qianhai-main", stage.now + HOUR, rates)
        count = jobs * (day + 1) // DAYS - jobs * day // DAYS
        for name, documents in _asked(rng, count):
            stage.submit(*documents, actor=stage.member(name))
        _run(stage, sites, rng, count)
    stage.now = BEGIN + DAYS * DAY + HOUR


def _asked(rng: Random, count: int) -> Iterator[tuple[str, list[dict[str, object]]]]:
    documents: dict[str, list[dict[str, object]]] = {name: [] for name, _ in TEAMS}
    for _ in range(count):
        document: dict[str, object] = {"resources": {"cpus": rng.randint(1, 8), "memory": 1}, "time": "1h"}
        documents[rng.choice(list(documents))].append(document)
    return ((name, found) for name, found in documents.items() if found)


def _run(stage: Stage, sites: list[Site], rng: Random, count: int) -> None:
    """Until all jobs of the day have ended, within the hour in which each is placed."""
    told: set[str] = set()
    for _ in range(24):
        if len(told) == count:
            return
        for site in sites:
            site.report()  # else it would count as silent
        stage.schedule()
        stage.pass_time(HOUR)
        for site in sites:
            orders = [order for order in site.desired().orders if order.attempt not in told]
            if orders:
                site.report(*(site.says(order, rng.choice(ENDS), _seconds(rng, order)) for order in orders))
            told |= {order.attempt for order in orders}
    raise AssertionError(f"{count - len(told)} jobs did not end on their day")


def _seconds(rng: Random, order: Order) -> int:
    return rng.randint(1, 3_600)
