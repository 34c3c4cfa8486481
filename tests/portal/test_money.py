"""A project's money and its papers as pages: exact amounts, and only for whom they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from baygrid.app import budgets, closing, credit_notes
from baygrid.app.spending import Day
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.portal.burning import HEIGHT, WIDTH, burning
from baygrid.ports.papers import PaperKind
from baygrid.store import open_store
from tests.app.stage import OPERATOR as ACTOR
from tests.app.stage import Stage
from tests.app.test_closing import ran
from tests.app.test_vouchers import issued, pool
from tests.portal.conftest import csrf
from tests.portal.stages import OPERATOR, lead, looking


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    store = open_store(f"sqlite:///{tmp_path}/a.db")
    yield Stage(store, funds="1000 CNY")
    store.close()


@pytest.fixture
def used(stage: Stage) -> Stage:
    """Half of the project's 8 CNY is paid by a voucher's 60 percent, and its month is closed."""
    site = stage.add_site("qianhai")
    pool(stage)
    issued(stage, project="demo")
    ran(stage, site)
    return stage


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_team_sees_its_money_and_how_the_month_goes(used: Stage):
    budgets.set_budget(used.platform, ACTOR, "demo", Money.parse("40 CNY"), hard=True, alerts=[50])
    with looking(used, lead("demo")) as client:
        to = client.get("/portal/projects")
        assert (to.status_code, to.headers["location"]) == (303, "/portal/projects/demo")
        page = client.get("/portal/projects/demo").text
    text = plain(page)
    assert "Spent this month CN¥3.20" in text
    assert "8% of the budget of CN¥40.00 · never passed" in text
    assert "CN¥4.80 of at most" in text, "what the voucher paid"
    assert "Of CN¥40.00 at the beginning of the month CN¥36.80 is left today" in text
    assert "Set the budget" not in text, "an operator does that"
    (picture,) = re.findall(r'<svg class="burn".*?</svg>', page, re.DOTALL)
    assert ElementTree.fromstring(picture).attrib["role"] == "img"


def test_the_picture_stays_inside_its_frame_whatever_is_spent():
    month = Month(2026, 11)
    days = [Day(month.first_day.replace(day=n), minor) for n, minor in ((1, 900), (2, -100), (3, 5000))]
    found = burning(1000, days, month, 9000)
    for points in (found.left, found.area, found.even, found.ahead):
        for x, y in (map(float, it.split(",")) for it in points.split()):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    assert found.left.split()[-1] == ",".join(map(str, found.end))
    assert found.end[1] > found.zero, "more was spent than there was"


def test_an_operator_sets_a_budget_and_what_cannot_be_one_comes_back(used: Stage):
    with looking(used, OPERATOR) as client:
        assert "demo" in client.get("/portal/projects").text
        mark = csrf(client)
        wrong = client.post(
            "/portal/projects/demo/budget", data={"csrf": mark, "amount": "12.345", "alerts": "50 80"}
        )
        assert wrong.status_code == 422
        assert 'value="12.345"' in wrong.text
        assert "too many decimals" in wrong.text
        assert 'aria-invalid="true"' in wrong.text
        bad = {"csrf": mark, "amount": "500", "alerts": "80, 50"}
        assert "alerts grow" in client.post("/portal/projects/demo/budget", data=bad).text
        typed = {"csrf": mark, "amount": "500", "alerts": "50、80", "hard": "yes"}
        done = client.post("/portal/projects/demo/budget", data=typed)
        assert (done.status_code, done.headers["location"]) == (303, "/portal/projects/demo")
        assert "The budget is set." in client.get("/portal/projects/demo").text
        (row,) = budgets.budgets(used.platform, ACTOR)
        assert row.budget is not None
        assert (str(row.budget.amount), row.budget.hard, row.budget.alerts) == ("500.00 CNY", True, (50, 80))
        client.post("/portal/projects/demo/budget/remove", data={"csrf": mark})
    assert budgets.budgets(used.platform, ACTOR) == []


def test_a_team_sets_no_budget(used: Stage):
    with looking(used, lead("demo")) as client:
        typed = {"csrf": csrf(client), "amount": "500", "alerts": "50"}
        assert client.post("/portal/projects/demo/budget", data=typed).status_code == 403
    assert budgets.budgets(used.platform, ACTOR) == []


def test_invoices_say_what_was_used_and_can_be_taken_along(used: Stage):
    month = Month.of(used.now)
    used.now = month.end + closing.OVER_MS
    closed = closing.close(used.platform, ACTOR, str(month), dry_run=False)
    (number,) = [row.number for row in closed.papers if row.kind is PaperKind.INVOICE]
    credit_notes.credit(used.platform, ACTOR, number, Money.parse("0.20 CNY"), "a node that failed")
    used.add_project("rival", funds="5 CNY")
    with looking(used, lead("demo"), language="zh-HK") as client:
        assert number in client.get("/portal/invoices").text
        page = client.get(f"/portal/invoices/{number}")
        text = plain(page.text)
        assert f"發票 {number}" in text
        assert "CN¥4.80 CN¥3.20" in text, "of the job: what the voucher paid, what was charged"
        (address,) = re.findall(r'href="(/v1/[^"]*format=csv[^"]*)"', page.text)
        sheet = client.get(address.replace("&amp;", "&"))
        assert sheet.status_code == 200
        assert sheet.headers["content-disposition"].endswith('.csv"')
        (note,) = set(re.findall(r"/portal/credit-notes/([\w-]+)", page.text))
        shown = plain(client.get(f"/portal/credit-notes/{note}").text)
        assert "CN¥0.20" in shown
        assert "a node that failed" in shown
    with looking(used, lead("rival")) as client:
        assert client.get(f"/portal/invoices/{number}").status_code == 404
        assert number not in client.get("/portal/invoices").text
