"""The first hour of a centre's operator: an agent joins, its nodes get prices, a team's job runs there and is
waited for before maintenance, and what it used is seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.portal.browser import needs_chromium
from tests.portal.hours.region import CENTRE, DESK, PHONE, Arrive, Manner, Person, Region

pytestmark = [pytest.mark.slow, needs_chromium, pytest.mark.timeout(400), pytest.mark.xdist_group("browser")]
# Each with a centre of its own, and an accelerator that only this one has: so jobs that want it go there.
HOURS = (
    (Manner("ja", DESK, scripts=True), "harbour", "H100"),
    (Manner("en", PHONE, scripts=False, dark=True), "pier", "A100"),
    pytest.param(Manner("ja", PHONE, scripts=False), "quay", "L40", marks=pytest.mark.campaign),
    pytest.param(Manner("en", DESK, scripts=True, dark=True), "wharf", "H20", marks=pytest.mark.campaign),
)
JOB = """
name: tides
resources: {accelerators: %(model)s}
time: 5m
run: |
  until [ -e %(sign)s ]; do sleep 0.1; done
"""


@pytest.mark.parametrize(("manner", "centre", "model"), HOURS, ids=str)
def test_from_signing_in_to_what_was_used(
    region: Region, arrive: Arrive, manner: Manner, centre: str, model: str
):
    if centre != "harbour":
        region.baygrid("centres", "create", centre, "--jurisdiction", "CN-QH")
    operator = arrive(CENTRE, manner)
    operator.act_for(centre)
    operator.shot("home")
    nodes = ("--node", "c1:cpus=4,memory=16", "--node", f"gpu/g1:cpus=8,memory=64,{model}=2")
    with region.agent(_command(operator), *nodes):
        _see_nodes(operator, model)
        _price(operator, model)
        sign = region.folder / f"{centre}-go-on"
        _run_through_maintenance(region, operator, model, sign)
        _see_what_was_used(operator)
        operator.go("Members")
        operator.sees(operator.say("by %(issuer)s") % {"issuer": "The region"})
        more = (f"/portal/centres/{centre}/prices?of=main/", "/portal/nowhere")
        assert operator.faults(*more) == []


def _command(operator: Person) -> str:
    operator.sees("Has not joined yet")
    operator.go("Agent and nodes")
    operator.press("Make the command")
    operator.shot("command")
    return operator.page.locator("#command").inner_text()


def _see_nodes(operator: Person, model: str) -> None:
    operator.go("Agent and nodes")
    operator.awaits("g1")
    operator.sees("Connected")
    expect(operator.page.locator("section:has(#nodes) tr", has_text="g1")).to_contain_text(model)
    operator.shot("nodes")


def _price(operator: Person, model: str) -> None:
    """Twice: what is announced begins at once where nothing had a price, and later where something has."""
    page = operator.page
    operator.go("Prices")
    place = page.locator("main section", has=page.get_by_role("heading", name=f"gpu · {model}", exact=True))
    for button, an_hour in (("Set the first prices", "20"), ("New prices", "22")):
        place.get_by_role("link", name=operator.say(button)).click()
        page.fill("[name=accelerator_hour]", an_hour)
        page.fill("[name=cpu_hour]", "0.15")
        operator.press("Look at it first")
        expect(page.locator(".note tbody tr").first).to_contain_text(f"{an_hour}.00")
        operator.shot("look-ahead")
        operator.press("Announce these prices")
        operator.sees("The prices are announced.")
    expect(place.locator("tbody tr.chosen")).to_contain_text(operator.say("in force"))
    expect(place.locator("tbody tr", has_text="22.00")).to_contain_text(operator.say("to come"))
    operator.shot("prices")


def _run_through_maintenance(region: Region, operator: Person, model: str, sign: Path) -> None:
    """What runs when the centre is drained goes on to its end."""
    token = json.loads(region.baygrid("tokens", "create", "--project", "vision", "--json"))["token"]
    (region.folder / "tides.yaml").write_text(JOB % {"model": model, "sign": sign})
    job = json.loads(region.baygrid("run", "tides.yaml", "--no-wait", "--json", token=token))["id"]
    operator.go("Jobs here")
    operator.awaits("Running")
    expect(operator.page.locator("section:has(#going) tr", has_text="tides")).to_contain_text("vision")
    expect(operator.page.locator("section:has(#past) tr", has_text="tides")).not_to_contain_text("pid")
    operator.shot("jobs")
    operator.go("Agent and nodes")
    operator.press("Drain")
    operator.sees("Nothing new comes now; what runs goes on.")
    operator.sees("Takes no new jobs")
    operator.shot("drained")
    sign.touch()
    region.baygrid("wait", job, token=token)
    operator.press("Open for jobs again")
    operator.sees("Open for jobs")


def _see_what_was_used(operator: Person) -> None:
    operator.go("Jobs here")
    past = operator.page.locator("section:has(#past) tr", has_text="tides")
    expect(past).to_contain_text(operator.say("Succeeded"))
    operator.go("Use")
    used = operator.page.locator("main tbody tr", has_text="vision").first
    expect(used).to_contain_text("Baygrid")
    expect(used.locator("td").nth(2)).not_to_have_text("0")  # hours, of a few seconds
    operator.shot("use")
    operator.go("Settlement")
    operator.sees("No month is closed yet.")
    operator.shot("settlement")
