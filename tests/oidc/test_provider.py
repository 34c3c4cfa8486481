"""Signing in at a real provider, the npm package oidc-provider, through the pages of the portal."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest
from starlette.testclient import TestClient

from baygrid.api.app import create_app
from baygrid.app import invitations
from baygrid.app.access import Actor
from baygrid.oidc.client import Providers
from baygrid.oidc.settings import load
from baygrid.portal import app as portal
from baygrid.ports.identity import Level, Of
from baygrid.ports.records import Role
from tests.api.world import World
from tests.services import NOT_INSTALLED, free_port

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parents[2] / "scripts" / "engines" / "oidc.sh"
BACK = "http://localhost/portal/oidc/region/callback"
SECRET = "the secret of a client of tests"
DEMO = Of.parse("project:demo")
SETTINGS = """
providers:
  - id: region
    title: The region
    issuer: http://127.0.0.1:%(port)s
    client_id: baygrid
    client_secret_file: %(secret)s
    scopes: [openid, profile, email, groups]
    memberships:
      - {group: vision-leads, of: "project:demo", level: lead}
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    installed = subprocess.run([SCRIPT, "install"], capture_output=True, text=True, check=False)
    if installed.returncode == NOT_INSTALLED:
        pytest.skip(f"needs what scripts/engines/oidc.sh installs: {installed.stderr.strip()}")
    assert installed.returncode == 0, installed.stderr
    port = free_port()
    with serving([str(SCRIPT), "run", str(port), SECRET, BACK]):
        yield port


@contextmanager
def serving(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            assert any(line == "ready\n" for line in lines), "the provider did not start"
            yield
        finally:
            process.terminate()


@pytest.fixture
def world(tmp_path: Path, port: int) -> Iterator[World]:
    (tmp_path / "secret").write_text(SECRET)
    region = World(tmp_path)
    known = load(SETTINGS % {"port": port, "secret": tmp_path / "secret"})
    http = httpx2.Client()
    identity = Providers(known, time.monotonic, http)
    region.platform = replace(region.platform, identity=identity)
    region.app = create_app(region.platform, role=lambda: "leader")
    region.app.router.routes += portal.routes(region.platform)
    yield region
    http.close()
    region.close()


@pytest.fixture
def browser(world: World) -> Iterator[TestClient]:
    with TestClient(world.app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


def at_the_provider(address: str, who: str) -> str:
    """What a person does there, until it sends the browser back: the address with its answer."""
    with httpx2.Client(follow_redirects=False) as there:
        answer = there.get(address)
        for _ in range(12):
            if answer.is_redirect:
                address = urljoin(address, answer.headers["location"])
                if address.startswith(BACK):
                    return address
                answer = there.get(address)
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            assert form is not None, answer.text
            asks = "login" if 'name="login"' in answer.text else "consent"
            address = urljoin(address, form[1])
            answer = there.post(address, data={"prompt": asks, "login": who, "password": "any"})
    raise AssertionError("the provider sends nobody back")


def begin(browser: TestClient, query: str = "") -> str:
    left = browser.get(f"/portal/oidc/region{query}")
    assert left.status_code == 303, left.text
    return str(left.headers["location"])


def test_somebody_signs_in_by_the_provider_and_lands_where_they_wanted(browser: TestClient):
    page = browser.get("/portal/sign-in?next=/portal/members").text
    assert "Sign in with The region" in page
    link = re.search(r'href="(/portal/oidc/region\?[^"]+)"', page)
    assert link is not None
    left = browser.get(link[1])
    cookie = left.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/portal/oidc" in cookie
    back = browser.get(at_the_provider(left.headers["location"], "chan"))
    assert (back.status_code, back.headers["location"]) == (303, "/portal/members"), back.text
    members = browser.get("/portal/members").text
    assert "Chan Tai Man 陳大文" in members
    assert "chan@example.org" in members
    assert 'lang="zh-Hant"' in members, "in the language that the provider says"


def test_the_same_answer_counts_once(browser: TestClient):
    answer = at_the_provider(begin(browser), "chan")
    assert browser.get(answer).status_code == 303
    browser.cookies.clear()
    assert browser.get(answer).status_code in (303, 401)
    assert browser.get("/portal/").status_code == 303, "nobody is in by it"


def test_the_answer_of_one_browser_is_none_in_another(world: World, browser: TestClient):
    answer = at_the_provider(begin(browser), "chan")
    with TestClient(world.app, base_url="http://localhost", follow_redirects=False) as other:
        for begun in (False, True):
            if begun:
                begin(other)
            refused = other.get(answer)
            assert "baygrid=" not in refused.headers.get("set-cookie", "")
            assert other.get("/portal/").headers["location"].startswith("/portal/sign-in")


def test_nobody_is_led_out_of_the_portal(browser: TestClient):
    answer = at_the_provider(begin(browser, "?next=https://evil.example/"), "chan")
    assert browser.get(answer).headers["location"] == "/portal/"


def test_who_belongs_nowhere_needs_an_invitation(world: World, browser: TestClient):
    refused = browser.get(at_the_provider(begin(browser), "wu"))
    assert refused.status_code == 403
    assert "belongs to no project" in refused.text
    operator = Actor("tok-operator", Role.OPERATOR, "operator")
    made = invitations.invite(world.platform, operator, DEMO, Level.VIEWER)
    page = browser.get(made.path).text
    link = re.search(r'href="(/portal/oidc/region\?[^"]+)"', page)
    assert link is not None
    back = browser.get(at_the_provider(begin(browser, f"?{link[1].partition('?')[2]}"), "wu"))
    assert back.status_code == 303, back.text
    assert "Wu 吴" in browser.get("/portal/members").text
    links = world.store.read(lambda tx: tx.audit.after(0, 1000))
    assert [link.kind for link in links][-2:] == ["membership-set", "signed-in"]


def test_a_provider_that_nobody_has_named_is_none(browser: TestClient):
    assert browser.get("/portal/oidc/other").status_code == 404
