"""The region of each test, and browsers without a window: one for each who."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from baygrid.app import invitations
from baygrid.app.access import Actor
from baygrid.app.signing_in import COOKIE, begin
from baygrid.portal import app as portal
from baygrid.ports.identity import LOCAL, Level, Of, OfKind
from baygrid.ports.records import Role
from tests.api.world import World, job
from tests.app.people import add_user
from tests.portal import made, owned

Visitor = Callable[..., TestClient]


def csrf(client: TestClient, address: str = "/portal/") -> str:
    """What a form of this visitor must carry."""
    found = re.search(r'name="csrf" value="([\w-]+)"', client.get(address).text)
    assert found is not None
    return found[1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    region = World(tmp_path)
    region.app.router.routes += portal.routes(region.platform)
    yield region
    region.close()


USERS = {
    "team": (Of(OfKind.PROJECT, "demo"), Level.LEAD),
    "member": (Of(OfKind.PROJECT, "demo"), Level.MEMBER),
    "viewer": (Of(OfKind.PROJECT, "demo"), Level.VIEWER),
    "rival": (Of(OfKind.PROJECT, "other"), Level.LEAD),
    "hub": (Of(OfKind.CENTRE, "hub"), Level.OPERATOR),
    "far": (Of(OfKind.CENTRE, "far"), Level.OPERATOR),
    "operator": (Of(OfKind.PLATFORM), Level.OPERATOR),
}


def secret_of(world: World, who: str) -> str:
    """Of a new session of this user, who is made when first asked for."""
    name = f"user-{who}"
    user = world.store.read(lambda tx: tx.users.find(LOCAL, name)) or add_user(
        world.platform, name, USERS[who]
    )
    return world.store.write(lambda tx: begin(world.platform, tx, user.id))[1]


@pytest.fixture
def visitor(world: World) -> Iterator[Visitor]:
    """Signed in as one of `USERS`, or outside (None)."""
    made: list[TestClient] = []

    def visit(who: str | None = None, language: str = "en") -> TestClient:
        client = TestClient(world.app, base_url="http://localhost", follow_redirects=False)
        client.headers["accept-language"] = language
        made.append(client)
        if who is not None:
            client.cookies.set(COOKIE, secret_of(world, who))
        return client

    yield visit
    for client in made:
        client.close()


@pytest.fixture
def things(world: World) -> dict[str, str]:
    """Of project demo, by what addresses call them."""
    operator = Actor("tok-operator", Role.OPERATOR, "operator")
    invitation = invitations.invite(world.platform, operator, USERS["member"][0], Level.MEMBER)
    with TestClient(world.app, base_url="http://localhost") as client:
        done = made.run(world, client, made.tar())
        array = job("many", array={"range": "1-3"})
        many = client.post("/v1/jobs", json=array, headers=world.headers("team")).json()
    return {
        "project": "demo",
        "centre": "far",
        "job": done,
        "array": many["id"],
        "name": "made",
        "number": owned.paper(world),
        "table": owned.table(world),
        "contract": owned.contract(world),
        "book": "example",
        "secret": invitation.secret,
    }
