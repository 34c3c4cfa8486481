"""The region of each test, and clients for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from baygrid.core.jobs.lifecycle import AttemptState
from tests.api.liar import DIGEST, HOUR, TAR, Liar
from tests.api.world import World, job, serving


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    region = World(tmp_path)
    yield region
    region.close()


@pytest.fixture
def api(world: World) -> Iterator[TestClient]:
    """In this process, without a socket."""
    with TestClient(world.app, base_url="http://test") as client:
        yield client


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """A real server on a real socket."""
    with serving(world.app) as found:
        yield found


@pytest.fixture(scope="module")
def lied_to(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, httpx2.Client]]:
    """One real server for all: whatever is refused changes nothing."""
    world = World(tmp_path_factory.mktemp("region"))
    with (
        serving(world.app) as address,
        httpx2.Client(base_url=address, headers=world.headers("far"), timeout=60) as client,
    ):
        client.put(f"/v1/blobs/{DIGEST}", content=TAR, headers=world.headers("rival")).raise_for_status()
        yield world, client
    world.close()


@pytest.fixture
def liar(lied_to: tuple[World, httpx2.Client]) -> Iterator[Liar]:
    world, client = lied_to
    documents = [
        job(infra="far", outputs={"result": "result"}, checkpoint={"path": "ckpt"}),
        job(infra="hub", resources={"accelerators": "H100:1"}),
    ]
    made = [client.post("/v1/jobs", json=one, headers=world.headers("team")) for one in documents]
    world.place()
    world.clock.ahead_ms += HOUR
    (mine,), (theirs,) = (world.attempts(answer.json()["id"]) for answer in made)
    world.app.state.server.refusals._centres.clear()
    found = Liar(world, client, mine, theirs)
    found.send(found.report()).raise_for_status()
    found.earlier = found.refusals()
    yield found
    world.report("far", mine, AttemptState.CANCELLED, ended_at=world.clock())
    world.report("hub", theirs, AttemptState.CANCELLED, ended_at=world.clock())
