"""The first hour of the platform's operator: a centre is let in, a project with a quota made, a member
invited who runs a job; then what is looked at every day: health, shares, what if, and the audit."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.portal.browser import needs_chromium
from tests.portal.hours.region import DESK, PHONE, PLATFORM, Arrive, Manner, Person, Region
from tests.portal.hours.test_team import run_hello

pytestmark = [pytest.mark.slow, needs_chromium, pytest.mark.timeout(400), pytest.mark.xdist_group("browser")]
MANNERS = (
    Manner("zh-Hans", PHONE, scripts=True),
    Manner("en", DESK, scripts=False, dark=True),
    pytest.param(Manner("zh-Hans", DESK, scripts=False, dark=True), marks=pytest.mark.campaign),
    pytest.param(Manner("en", PHONE, scripts=True), marks=pytest.mark.campaign),
)
POLICY = """
queues:
  default: {}
  %(name)s: {projects: [%(name)s], quotas: {cpu: 8}}
"""


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_from_signing_in_to_a_chain_that_is_right(region: Region, arrive: Arrive, manner: Manner):
    name = str(manner).lower()
    operator = arrive(PLATFORM, manner)
    operator.shot("home")
    with region.agent(
        _command(operator, f"far-{name}"),
        "--node",
        "f1:cpus=4,memory=16",
        "--cpu-hour",
        "9",
        "--gib-hour",
        "1",
    ):
        operator.go("Centres")
        operator.awaits("Connected", f"main tbody tr:has-text('far-{name}')")
        operator.shot("centres")
        _make_a_project(operator, name)
        run_hello(arrive(f"mak-{name}", manner, invitation=_invite(operator, name)))
        _see_health_and_shares(operator, name)
        _ask_what_if(operator)
        _search_and_recompute(operator, name)
        more = (
            f"/portal/region/projects/{name}",
            f"/portal/centres/far-{name}",
            f"/portal/members?of=project:{name}",
        )
        assert operator.faults(*more) == []


def _command(operator: Person, centre: str) -> str:
    """Whose agent may set its prices."""
    page = operator.page
    operator.go("Centres")
    page.fill("#name", centre)
    page.fill("#jurisdiction", "HK")
    page.check("[name=with_offers]")
    operator.press("Add the centre")
    operator.shot("command")
    return page.locator("#command").inner_text()


def _make_a_project(operator: Person, name: str) -> None:
    page = operator.page
    operator.go("Organisations")
    page.fill("#name", f"school-{name}")
    page.fill("#title", f"A school ({name})")
    operator.press("Add")
    operator.go("Projects and shares")
    page.fill("#name", name)
    page.select_option("#organisation", f"school-{name}")
    page.fill("#amount", "500")
    operator.press("Add the project")
    operator.go("Policy")
    page.fill("#text", POLICY % {"name": name})
    operator.press("Set it, from now on")
    expect(page.locator("section:has(#queues)")).to_contain_text("cpu: 8")
    operator.shot("policy")


def _invite(operator: Person, name: str) -> str:
    """The link of a member's invitation."""
    page = operator.page
    operator.go("Projects and shares")
    operator.shot("shares")
    page.get_by_role("link", name=name, exact=True).click()
    operator.shot("project")
    page.locator("main").get_by_role("link", name=operator.say("Members")).click()
    page.select_option("#level", "member")
    page.fill("#email", "mak@example.org")
    operator.press("Make a link")
    operator.shot("invited")
    return page.locator("#link").inner_text()


def _see_health_and_shares(operator: Person, name: str) -> None:
    operator.go("Health")
    operator.sees("A server leads")
    operator.shot("health")
    operator.go("Projects and shares")
    expect(operator.page.locator("main tbody tr", has_text=name)).to_contain_text(f"school-{name}")


def _ask_what_if(operator: Person) -> None:
    """At another price of what its jobs ran on."""
    page = operator.page
    operator.go("What if")
    page.select_option("#offer", page.locator("#offer option", has_text="local").get_attribute("value"))
    page.fill("#price", "8")
    operator.press("See what would have been")
    operator.sees("What would be different")
    expect(page.locator("main")).to_contain_text(
        operator.say("In use at %(centre)s, %(what)s") % {"centre": "local", "what": "CPU"}
    )
    expect(page.locator("main tbody tr", has_text=operator.say("Cost of all jobs"))).to_be_visible()
    operator.shot("what-if")


def _search_and_recompute(operator: Person, name: str) -> None:
    page = operator.page
    operator.go("Audit")
    page.fill("#about", name)
    operator.press("Search")
    expect(page.locator("section:has(#links) tbody tr").first).to_contain_text(name)
    operator.shot("audit")
    operator.press("Check the chain now")
    expect(page.locator(".note.good code")).to_be_visible()
    operator.shot("recomputed")
