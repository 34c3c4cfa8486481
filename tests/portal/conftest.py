"""The region of each test, and browsers without a window: one for each who."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from baygrid.portal import app as portal
from tests.api.world import World

Visitor = Callable[..., TestClient]


def csrf(client: TestClient, address: str = "/portal/") -> str:
    """What a form of this visitor must carry."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(address).text)
    assert found is not None
    return found[1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    region = World(tmp_path)
    region.app.router.routes += portal.routes(region.platform)
    yield region
    region.close()


@pytest.fixture
def visitor(world: World) -> Iterator[Visitor]:
    """Signs in as one of `World.secrets`, or stays outside (None)."""
    made: list[TestClient] = []

    def visit(who: str | None = None, language: str = "en") -> TestClient:
        client = TestClient(world.app, base_url="http://test", follow_redirects=False)
        client.headers["accept-language"] = language
        made.append(client)
        if who is not None:
            answer = client.post("/portal/sign-in", data={"token": world.secrets[who], "next": "/portal/"})
            assert answer.status_code == 303, answer.text
        return client

    yield visit
    for client in made:
        client.close()


@pytest.fixture
def things(world: World) -> dict[str, str]:
    """Of project demo, by what addresses call them."""
    return {}
