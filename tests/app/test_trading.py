"""What centres sell ahead: never more than there is, never unpaid, each once; what is left at the end."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from baygrid.app import bill, bundles, forecast, listings, projects, trading
from baygrid.app.access import Actor
from baygrid.app.listings import New
from baygrid.app.once import Once
from baygrid.app.problems import Forbidden, IdempotencyMismatch, Invalid, NotEnoughMoney, NotFound, WrongState
from baygrid.app.trading import Order
from baygrid.core.pricing.contracts import UNIT_HOUR, Kind
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.ports.records import Cursor, Project
from baygrid.ports.trading import ListingRow, TradeRow
from baygrid.store import open_store
from tests.app.stage import HOUR, OPERATOR, Stage

DAY = 24 * HOUR


@pytest.fixture
def stage() -> Stage:
    """Centre hub with nodes hub-0 and hub-1 of 8 cpus, at 1 CNY for a cpu for an hour."""
    made = Stage()
    made.add_site("hub", nodes=2)
    return made


def publish(
    stage: Stage, kind: Kind = Kind.RESERVED, actor: Actor = OPERATOR, **fields: object
) -> ListingRow:
    said = {"offer": "hub-main", "quantity": 8, "rate": "0.5", "start": stage.now + DAY} | fields
    said = {"end": stage.now + 2 * DAY, **said}
    return listings.publish(stage.platform, actor, New(kind=kind, **said))  # type: ignore[arg-type]


def buy(stage: Stage, listing: ListingRow, units: int = 8, **more: object) -> None:
    actor, key, hours = more.pop("actor", stage.team), more.pop("key", None), more.pop("hours", None)
    order = Order(listing.id, units, hours)  # type: ignore[arg-type]
    trading.buy(
        stage.platform,
        actor,  # type: ignore[arg-type]
        None,
        order,
        once=None if key is None else Once(str(key), str(order)),
        render=lambda row: row.id,
    )


def bought(stage: Stage) -> TradeRow:
    """The newest."""
    return trading.trades(stage.platform, OPERATOR, None)[0]


def money(stage: Stage, name: str = "demo") -> Project:
    return projects.project(stage.platform, OPERATOR, name)


def balances(stage: Stage) -> dict[str, int]:
    rows = stage.store.read(lambda tx: tx.money.balances())
    return {account: minor for (account, _), minor in rows.items()}


def posted(stage: Stage) -> dict[str, tuple[int, str]]:
    """What trades have cost, by the ledger's key."""
    rows = stage.store.read(lambda tx: tx.money.transactions(None, 1000))
    mine = [row for row in rows if row.key.startswith(("trade:", "commitment:"))]
    return {row.key: (row.postings[0].money.minor, row.narration) for row in mine}


def events(stage: Stage, kind: str) -> list[dict[str, object]]:
    found = stage.store.read(lambda tx: tx.events.after(Cursor(), 1000))
    return [dict(event.data) for _, event in found if event.kind == kind]


def test_a_reservation_is_paid_when_it_is_bought(stage: Stage):
    listing = publish(stage)
    buy(stage, listing, 8)
    row = bought(stage)
    assert (row.units, row.worth, row.amount) == (8, 8 * 24 * UNIT_HOUR, 96_00)  # 8 x 24 x 0.50 CNY
    assert (money(stage).charged, money(stage).held) == (96_00, 0)
    assert balances(stage)["Income:Trading:Hub"] == -96_00
    assert sum(balances(stage).values()) == 0
    assert listings.listings(stage.platform, stage.team)[0].left == 0
    assert posted(stage) == {f"trade:{row.id}": (96_00, "reserved 8 units of hub-main for 192 unit-hours")}


def test_what_was_bought_is_on_the_bill_and_in_its_bundle(stage: Stage):
    buy(stage, publish(stage))
    found = bill.bill(stage.platform, stage.team, "demo", 0, stage.now + 1, recompute=True)
    assert found.total == money(stage).charged > 0
    assert [it.amount.minor for it in found.others] == [found.total]
    made = bundles.of_project(stage.platform, stage.team, "demo", 0, stage.now + 1)
    assert made["papers"][0]["total"] == str(Money(found.total, "CNY"))


def test_a_reservation_of_whole_nodes_keeps_them_and_another_has_others(stage: Stage):
    listing = publish(stage, quantity=16)
    for nodes in (("hub-0",), ("hub-1",)):
        buy(stage, listing, 8)
        assert bought(stage).nodes == nodes
    other = publish(stage)  # all nodes are promised in this period: only the price can be sold
    buy(stage, other, 8)
    assert bought(stage).nodes == ()
    later = publish(stage, start=stage.now + 3 * DAY, end=stage.now + 4 * DAY)
    buy(stage, later, 8)
    assert bought(stage).nodes == ("hub-0",)
    assert bought(stage).terms.left(stage.now) == DAY


