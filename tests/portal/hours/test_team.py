"""The first hour of an AI team in a real browser: from signing in to looking at what a first job made, in two
languages, with and without scripts, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from baygrid.portal.app import PAGES
from tests.portal.browser import PATIENCE_MS, chromium, faults, needs_chromium, serving, width

pytestmark = [pytest.mark.slow, needs_chromium, pytest.mark.timeout(400), pytest.mark.xdist_group("browser")]
WORDS = {
    "en-GB": {
        "submit": "Submit a job",
        "price": "Check and price",
        "send": "Submit this job",
        "over": "Succeeded",
        "now": "an start now",
        "cost": "Cost",
    },
    "zh-HK": {
        "submit": "提交作業",
        "price": "檢查並估價",
        "send": "提交此作業",
        "over": "成功",
        "now": "可即時開始",
        "cost": "費用",
    },
}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


class Server:
    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.folder = folder
        self.password = (folder / "data" / "admin.password").read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("first-hour")
    with serving(folder) as address:
        yield Server(address, folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


Arrive = Callable[..., Page]


@pytest.fixture
def arrive(server: Server, browser: Browser) -> Iterator[Arrive]:
    """Signs in as the account of the first start, for project default."""
    contexts = []

    def go(language: str, *, scripts: bool = True, size: dict[str, int] = DESK, dark: bool = False) -> Page:
        context = browser.new_context(
            locale=language, viewport=size, java_script_enabled=scripts,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
        )  # fmt: skip
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.complaints = []  # type: ignore[attr-defined]
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
        page.goto(server.address)
        page.fill("[name=name]", "admin")
        page.fill("[name=password]", server.password)
        page.press("[name=password]", "Enter")
        if page.locator("#hat").input_value() != "project:default":
            page.select_option("#hat", "project:default")
            page.locator("form:has(#hat) button").click()
        expect(page.locator("h1")).to_contain_text("default")
        return page

    yield go
    for context in contexts:
        context.close()


def run_hello(page: Page, word: dict[str, str]) -> None:
    """From the first page to that of a job that is over."""
    page.get_by_role("main").get_by_role("link", name=word["submit"]).first.click()
    page.get_by_role("button", name=word["price"]).last.click()
    expect(page.locator("tr.chosen")).to_contain_text("local/main")
    expect(page.locator("#price")).to_contain_text(word["now"])
    page.get_by_role("button", name=word["send"]).click()
    expect(page.locator("h1")).to_contain_text("hello")
    # Without scripts the page loads itself anew; with them it follows what happens.
    expect(page.locator("h1 .tag")).to_have_text(word["over"], timeout=PATIENCE_MS)


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_from_signing_in_to_a_result(arrive: Arrive, language: str, scripts: bool, size: dict[str, int]):
    word = WORDS[language]
    page = arrive(language, scripts=scripts, size=size)
    run_hello(page, word)
    expect(page.locator("#log-text")).to_contain_text("hello from local")
    expect(page.locator("#live")).to_contain_text(word["cost"])
    page.locator("section:has(#outputs) li a").first.click()
    expect(page.locator("main")).to_contain_text("written at")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_page_follows_its_job_without_being_loaded_anew(arrive: Arrive, server: Server):
    page = arrive("en-GB")
    sign = server.folder / "go-on"
    page.goto(f"{server.address}/portal/submit?as=file")
    waits = f"until [ -e {sign} ]; do sleep 0.1; done"
    page.fill(
        "#text", f"name: followed\ntime: 5m\nrun: |\n  echo the first line\n  {waits}\n  echo the last line\n"
    )
    page.get_by_role("button", name="Check and price").last.click()
    page.get_by_role("button", name="Submit this job").click()
    page.evaluate("window.same = true")
    expect(page.locator("#log-text")).to_contain_text("the first line")
    expect(page.locator("#live .value").first).to_have_text("Running")
    assert page.evaluate("window.same") is True
    sign.touch()
    expect(page.locator("h1 .tag")).to_have_text("Succeeded")
    expect(page.locator("#log-text")).to_contain_text("the last line")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_everybody_can_use_every_page(arrive: Arrive, server: Server):
    """No serious fault by axe, in light and dark, and no page wider than a phone."""
    found, wide = [], []
    for language, dark, size in (("en-GB", False, DESK), ("zh-HK", True, PHONE)):
        page, word = arrive(language, size=size, dark=dark), WORDS[language]
        run_hello(page, word)
        job = page.url
        paths = [it.path for it in PAGES if it.method == "GET" and "{" not in it.path]
        pages = [f"{server.address}/portal/{path}" for path in (*paths, "submit?as=file", "nowhere")]
        for address in (job, f"{job}/outputs/greeting", *pages):
            page.goto(address)
            found += faults(page)
            wide += [page.url] if width(page) > 0 else []
        page.goto(f"{server.address}/portal/submit")
        page.get_by_role("button", name=word["price"]).last.click()
        expect(page.locator("tr.chosen")).to_be_visible()
        found += faults(page)
    assert found == []
    assert wide == []
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')")
    assert any("button-name" in it for it in faults(page)), "it would be found"


def test_a_keyboard_is_enough(arrive: Arrive):
    page = arrive("en-GB")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the page")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Submit a job")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Submit a job")
