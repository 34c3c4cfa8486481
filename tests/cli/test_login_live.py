"""`baygrid login`: a command line asks, its user lets it in with a browser, `logout` ends it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.cli.live import BAYGRID, PATIENCE_S, Live

pytestmark = pytest.mark.slow


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    region = Live(tmp_path)
    yield region
    region.close()


class Laptop:
    """Another machine of the user's, with a folder of its own."""

    def __init__(self, live: Live, folder: Path) -> None:
        folder.mkdir()
        self._environ = {**live._environ, "HOME": str(folder)}
        self._address = live.address

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BAYGRID, *arguments], env=self._environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def call(self, *arguments: str, code: int = 0) -> str:
        with self.start(*arguments) as process:
            said, wrong = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == code, wrong
        return said

    def asks(self) -> tuple[subprocess.Popen[str], str]:
        """`baygrid login`, and the address that it shows."""
        process = self.start("login", "--server", self._address, "--no-browser")
        assert process.stderr is not None
        found = re.search(r"http\S+", process.stderr.readline())
        assert found is not None
        return process, found[0]


@pytest.fixture
def browser(live: Live, tmp_path: Path) -> Iterator[httpx2.Client]:
    """In which `admin` has signed in with the password of the first start."""
    password = (tmp_path / ".baygrid" / "admin.password").read_text()
    with httpx2.Client(base_url=live.address) as client:
        typed = {"name": "admin", "password": password, "next": "/portal/"}
        assert client.post("/portal/sign-in", data=typed).status_code == 303
        yield client


def decide(browser: httpx2.Client, address: str, decision: str, hat: str = "project:default") -> str:
    page = browser.get(address).text
    fields: dict[str, Any] = dict(re.findall(r'name="(csrf|code)"[^>]*value="([^"]+)"', page))
    answer = browser.post("/portal/device", data=fields | {"hat": hat, "decision": decision})
    assert answer.status_code == 200, answer.text
    return str(fields["code"])


def test_a_command_line_is_let_in_acts_as_its_user_and_leaves(
    live: Live, browser: httpx2.Client, tmp_path: Path
):
    laptop = Laptop(live, tmp_path / "laptop")
    process, address = laptop.asks()
    code = decide(browser, address, "confirm")
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, said) == (0, f"logged in at {live.address} as team of default\n")
    assert code in address
    assert (tmp_path / "laptop/.config/baygrid/config.json").stat().st_mode & 0o777 == 0o600
    me = json.loads(laptop.call("whoami", "--json"))
    assert (me["project"], me["scopes"]) == ("default", ["manage", "read", "use"])
    assert me["user"] is not None
    assert "/portal/invitations/" in laptop.call("invite", "viewer")
    assert "Administrator" in laptop.call("members")
    assert laptop.call("logout") == f"logged out of {live.address}\n"
    laptop.call("whoami", "--server", live.address, code=1)
    (mine,) = [it for it in live.client.items("/v1/tokens") if it["user"] == me["user"]]
    assert mine["revoked_at"] is not None
    assert laptop.call("logout") == "you are not logged in\n"


def test_one_that_is_denied_remembers_nothing(live: Live, browser: httpx2.Client, tmp_path: Path):
    laptop = Laptop(live, tmp_path / "laptop")
    process, address = laptop.asks()
    decide(browser, address, "deny")
    _, wrong = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "it was denied in the browser" in wrong
    assert not (tmp_path / "laptop/.config").exists()