def test_a_part_of_a_node_is_a_price_without_room(stage: Stage):
    buy(stage, publish(stage), 3)
    assert bought(stage).nodes == ()


def test_nobody_else_has_the_nodes_in_the_period(stage: Stage):
    rival = stage.add_project("rival")
    buy(stage, publish(stage), 8)
    stage.submit({"time": "30h", "resources": {"cpus": 8}}, actor=rival)
    stage.submit({"time": "30h", "resources": {"cpus": 8}}, actor=rival)  # would run into the period
    stage.submit({"time": "1h", "resources": {"cpus": 8}})
    stage.schedule()
    live = stage.store.read(lambda tx: tx.attempts.live())
    assert {(it.project, it.nodes) for it in live} == {("rival", ("hub-1",)), ("demo", ("hub-0",))}


def test_a_commitment_holds_what_it_costs_and_is_paid_at_the_end(stage: Stage):
    listing = publish(stage, Kind.COMMITTED, start=None)
    buy(stage, listing, 2, hours=40)
    assert (money(stage).held, money(stage).charged) == (20_00, 0)
    assert bought(stage).held == 20_00
    stage.pass_time(2 * DAY)
    stage.schedule()
    assert (money(stage).held, money(stage).charged) == (0, 20_00)
    row = bought(stage)
    assert row.settled_at == stage.now
    assert balances(stage)["Income:Trading:Hub"] == -20_00
    what = "committed to 40 unit-hours of hub-main, used 0"
    assert posted(stage) == {f"commitment:{row.id}": (20_00, what)}
    assert events(stage, "trade-settled") == [{"trade": row.id, "unused_minor": 20_00}]
    stage.pass_time(DAY)
    stage.schedule()
    assert money(stage).charged == 20_00  # once


def test_a_commitment_is_in_the_forecast_of_the_month_that_pays_it(stage: Stage):
    buy(stage, publish(stage, Kind.COMMITTED, start=None), 2, hours=40)
    long = publish(stage, Kind.COMMITTED, start=None, end=Month.of(stage.now).end + DAY)
    buy(stage, long, 1, hours=10)
    seen = forecast.outlook(stage.platform, stage.team, "demo")
    found = seen.forecast
    assert (found.committed.minor, found.committed_later.minor, seen.waiting) == (20_00, 5_00, 0)
    assert (found.at_most.minor, found.expected.minor) == (20_00, 20_00)
    stage.pass_time(2 * DAY)
    stage.schedule()
    after = forecast.outlook(stage.platform, stage.team, "demo").forecast
    assert (after.charged.minor, after.committed.minor, after.at_most.minor) == (20_00, 0, 20_00)


def test_a_commitment_without_hours_is_for_all_of_the_period(stage: Stage):
    buy(stage, publish(stage, Kind.COMMITTED, start=None), 2)
    assert bought(stage).worth == 2 * 48 * UNIT_HOUR


def test_what_is_not_sold_returns_when_the_period_begins(stage: Stage):
    listing = publish(stage)
    buy(stage, listing, 3)
    stage.pass_time(DAY)
    with pytest.raises(WrongState, match="what was not sold returned"):
        buy(stage, listing, 1)
    stage.schedule()
    assert events(stage, "listing-returned") == [{"listing": listing.id, "units": 5}]
    assert listings.listings(stage.platform, OPERATOR)[0].closed_at == stage.now
    stage.pass_time(DAY)
    stage.schedule()
    assert len(events(stage, "listing-returned")) == 1


def test_no_more_is_sold_than_there_is(stage: Stage):
    listing = publish(stage)
    buy(stage, listing, 5)
    with pytest.raises(WrongState, match="has fewer than 4 units left"):
        buy(stage, listing, 4)
    buy(stage, listing, 3)


def test_a_purchase_needs_free_money_and_changes_nothing_without(stage: Stage):
    listing = publish(stage, rate="100")
    with pytest.raises(
        NotEnoughMoney, match=r"this costs 19200.00 CNY, and project 'demo' has 1000.00 CNY free"
    ):
        buy(stage, listing, 8)
    assert listings.listings(stage.platform, OPERATOR)[0].sold == 0
    assert trading.trades(stage.platform, OPERATOR, None) == []


def test_the_same_key_buys_once(stage: Stage):
    listing = publish(stage)
    buy(stage, listing, 2, key="k")
    buy(stage, listing, 2, key="k")
    assert len(trading.trades(stage.platform, stage.team, None)) == 1
    with pytest.raises(IdempotencyMismatch):
        buy(stage, listing, 3, key="k")


