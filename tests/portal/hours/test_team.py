"""The first hour of an AI team in a real browser: from signing in to looking at what a first job made."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.portal.browser import PATIENCE_MS, faults, needs_chromium
from tests.portal.hours.region import DESK, PHONE, TEAM, Arrive, Manner, Person, Region

pytestmark = [pytest.mark.slow, needs_chromium, pytest.mark.timeout(400), pytest.mark.xdist_group("browser")]
MANNERS = (
    pytest.param(Manner("en", DESK, scripts=True), marks=pytest.mark.campaign),
    Manner("en", PHONE, scripts=False),
    Manner("zh-Hant", PHONE, scripts=True, dark=True),
    pytest.param(Manner("zh-Hant", DESK, scripts=False), marks=pytest.mark.campaign),
)


def run_hello(team: Person) -> None:
    """From the first page to that of a job that is over."""
    page = team.page
    page.get_by_role("main").get_by_role("link", name=team.say("Submit a job")).first.click()
    team.shot("form")
    page.get_by_role("button", name=team.say("Check and price")).last.click()
    expect(page.locator("tr.chosen")).to_contain_text("local/main")
    expect(page.locator("#price")).to_contain_text(team.say("Can start now"))
    team.shot("price")
    team.press("Submit this job")
    expect(page.locator("h1")).to_contain_text("hello")
    # Without scripts the page loads itself anew; with them it follows what happens.
    expect(page.locator("h1 .tag")).to_have_text(team.say("Succeeded"), timeout=PATIENCE_MS)
    expect(page.locator("#log-text")).to_contain_text("hello from local")
    expect(page.locator("#live")).to_contain_text(team.say("Cost"))
    team.shot("job")


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_from_signing_in_to_a_result(arrive: Arrive, manner: Manner):
    team = arrive(TEAM, manner)
    page = team.page
    expect(page.locator("h1")).to_contain_text("vision")
    team.shot("home")
    run_hello(team)
    job = page.url.partition("/portal/")[2]
    page.locator("section:has(#outputs) li a").first.click()
    expect(page.locator("main")).to_contain_text("written at")
    team.shot("output")
    if manner.scripts:
        paths = (
            f"/portal/{job}",
            f"/portal/{job}/outputs/greeting",
            "/portal/submit?as=file",
            "/portal/nowhere",
        )
        assert team.faults(*paths) == []


def test_a_page_follows_its_job_without_being_loaded_anew(arrive: Arrive, region: Region):
    team = arrive(TEAM, Manner("en", DESK, scripts=True))
    page, sign = team.page, region.folder / "go-on"
    page.goto(f"{region.address}/portal/submit?as=file")
    waits = f"until [ -e {sign} ]; do sleep 0.1; done"
    page.fill(
        "#text", f"name: followed\ntime: 5m\nrun: |\n  echo the first line\n  {waits}\n  echo the last line\n"
    )
    page.get_by_role("button", name="Check and price").last.click()
    expect(page.locator("tr.chosen")).to_be_visible()
    assert faults(page) == []
    team.press("Submit this job")
    page.evaluate("window.same = true")
    expect(page.locator("#log-text")).to_contain_text("the first line")
    expect(page.locator("#live .value").first).to_have_text("Running")
    assert page.evaluate("window.same") is True
    sign.touch()
    expect(page.locator("h1 .tag")).to_have_text("Succeeded")
    expect(page.locator("#log-text")).to_contain_text("the last line")


@pytest.fixture
def keyboard(region: Region, browser: Browser) -> Page:
    """Whoever signs in with the account of the first start, without a mouse."""
    page = browser.new_context(locale="en-GB").new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(region.address)
    page.keyboard.type("admin")  # the page begins there
    page.keyboard.press("Tab")
    page.keyboard.type((region.folder / "data" / "admin.password").read_text().strip())
    page.keyboard.press("Enter")
    page.wait_for_url(f"{region.address}/portal/")
    return page


def test_a_keyboard_is_enough(keyboard: Page):
    page = keyboard
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the page")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Submit a job")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Submit a job")
    page.context.close()


def test_a_button_without_a_name_would_be_found(keyboard: Page):
    keyboard.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')")
    assert any("button-name" in it for it in faults(keyboard))
    keyboard.context.close()
