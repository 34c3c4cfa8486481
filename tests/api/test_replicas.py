"""Two servers on one PostgreSQL: what one does, the other's waiters hear."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.store import Tx
from tests.api.acting import later, parse_events, running, submit
from tests.api.world import World, serving


@dataclass
class Pair:
    world: World
    one: str
    other: str

    def client(self, address: str, who: str) -> httpx2.Client:
        return httpx2.Client(base_url=address, headers=self.world.headers(who), timeout=30)


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    world = World(tmp_path, url=postgres_url)
    app, store = world.replica()
    with serving(world.app) as one, serving(app) as other:
        yield Pair(world, one, other)
    store.close()
    world.close()


def test_a_stream_on_one_server_tells_what_another_did(pair: Pair):
    with pair.client(pair.one, "team") as here, pair.client(pair.other, "team") as there:
        attempt = running(pair.world, here)
        finish = later(lambda: pair.world.report("far", attempt, AttemptState.SUCCEEDED, exit_code=0))
        began = time.monotonic()
        with there.stream("GET", f"/v1/jobs/{attempt.job}/events?follow=true") as answer:
            kinds = [event["event"] for event in parse_events(answer.iter_lines())]
        finish.join()
        assert kinds[-1] == "job-succeeded"
        assert time.monotonic() - began < 5


def test_an_open_transaction_delays_the_stream_and_loses_nothing(pair: Pair):
    """Events become readable only when no older transaction runs: whoever was woken before is woken again."""

    def slow(tx: Tx) -> None:
        tx.region.next_gen("hub")
        time.sleep(1.0)

    with (
        pair.client(pair.one, "team") as here,
        pair.client(pair.other, "team") as there,
        there.stream("GET", "/v1/events?follow=true") as answer,
    ):
        events = parse_events(answer.iter_lines())
        blocking = later(lambda: pair.world.store.write(slow), 0.0)
        time.sleep(0.3)
        id = submit(here)
        began = time.monotonic()
        while (event := next(events))["event"] != "job-submitted":
            pass
        assert json.loads(event["data"])["job"] == id
        assert time.monotonic() - began < 5
        blocking.join()


def test_an_agent_parked_at_one_server_gets_what_another_placed(pair: Pair):
    with pair.client(pair.one, "team") as here, pair.client(pair.other, "far") as agent:
        submit(here)
        placing = later(pair.world.place)
        began = time.monotonic()
        found = agent.get("/v1/agent/desired?incarnation=1&wait=20").json()
        placing.join()
        assert len(found["orders"]) == 1
        assert time.monotonic() - began < 5


def test_a_log_on_one_server_is_followed_on_another(pair: Pair):
    with (
        pair.client(pair.one, "team") as here,
        pair.client(pair.one, "far") as agent,
        pair.client(pair.other, "team") as there,
    ):
        attempt = running(pair.world, here)
        with there.stream("GET", f"/v1/jobs/{attempt.job}/logs?follow=true") as answer:
            time.sleep(0.3)
            began = time.monotonic()
            headers = {"Baygrid-Attempt-Token": attempt.token}
            agent.put(f"/v1/agent/logs/{attempt.id}?offset=0", content=b"line\n", headers=headers)
            assert next(answer.iter_bytes()) == b"line\n"
            assert time.monotonic() - began < 5


def test_a_revoked_token_works_elsewhere_for_a_second_at_most(pair: Pair):
    with pair.client(pair.one, "operator") as operator, pair.client(pair.other, "team") as team:
        assert team.get("/v1/me").status_code == 200
        ids = {row["label"]: row["id"] for row in operator.get("/v1/tokens").json()["items"]}
        assert operator.delete(f"/v1/tokens/{ids['team']}").status_code == 204
        time.sleep(1.1)
        assert team.get("/v1/me").status_code == 401