def test_a_team_sees_its_own_trades_only(stage: Stage):
    rival = stage.add_project("rival")
    buy(stage, publish(stage), 2)
    assert trading.trades(stage.platform, rival, None) == []
    with pytest.raises(NotFound):
        trading.trades(stage.platform, rival, "demo")


def test_a_centre_sells_what_is_its_own(stage: Stage):
    stage.add_site("far")
    hub = Actor("tok-hub", OPERATOR.role.CENTRE, "hub", centre="hub")
    publish(stage, actor=hub)
    with pytest.raises(Forbidden):
        publish(stage, actor=hub, offer="far-main")
    with pytest.raises(Forbidden):
        publish(stage, actor=stage.team)
    with pytest.raises(NotFound, match="there is no offer 'nowhere'"):
        publish(stage, actor=hub, offer="nowhere")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"quantity": 17}, "quantity: is more than hub has of it: 16"),
        ({"quantity": 0}, "quantity: must be a whole number of units"),
        ({"rate": "0"}, "rate: must be more than nothing"),
        ({"rate": "-1"}, "rate: must be a price such as 0.25"),
        ({"start": 1}, "start: lies in the past"),
        ({"start": None}, "start: must lie ahead"),
        ({"end": 1}, "end: must come after the start"),
        ({"end": 4_102_416_000_000}, "end: must come after the start, at most five years later"),
        ({"cpus": 2}, "cpus: a unit of a plain offer is one cpu"),
    ],
)
def test_listings_that_cannot_be(stage: Stage, fields: dict[str, object], why: str):
    with pytest.raises(Invalid, match=why):
        publish(stage, **fields)  # type: ignore[arg-type]
    assert listings.listings(stage.platform, OPERATOR) == []


def test_a_unit_has_its_share_of_the_smallest_node(stage: Stage):
    terms = publish(stage).terms
    assert (terms.cpus, terms.memory_mib) == (0, 8192)
    assert publish(stage, memory_mib=1024).terms.memory_mib == 1024


def test_orders_that_cannot_be(stage: Stage):
    reserved, spot = publish(stage), publish(stage, Kind.SPOT, start=None)
    committed = publish(stage, Kind.COMMITTED, start=None)
    for listing, more, why in (
        (spot, {}, "listing: spot is not bought"),
        (reserved, {"hours": 3}, "hours: a reservation is for its whole period"),
        (reserved, {"units": 9}, "units: must be a whole number from 1 to 8"),
        (reserved, {"units": 0}, "units: must be a whole number from 1 to 8"),
        (committed, {"hours": 385}, "hours: must be from 1 to 384"),
        (committed, {"hours": 0}, "hours: must be from 1 to 384"),
    ):
        with pytest.raises(Invalid, match=why):
            buy(stage, listing, **more)
    projects.add_project(stage.platform, OPERATOR, "hk", "acme", "HKD", Money.parse("1000 HKD"))
    with pytest.raises(Invalid, match="is paid in CNY, and project 'hk' is kept in HKD"):
        buy(stage, reserved, actor=Actor("tok-hk", stage.team.role, "hk", project="hk"))
    with pytest.raises(NotFound, match="there is no listing 'none'"):
        trading.buy(
            stage.platform,
            stage.team,
            None,
            Order("none", 1),
            once=None,
            render=lambda row: "",
        )


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_sixteen_buyers_at_once_get_what_there_is_and_no_more(
    request: pytest.FixtureRequest, database: str, tmp_path: Path
):
    url = f"sqlite:///{tmp_path}/a.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    store = open_store(url)
    try:
        stage = Stage(store, funds="100000 CNY")
        stage.add_site("hub", nodes=2)
        rivals = [stage.team, *(stage.add_project(f"rival{n}", funds="40 CNY") for n in range(3))]
        listing = publish(stage, quantity=16, rate="0.5")

        def one(number: int) -> str:
            try:
                buy(stage, listing, 2, actor=rivals[number % 4], key=str(number))
            except (WrongState, NotEnoughMoney) as refused:
                return type(refused).__name__
            return "bought"

        with ThreadPoolExecutor(16) as clients:
            outcomes = Counter(clients.map(one, range(48)))
        rows = trading.trades(stage.platform, OPERATOR, None)
        assert outcomes["bought"] == len(rows) == 8
        assert sum(row.units for row in rows) == listings.listings(stage.platform, OPERATOR)[0].sold == 16
        kept = [node for row in rows for node in row.nodes]
        assert len(kept) == len(set(kept))
        assert sum(balances(stage).values()) == 0
        assert balances(stage)["Income:Trading:Hub"] == -8 * 24_00
        for name in ("demo", "rival0", "rival1", "rival2"):
            mine = [row for row in rows if row.project == name]
            assert money(stage, name).charged == sum(row.amount for row in mine)
            assert money(stage, name).free >= 0
    finally:
        store.close()
