"""A region whose four people have accounts at a real OIDC provider, and their hands in a browser."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from playwright.sync_api import Browser, BrowserContext, Page, expect

from baygrid.portal.language import LANGUAGES, words
from scripts.demo.processes import Service
from tests.portal.browser import PATIENCE_MS, faults, serving, width
from tests.services import NOT_INSTALLED, Missing, free_port

OIDC = Path(__file__).parents[3] / "scripts" / "engines" / "oidc.sh"
SECRET = "the secret of a client of tests"
TEAM, OWNER, CENTRE, PLATFORM = "yip", "lam", "ho", "tsui"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
BROWSERS = {"en": "en-GB", "zh-Hans": "zh-CN", "zh-Hant": "zh-HK", "ja": "ja-JP"}
# The same for everybody: axe need not see them for each.
SHARED = {f"/portal/{it}" for it in ("offers", "measures", "data", "observatory", "letter", "account")}
SCREENSHOTS = os.environ.get("BAYGRID_SCREENSHOTS")
PROVIDERS = """
providers:
  - id: region
    title: The region
    issuer: http://127.0.0.1:%(port)s
    client_id: baygrid
    client_secret_file: %(secret)s
    scopes: [openid, profile, email, groups]
    memberships:
      - {group: vision-leads, of: "project:vision", level: lead}
      - {group: walking-leads, of: "project:walking", level: lead}
      - {group: harbour-operators, of: "centre:harbour", level: operator}
      - {group: harbour-operators, of: "centre:pier", level: operator}
      - {group: harbour-operators, of: "centre:quay", level: operator}
      - {group: harbour-operators, of: "centre:wharf", level: operator}
      - {group: region-operators, of: platform, level: operator}
"""
# What the operator has verified of both: by it the law of the day is asked.
PARTIES = {
    "institute": "{jurisdiction: cn, city: Shenzhen, registered_in_gba9: true, ciio: false,"
    " state_organ: false}",
    "lab": "{jurisdiction: hk, registered_in_hk_or_gba9: true, on_art42_list: false,"
    " is_foreign_judicial_or_enforcement: false}",
}


@dataclass(frozen=True, slots=True)
class Region:
    """`folder`: the home of who runs the server; what `baygrid` is told there, an operator says. `looked`: at
    which of `SHARED` somebody has looked, and how."""

    address: str
    folder: Path
    looked: set[tuple[str, int, bool]] = field(default_factory=set)

    def baygrid(self, *argv: str, token: str | None = None) -> str:
        command = [sys.executable, "-m", "baygrid.cli", *argv, *(["--token", token] if token else [])]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=_environment(self.folder),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def agent(self, command: str, *options: str) -> Iterator[None]:
        """Beside a centre, as long as the block: joined by the command that a page showed."""
        variable, program, *rest = shlex.split(command)
        name, _, token = variable.partition("=")
        assert program == "baygrid"
        centre = rest[rest.index("--centre") + 1]
        argv = [sys.executable, "-m", "baygrid.cli", *rest, *options, "--yes", "--as-me"]
        argv += ["--measure-every", "0"]
        environ, log = _environment(self.folder) | {name: token}, self.folder / f"{centre}.txt"
        service = Service(f"the agent of {centre}", argv, environ, "agent of ", log, self.folder)
        try:
            service.ready(60)
            yield
        finally:
            service.stop()


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home), "NO_COLOR": "1"}


@contextmanager
def region(folder: Path) -> Iterator[Region]:
    """Raises Missing where no provider can be had."""
    installed = subprocess.run([OIDC, "install"], capture_output=True, text=True, check=False)
    if installed.returncode == NOT_INSTALLED:
        raise Missing(f"needs what scripts/engines/oidc.sh installs: {installed.stderr.strip()}")
    assert installed.returncode == 0, installed.stderr
    own, theirs = free_port(), free_port()
    (folder / "secret").write_text(SECRET)
    providers = folder / "providers.yaml"
    providers.write_text(PROVIDERS % {"port": theirs, "secret": folder / "secret"})
    back = f"http://127.0.0.1:{own}/portal/oidc/region/callback"
    argv = [str(OIDC), "run", str(theirs), SECRET, back]
    provider = Service("the provider", argv, os.environ, "ready", folder / "provider.txt")
    try:
        provider.ready(60)
        with serving(folder, "--port", str(own), "--oidc", str(providers)) as address:
            found = Region(address, folder)
            _furnish(found)
            yield found
    finally:
        provider.stop()


def _furnish(region: Region) -> None:
    """Two organisations on both sides of the border, each with a project; and a centre without an agent."""
    region.baygrid("centres", "create", "harbour", "--jurisdiction", "CN-QH")
    for organisation, project in (("institute", "walking"), ("lab", "vision")):
        region.baygrid(
            "organisations", "create", organisation, "--kind", "company", "--title", organisation.title()
        )
        region.baygrid("projects", "create", project, "--organisation", organisation, "--grant", "1000 CNY")
        party = region.folder / f"{organisation}.yaml"
        party.write_text(f"organisation: {organisation}\nfacts: {PARTIES[organisation]}\n")
        region.baygrid("party", "set", str(party))


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody sits before a portal."""

    language: str
    size: dict[str, int]
    scripts: bool
    dark: bool = False

    def __str__(self) -> str:
        size = "desk" if self.size == DESK else "phone"
        return f"{self.language}-{size}{'' if self.scripts else '-no-scripts'}"


