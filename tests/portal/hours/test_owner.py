"""The first hour of an owner of data: a table is offered and its columns labelled, another project asks, the
law is asked, its team reads, and the owner sees who read what. The file itself is described at the command
line: the portal takes none. All persons are invented."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from playwright.sync_api import expect

from tests.portal.browser import needs_chromium
from tests.portal.hours.region import DESK, OWNER, PHONE, TEAM, Arrive, Manner, Person, Region

pytestmark = [pytest.mark.slow, needs_chromium, pytest.mark.timeout(400), pytest.mark.xdist_group("browser")]
ROWS = """person,name,district,steps
P1,Sample One,Nanshan,8123
P2,Sample Two,Baoan,9044
P3,Sample Three,Nanshan,7120
"""
PLAIN = {"persons": "plain", "importance": "ordinary", "origin": "domestic"}
LABELS: Mapping[str, Mapping[str, str]] = {
    "person": {**PLAIN, "persons": "personal", "subject": "subject"},
    "name": {**PLAIN, "persons": "personal"},
    "district": PLAIN,
    "steps": PLAIN,
}
MANNERS = (Manner("en", DESK, scripts=True), Manner("zh-Hans", PHONE, scripts=False, dark=True))


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_from_signing_in_to_seeing_who_read(region: Region, arrive: Arrive, manner: Manner):
    table = f"walks-{manner.language.lower()}"
    owner = arrive(OWNER, manner)
    _describe(region, table, owner.token("publisher", "use"))
    _label(owner, table)
    team = arrive(TEAM, manner)
    contract = _ask(team, table)
    _open(owner, contract)
    owner.shot("asked")
    owner.press("Agree: the law is asked")
    owner.sees("Agreed")
    _open(team, contract)
    team.press("Confirm what was agreed")
    _record(owner, contract)
    owner.press("Let it be read")
    owner.sees("In force")
    _read(region, table, team.token("reader", "use"))
    _sees_the_reading(owner, contract)
    pages = (f"/portal/data/contracts/{contract}", f"/portal/data/tables/walking/{table}")
    assert owner.faults(*pages) == []


def _describe(region: Region, table: str, token: str) -> None:
    (region.folder / "walks.csv").write_text(ROWS)
    region.baygrid("datasets", "create", table, "--from", "walks.csv", "--jurisdiction", "CN-QH", token=token)
    options = (
        "--name",
        table,
        "--title",
        f"Steps a day ({table})",
        "--format",
        "csv",
        "--uri",
        f"dataset:{table}",
    )
    region.baygrid("table", "add", *options, token=token)


def _label(owner: Person, table: str) -> None:
    """Until then it says of itself that nobody has."""
    page = owner.page
    owner.go("Catalogue")
    page.get_by_role("link", name=f"Steps a day ({table})").click()
    owner.sees("nobody has said")
    for n, labels in enumerate(LABELS.values()):
        for kind, word in labels.items():
            page.select_option(f"[name='{n}-{kind}']", word)
    page.fill("#by", "Lam Wai")
    owner.shot("labels")
    owner.press("Confirm these labels")
    owner.sees("The labels are confirmed.")
    expect(page.locator("main")).not_to_contain_text(owner.say("nobody has said"))


def _ask(team: Person, table: str) -> str:
    """The contract's id. Names are left out."""
    page = team.page
    team.go("Catalogue")
    page.fill("#q", table)
    team.press("Search")
    page.get_by_role("link", name=f"Steps a day ({table})").click()
    page.fill("#purpose", "a study of walking")
    page.uncheck("[name=columns][value=name]")
    page.fill("#share", table)
    team.shot("ask")
    team.press("Ask for it")
    team.sees("It is asked for.")
    return page.url.rpartition("/")[2]


def _open(person: Person, contract: str) -> None:
    person.go("Contracts")
    person.page.locator(f"main a[href$='{contract}']").click()


def _record(owner: Person, contract: str) -> None:
    """What must be done before the first byte: who did it, and where that is written."""
    _open(owner, contract)
    owner.shot("obligations")
    due = owner.page.locator("ol.dues li:has(.tag.bad) details")
    assert due.count() > 0
    while due.count():
        left = due.count()
        due.first.locator("summary").click()
        due.first.locator("[name=by]").fill("Lam Wai")
        due.first.locator("[name=reference]").fill("file 7")
        due.first.get_by_role("button").click()
        owner.sees("It is done.")
        expect(due).to_have_count(left - 1)


def _read(region: Region, table: str, token: str) -> None:
    query = f'SELECT district, count(*) AS persons FROM "{table}" GROUP BY district ORDER BY district'
    assert "Nanshan" in region.baygrid("sql", query, token=token)


def _sees_the_reading(owner: Person, contract: str) -> None:
    owner.go("Who read what")
    answered = owner.page.locator("tr", has_text=owner.say("Query answered")).first
    expect(answered).to_contain_text("vision")
    owner.shot("reads")
    _open(owner, contract)
    owner.sees("Query answered")
    owner.shot("contract")
    owner.go("Persons shown")
    owner.shot("persons")
