"""The very end of the demo: where the systems that the newsletter names are in the portal."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.browsing import Browser, NoForm
from scripts.demo.observing import DAY
from scripts.demo.region import Failed, Region
from scripts.demo.texts import Texts

ACCOUNT = "admin"
DRIVE = "driving"
"""The name of the job with the drive."""


def show(region: Region, say: Texts) -> None:
    """One line for each system. Raises Failed where its page is not there."""
    region.screen.scene(say("scene_portal"))
    password = (region.folder / "platform" / "admin.password").read_text().strip()
    region.screen.say(say("portal_sign_in", account=ACCOUNT, password=password))
    browser = Browser(region.server)
    try:
        browser.open("/portal/sign-in")
        browser.send("/sign-in", {"name": ACCOUNT, "password": password})
        browser.send("/hat", {"hat": "platform"})  # worn again at the next sign-in
        rows = [[say(f"system_{system}"), _seen(browser, path)] for system, path in _pages(region)]
    except NoForm as missing:
        raise Failed(str(missing)) from None
    region.screen.table([say("tour_system"), say("portal_page")], rows, whole=(1,))


def _pages(region: Region) -> Iterator[tuple[str, str]]:
    drive = next(job["id"] for job in region.ask("operator", "/v1/jobs", limit="500") if job["name"] == DRIVE)
    yield "platform", "jobs"
    yield "placement", "queue"
    yield "exchange", "offers"
    yield "centre", "offers"
    yield "data", "data"
    yield "measures", "measures"
    yield "statistics", f"observatory?zone=qianhai&as_of={DAY}"
    yield "cities", "observatory/cities"
    yield "driving", f"jobs/{drive}"
    yield "letter", "letter"


def _seen(browser: Browser, path: str) -> str:
    """The page's address, once it has answered."""
    browser.open(f"/portal/{path}")
    if not browser.address.endswith(f"/portal/{path}"):
        raise Failed(f"/portal/{path} leads to {browser.address}")
    return browser.address
