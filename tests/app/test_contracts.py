"""Jobs on what was bought ahead: what they take and pay, what is recomputed, and who yields to whom."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from baygrid.app import bill, bundles, explain, jobs, listings, offers, policies, projects, trading
from baygrid.app.access import Actor
from baygrid.app.listings import New
from baygrid.app.problems import Impossible
from baygrid.app.signatures import signed_by
from baygrid.app.trading import Order
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.pricing.contracts import UNIT, UNIT_HOUR, Kind
from baygrid.core.pricing.verify import first_difference
from baygrid.ports.bundles import canonical, load_bundle
from baygrid.ports.records import AttemptRecord, Project
from baygrid.ports.trading import TradeRow
from tests.app.stage import HOUR, OPERATOR, Site, Stage
from tests.app.test_trading import posted

DAY = 24 * HOUR
FREE = {"max_cost": "0 CNY"}


@pytest.fixture
def stage() -> Stage:
    """Centre hub with nodes hub-0 and hub-1 of 8 cpus, at 1 CNY for a cpu for an hour."""
    made = Stage()
    made.hub = made.add_site("hub", nodes=2)  # type: ignore[attr-defined]
    return made


@pytest.fixture
def hub(stage: Stage) -> Site:
    site: Site = stage.hub  # type: ignore[attr-defined]
    return site


def publish(stage: Stage, kind: Kind, quantity: int = 8, rate: str = "0.5", hours: int = 48) -> str:
    """In force at once, or (a reservation) in an hour."""
    start = stage.now + HOUR if kind is Kind.RESERVED else None
    new = New("hub-main", kind, quantity, rate, start, stage.now + hours * HOUR)
    return listings.publish(stage.platform, OPERATOR, new).id


def buy(stage: Stage, kind: Kind, units: int, hours: int | None = None, actor: Actor | None = None) -> str:
    """The period has begun then."""
    order = Order(publish(stage, kind), units, hours)
    done = trading.buy(stage.platform, actor or stage.team, None, order, once=None, render=lambda row: row.id)
    stage.pass_time(HOUR)
    stage.hub.report()  # type: ignore[attr-defined]
    return done.answer.body


def submit(stage: Stage, cpus: int = 8, time: str = "2h", actor: Actor | None = None, **more: object) -> str:
    document = {"time": time, "resources": {"cpus": cpus}, **more}
    return stage.submit(document, actor=actor)[0]


def live(stage: Stage) -> dict[str, AttemptRecord]:
    return {it.job: it for it in stage.store.read(lambda tx: tx.attempts.live())}


def trade(stage: Stage, id: str) -> TradeRow:
    return next(row for row in trading.trades(stage.platform, OPERATOR, None) if row.id == id)


def money(stage: Stage, name: str = "demo") -> Project:
    return projects.project(stage.platform, OPERATOR, name)


def run(stage: Stage, hub: Site, job: str, seconds: int = 3600) -> bill.Bill:
    """To its end, after so many seconds; its bill, recomputed."""
    stage.schedule()
    attempt = live(stage)[job]
    order = next(it for it in hub.desired().orders if it.attempt == attempt.id)
    stage.pass_time(seconds * 1000)
    hub.report(hub.says(order, AttemptState.SUCCEEDED, seconds))
    found = bill.of_job(stage.platform, stage.team, job, recompute=True)
    assert found.differences == ()
    return found


def test_usage_of_what_is_reserved_costs_nothing_more(stage: Stage, hub: Site):
    id = buy(stage, Kind.RESERVED, 8)
    paid = money(stage).charged
    job = submit(stage)
    found = run(stage, hub, job)
    (line,) = [it.line for it in found.lines]
    assert (line["quantity"], line["amount"], line["trade"]) == ("8", "0.00 CNY", id)
    assert (found.total, found.overrun) == (0, 0)
    assert (money(stage).charged, money(stage).held) == (paid, 0)
    assert (trade(stage, id).taken, trade(stage, id).booked) == (0, 0)
    assert trade(stage, id).drawn == 8 * UNIT_HOUR


def test_while_it_runs_it_has_its_units_and_holds_nothing_for_them(stage: Stage, hub: Site):
    id = buy(stage, Kind.RESERVED, 8)
    job = submit(stage, cpus=3)
    assert money(stage).held > 0  # until it is known where it goes
    stage.schedule()
    assert trade(stage, id).taken == 3 * UNIT
    assert money(stage).held == 0
    assert live(stage)[job].covers[0].of == id
    assert jobs.job(stage.platform, stage.team, job).cost[live(stage)[job].id] == 0


def test_beyond_what_is_reserved_the_tariff_is_paid(stage: Stage, hub: Site):
    buy(stage, Kind.RESERVED, 5)
    found = run(stage, hub, submit(stage))
    assert [(it.line["quantity"], it.line["amount"]) for it in found.lines] == [
        ("5", "0.00 CNY"),
        ("3", "3.00 CNY"),
    ]
    assert found.total == 3_00


def test_a_job_that_may_cost_nothing_waits_for_what_is_reserved(stage: Stage, hub: Site):
    id = buy(stage, Kind.RESERVED, 8)
    first, second = submit(stage, budget=FREE), submit(stage, budget=FREE)
    stage.schedule()
    assert set(live(stage)) == {first}
    assert trade(stage, id).taken == 8 * UNIT
    assert run(stage, hub, first).total == 0
    stage.schedule()
    assert set(live(stage)) == {second}


def test_one_that_may_cost_nothing_is_impossible_where_nothing_was_bought(stage: Stage):
    with pytest.raises(Impossible, match=r"ask for max_cost: 16\.00 CNY"):
        submit(stage, budget=FREE)


def test_it_may_be_submitted_before_the_period_and_waits(stage: Stage, hub: Site):
    order = Order(publish(stage, Kind.RESERVED), 8)
    trading.buy(stage.platform, stage.team, None, order, once=None, render=lambda row: row.id)
    job = submit(stage, budget=FREE)
    stage.schedule()
    assert live(stage) == {}
    stage.pass_time(HOUR)
    hub.report()
    stage.schedule()
    assert set(live(stage)) == {job}


def test_another_project_has_nothing_of_it(stage: Stage, hub: Site):
    rival = stage.add_project("rival")
    id = buy(stage, Kind.RESERVED, 8)
    job = submit(stage, actor=rival)
    stage.schedule()
    assert live(stage)[job].covers == ()
    assert trade(stage, id).taken == 0


def test_a_job_is_placed_where_its_project_pays_least(stage: Stage):
    stage.add_site("cheap", cpu_hour="0.4")
    id = buy(stage, Kind.RESERVED, 8)
    stage.schedule()
    found = explain.of_document(
        stage.platform, stage.team, {"name": "j", "run": "x", "time": "1h", "resources": {"cpus": 8}}
    )
    costs = {row.name: (str(row.cost), row.verdict) for row in found.rows}
    assert costs["hub/main"] == ("0.00 CNY", "chosen")
    assert {row.name: row.trades for row in found.rows} == {"hub/main": (id,), "cheap/main": ()}
    assert costs["cheap/main"][0] == "3.20 CNY"


def test_a_commitment_is_used_up_at_its_price_and_then_the_tariff_counts(stage: Stage, hub: Site):
    id = buy(stage, Kind.COMMITTED, 8, hours=12)
    assert money(stage).held == 6_00
    first = run(stage, hub, submit(stage, time="1h", checkpoint={"grace": "1s"}), 3600)
    assert first.total == 4_00  # 8 of the 12 hours at 0.50 CNY
    assert (money(stage).held, money(stage).charged) == (2_00, 4_00)
    second = run(stage, hub, submit(stage, time="1h", checkpoint={"grace": "1s"}), 3600)
    cpus = [(it.line["quantity"], it.line["amount"]) for it in second.lines if it.line["item"] == "cpu"]
    assert cpus == [("4", "2.00 CNY"), ("4", "4.00 CNY")]
    assert (money(stage).held, money(stage).charged) == (0, 10_00)
    assert trade(stage, id).drawn == 12 * UNIT_HOUR


def test_what_of_a_commitment_is_not_used_is_paid_at_the_end_and_no_more(stage: Stage, hub: Site):
    id = buy(stage, Kind.COMMITTED, 8, hours=12)
    run(stage, hub, submit(stage, time="1h"), 1801)
    charged = trade(stage, id).charged
    assert charged == int(Fraction(8 * 1801, 3600) * 50)
    stage.pass_time(2 * DAY)
    hub.report()
    stage.schedule()
    assert (money(stage).held, money(stage).charged) == (0, 6_00)
    assert posted(stage)[f"commitment:{id}"][0] == 6_00 - charged


def test_an_account_is_not_closed_while_an_attempt_uses_it(stage: Stage, hub: Site):
    id = buy(stage, Kind.COMMITTED, 8, hours=330)
    job = submit(stage, time="40h")
    stage.schedule()
    order = next(iter(hub.desired().orders))
    stage.pass_time(47 * HOUR)
    hub.report(hub.says(order, AttemptState.RUNNING, 40 * 3600))
    stage.schedule()
    assert trade(stage, id).settled_at is None
    hub.report(hub.says(order, AttemptState.SUCCEEDED, 40 * 3600))
    stage.pass_time(HOUR)
    hub.report()
    stage.schedule()
    assert trade(stage, id).settled_at == stage.now
    assert bill.of_job(stage.platform, stage.team, job, recompute=True).differences == ()
    assert (money(stage).held, money(stage).charged) == (0, trade(stage, id).amount)


def test_an_attempt_that_is_lost_gives_back_all_and_used_nothing(stage: Stage, hub: Site):
    id = buy(stage, Kind.COMMITTED, 8, hours=12)
    job = submit(stage, time="1h")
    stage.schedule()
    jobs.declare_lost(stage.platform, OPERATOR, live(stage)[job].id)
    row = trade(stage, id)
    assert (row.taken, row.booked, row.drawn, row.charged) == (0, 0, 0, 0)
    assert money(stage).held == 6_00


def test_a_voucher_is_not_asked_for_what_was_paid_before(stage: Stage, hub: Site):
    buy(stage, Kind.RESERVED, 8)
    assert run(stage, hub, submit(stage)).shares == ()


def test_a_spot_job_runs_at_the_spot_price(stage: Stage, hub: Site):
    listing = publish(stage, Kind.SPOT, quantity=8, rate="0.3")
    job = submit(stage, budget={"spot": True})
    stage.schedule()
    (row,) = listings.listings(stage.platform, stage.team)
    assert (row.id, row.taken) == (listing, 8 * UNIT)
    found = run(stage, hub, job)
    assert found.total == 2_40
    assert found.lines[0].line["trade"] == listing
    assert listings.listings(stage.platform, stage.team)[0].taken == 0


def test_a_spot_job_waits_while_no_spot_units_are_free(stage: Stage, hub: Site):
    publish(stage, Kind.SPOT, quantity=8)
    first, second = submit(stage, budget={"spot": True}), submit(stage, cpus=1, budget={"spot": True})
    stage.schedule()
    assert set(live(stage)) == {first}
    assert "have no spot price there now" in told_reasons(stage, second)
    run(stage, hub, first)
    stage.schedule()
    assert set(live(stage)) == {second}


def told_reasons(stage: Stage, job: str) -> str:
    rows = explain.of_job(stage.platform, stage.team, job).rows
    return " ".join(str(reason["text"]) for row in rows for reason in row.reasons)


def test_whose_work_would_be_lost_is_told(stage: Stage, hub: Site):
    publish(stage, Kind.SPOT)
    document = {"name": "j", "run": "x", "time": "1h", "budget": {"spot": True}}
    saved = {**document, "checkpoint": {"path": "ckpt"}}
    told = [explain.of_document(stage.platform, stage.team, it).text for it in (document, saved)]
    assert ["its work is lost" in text for text in told] == [True, False]


def test_a_spot_job_yields_whatever_quota_its_queue_has(stage: Stage, hub: Site):
    quotas = {"quotas": {"cpu": 16}}
    policies.set_policy(stage.platform, OPERATOR, {"queues": {"a": quotas, "b": quotas}}, None)
    publish(stage, Kind.SPOT, quantity=16)
    spot = [submit(stage, budget={"spot": True}, queue="a") for _ in range(2)]
    stage.schedule()
    assert set(live(stage)) == set(spot)
    submit(stage, queue="b", priority="low")
    stage.schedule()
    assert [it.stop_reason for it in live(stage).values()].count("preempted") == 1
    told = " ".join(explain.of_job(stage.platform, stage.team, id).text for id in spot)
    assert "it is being stopped" in told


def test_a_spot_job_yields_to_any_other(stage: Stage, hub: Site):
    rival = stage.add_project("rival")
    publish(stage, Kind.SPOT, quantity=16)
    spot = [submit(stage, budget={"spot": True}) for _ in range(2)]
    stage.schedule()
    assert set(live(stage)) == set(spot)
    orders = {order.attempt: order for order in hub.desired().orders}
    hub.report(*(hub.says(order, AttemptState.RUNNING, 1) for order in orders.values()))
    other = submit(stage, actor=rival, priority="low")
    stage.schedule()
    (stop,) = hub.desired().stops
    hub.report(hub.says(orders[stop.attempt], AttemptState.PREEMPTED, 1))
    stage.schedule()
    assert other in live(stage)
    states = [it.state for it in stage.store.read(lambda tx: tx.jobs.get(spot)).values()]
    assert sorted(states) == [JobState.ACTIVE, JobState.QUEUED]
    assert len(live(stage)) == 2  # the one that waits takes nobody's place


def test_a_bundle_is_good_without_a_server_and_an_altered_cover_is_named(stage: Stage, hub: Site):
    publish(stage, Kind.SPOT)
    id = buy(stage, Kind.COMMITTED, 8, hours=12)
    run(stage, hub, submit(stage, time="1h"))
    run(stage, hub, submit(stage, time="1h", cpus=1, budget={"spot": True}))
    document = bundles.of_project(stage.platform, stage.team, "demo", 0, stage.now + 1)
    assert len(document["trades"]) == 2
    good = load_bundle(canonical(document))
    assert first_difference(good, signed_by) is None
    for alter, named in (
        (lambda it: it["usage"][0]["covers"][0].update(rate="0.4"), f"cover of {id}"),
        (lambda it: it["usage"][0]["covers"][0].update(units=4000), "line 1 (cpu), quantity"),
        (lambda it: it["trades"][id].update(rate="0.1"), f"cover of {id}"),
        (lambda it: it["trades"][id].update(project="other"), f"cover of {id}, project"),
        (lambda it: it["trades"].pop(id), f"cover of {id}"),
    ):
        altered = json.loads(canonical(document))
        alter(altered)
        found = first_difference(load_bundle(canonical(altered)), signed_by)
        assert found is not None
        assert named in str(found.place)


def test_a_dearer_tariff_does_not_stop_what_was_bought(stage: Stage, hub: Site):
    buy(stage, Kind.RESERVED, 8)
    job = submit(stage, time="20h")
    stage.schedule()
    (order,) = hub.desired().orders
    hub.report(hub.says(order, AttemptState.RUNNING, 1))
    begins = stage.now + 2 * HOUR
    offers.add_tariff(stage.platform, OPERATOR, "hub-main", begins, offers.Rates(cpu_hour="50"))
    stage.pass_time(4 * HOUR)
    hub.report(hub.says(order, AttemptState.RUNNING, 4 * 3600 + 1))
    stage.schedule()
    assert not hub.desired().stops
    hub.report(hub.says(order, AttemptState.SUCCEEDED, 4 * 3600 + 1))
    assert bill.of_job(stage.platform, stage.team, job, recompute=True).overrun == 0


def test_an_altered_cover_is_found(stage: Stage, hub: Site):
    buy(stage, Kind.COMMITTED, 8, hours=12)
    job = submit(stage, time="1h")
    run(stage, hub, job)

    def differences(**altered: object) -> list[str]:
        def load(tx):
            charges = tx.money.charges_of([job])
            charges = [replace(c, covers=[{**c.covers[0], **altered}]) for c in charges]
            usage = tx.money.usage_of([c.attempt for c in charges])
            offers = stage.platform.catalogue.at(tx).offers
            sold = {row.id: row.terms for row in tx.trading.trades()}
            return [it.what for it in bill.recomputed(charges, usage, offers, {}, sold)]

        return stage.store.read(load)

    assert differences() == []
    assert "sold something else" in " ".join(differences(rate="0.4"))
    assert "there is no trade 'other'" in " ".join(differences(of="other"))
    assert differences(units=4000)
