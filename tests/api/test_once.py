"""A request about money that is repeated with its Idempotency-Key is done once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.world import World

POOL = {"name": "p", "payer": "b", "rulebook": "example", "clause": "compute-share", "amount": "10 CNY"}
REQUESTS = [("/v1/projects/demo/grants", "granted"), ("/v1/pools/p/changes", "amount")]


def ask(client: TestClient, world: World, path: str, key: str | None, amount: str = "5 CNY") -> Any:
    headers = world.headers("operator") | ({"Idempotency-Key": key} if key else {})
    return client.post(path, json={"amount": amount}, headers=headers)


@pytest.fixture
def client(world: World) -> TestClient:
    made = TestClient(world.app)
    made.post("/v1/pools", json=POOL, headers=world.headers("operator")).raise_for_status()
    return made


@pytest.mark.parametrize(("path", "field"), REQUESTS)
def test_the_same_key_does_it_once(client: TestClient, world: World, path: str, field: str):
    first = ask(client, world, path, "one").raise_for_status().json()[field]["minor"]
    assert ask(client, world, path, "one").raise_for_status().json()[field]["minor"] == first
    assert ask(client, world, path, "two").raise_for_status().json()[field]["minor"] == first + 500
    assert ask(client, world, path, None).raise_for_status().json()[field]["minor"] == first + 1000
    other = ask(client, world, path, "one", "6 CNY")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert ask(client, world, path, "two").raise_for_status().json()[field]["minor"] == first + 1000


@pytest.mark.parametrize(("path", "field"), REQUESTS)
def test_eight_at_once_do_it_once(client: TestClient, world: World, path: str, field: str):
    before = ask(client, world, path, "before").json()[field]["minor"]
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: ask(client, world, path, "same"), range(8)))
    assert {answer.status_code // 100 for answer in answers} == {2}
    assert ask(client, world, path, "same").json()[field]["minor"] == before + 500