class Person:
    """One of the four (or somebody invited) in a browser of its own. `say`: a text of the portal in its
    language; pages are asked for what they say, so one that is left in English is not found."""

    def __init__(self, browser: Browser, region: Region, manner: Manner, who: str) -> None:
        self._browser, self._region, self._manner, self._who = browser, region, manner, who
        self._shots = 0
        self.say = words(LANGUAGES[manner.language].tag).get
        self.complaints: list[str] = []
        self._context = self._open(scripts=manner.scripts)
        self.page = self._context.new_page()
        self.page.on("console", lambda said: self._complain(said.type, said.location["url"], said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _open(self, *, scripts: bool, dark: bool = False, state: object = None) -> BrowserContext:
        context = self._browser.new_context(
            locale=BROWSERS[self._manner.language], viewport=self._manner.size, java_script_enabled=scripts,  # type: ignore[arg-type]
            color_scheme="dark" if self._manner.dark else "light", storage_state=state,  # type: ignore[arg-type]
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        # Pages of the provider ask for letters that are elsewhere.
        context.route(lambda url: not url.startswith("http://127.0.0.1:"), lambda route: route.abort())
        return context

    def _complain(self, kind: str, url: str, text: str) -> None:
        if kind == "error" and url.startswith(self._region.address):
            self.complaints.append(f"{url}: {text}")

    def close(self) -> None:
        self._context.close()
        assert self.complaints == []

    def sign_in(self) -> None:
        """At the provider, from the portal's first page and back to it."""
        page = self.page
        page.goto(self._region.address)
        self.shot("sign-in")
        page.get_by_role(
            "link", name=self.say("Sign in with %(provider)s") % {"provider": "The region"}
        ).click()
        page.fill("[name=login]", self._who)
        page.fill("[name=password]", "any")
        page.locator("button[type=submit]").click()
        page.locator("button[type=submit]").click()  # what the portal asks to be told is consented to
        page.wait_for_url(f"{self._region.address}/portal/")
        expect(page.locator("html")).to_have_attribute("lang", self._manner.language)

    def accept(self, link: str) -> None:
        """An invitation, with an account of the region's own that is made there."""
        page = self.page
        page.goto(link)
        self.shot("invited")
        page.fill("#name", self._who)
        page.fill("#title", self._who.title())
        page.fill("#password", "a password of tests")
        self.press("Make the account and accept")
        page.wait_for_url(f"{self._region.address}/portal/")

    def act_for(self, office: str) -> None:
        """One of several that somebody has."""
        self.page.select_option("#hat", label=office)
        self.press("Switch")
        expect(self.page.locator("#hat option:checked")).to_have_text(office)

    def go(self, title: str) -> None:
        """By the navigation, which a phone folds away."""
        page = self.page
        summary = page.locator("details.menu summary")
        if summary.is_visible():
            summary.click()
        page.get_by_role("link", name=self.say(title), exact=True).locator("visible=true").first.click()
        expect(page.locator("nav [aria-current=page]").first).to_have_text(self.say(title))

    def press(self, text: str) -> None:
        self.page.get_by_role("button", name=self.say(text), exact=True).first.click()

    def sees(self, text: str) -> None:
        expect(self.page.locator("main")).to_contain_text(self.say(text))

    def awaits(self, text: str, at: str = "main") -> None:
        """Loads the page anew until it says there what others are doing meanwhile."""
        until = monotonic() + PATIENCE_MS / 1000
        while not any(self.say(text) in it for it in self.page.locator(at).all_inner_texts()):
            assert monotonic() < until, f"{self.page.url} never said {self.say(text)!r}"
            self.page.wait_for_timeout(200)
            self.page.reload()

    def token(self, label: str, *scopes: str) -> str:
        """For a service of the project, by the page of tokens."""
        self.go("Tokens")
        self.page.fill("#label", label)
        for scope in scopes:
            self.page.check(f"[name=scope][value={scope}]")
        self.press("Make a token")
        return self.page.locator("#secret").inner_text()

    def shot(self, name: str) -> None:
        """Of the whole page, for who wants to look: into the folder that BAYGRID_SCREENSHOTS names."""
        if SCREENSHOTS is not None:
            self._shots += 1
            file = f"{self._who}-{self._manner}-{self._shots:02}-{name}.png"
            self.page.evaluate("scrollTo(0, 0)")  # else its head lies over the middle
            self.page.screenshot(path=Path(SCREENSHOTS) / file, full_page=True)

    def faults(self, *more: str) -> list[str]:
        """Of every page of the navigation and `more`: what is serious by axe, or wider than the window."""
        hrefs = [it.get_attribute("href") or "" for it in self.page.locator(".side nav a").all()]
        assert len(hrefs) > 3
        context = self._open(scripts=True, state=self._context.storage_state())
        with context:
            page = context.new_page()
            return [it for path in (*hrefs, *more) if self._new(path) for it in self._looked_at(page, path)]

    def _new(self, path: str) -> bool:
        """To whoever has such a window and such colours."""
        seen = path, self._manner.size["width"], self._manner.dark
        if path in SHARED and seen in self._region.looked:
            return False
        self._region.looked.add(seen)
        return True

    def _looked_at(self, page: Page, path: str) -> list[str]:
        page.goto(f"{self._region.address}{path}")
        if SCREENSHOTS is not None:
            name = re.sub(r"\W+", "-", path.removeprefix("/portal/"))[:40] or "home"
            file = f"{self._who}-{self._manner}-page-{name}.png"
            page.screenshot(path=Path(SCREENSHOTS) / file, full_page=True)
        wide = width(page)
        return [*faults(page), *([f"{path} is {wide} pixels too wide"] if wide > 0 else [])]


Arrive = Callable[..., Person]
