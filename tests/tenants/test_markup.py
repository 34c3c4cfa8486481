"""Whatever people, programs and centres write, no page takes it for its own markup."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from baygrid.ports.identity import LOCAL, Level, Of
from baygrid.ports.store import Tx
from tests.tenants.asking import asks, cookie
from tests.tenants.region import Region

HOSTILE = "'\"><script>alert(1)</script><img src=x onerror=alert(2)><a href=javascript:alert(3)>{{ 7 * 7 }}"
FREE = ("title", "purpose", "payer", "reference", "label", "run", "note", "compute_contract_name")
"""What bodies say in the writer's own words."""
SCHEMES = ("/", "#", "?", "http://", "https://", "data:image/svg+xml", "data:image/png", "mailto:")


class Written(Region):
    """In which everybody writes markup wherever words are their own."""

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: Any = None, status: int = 201
    ) -> Any:
        if isinstance(body, dict):
            body = {key: f"{it} {HOSTILE}" if key in FREE else it for key, it in body.items()}
        return super().ask(method, path, headers, body, status)

    def session(self, name: str, of: Of, level: Level) -> str:
        secret = super().session(name, of, level)
        self.store.write(lambda tx: _rename(tx, name))
        return secret


def _rename(tx: Tx, name: str) -> None:
    user = tx.users.find(LOCAL, name)
    assert user is not None
    tx.users.update(replace(user, name=HOSTILE))


class Markup(HTMLParser):
    """What a page has that it must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/portal/static/"):
            self.wrong.append(f"a script {given}")
        if tag in ("style", "iframe", "object", "embed", "base"):
            self.wrong.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.wrong.append(f"{name}={value}")
            leads = name in ("href", "src", "action", "formaction", "data") and value
            if leads and not leads.startswith(SCHEMES):
                self.wrong.append(f"{name}={value}")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_page_takes_what_is_written_for_markup(tmp_path: Path):
    region = Written(tmp_path)
    try:
        amber = region.settle("amber", "4410.10")
        people = amber.sessions | region.sessions
        shown = 0
        for who, secret in people.items():
            for ask in asks(region):
                if ask.method != "GET" or not ask.address.startswith("/portal"):
                    continue
                answer = region.client.get(ask.url(amber.things), headers=cookie(secret))
                if not answer.headers.get("content-type", "").startswith("text/html"):
                    continue
                page = Markup()
                page.feed(answer.text)
                assert not page.wrong, f"{who}: {ask}: {page.wrong}"
                shown += answer.text.count("alert(1)")
        assert shown > 20, "what was written is on pages"
    finally:
        region.close()
