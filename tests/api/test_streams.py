"""Events, followed logs and parked requests, on a real server."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from tests.api.acting import later, parse_events, running, submit
from tests.api.world import World, job, waiting

SOON_S = 5.0


@pytest.fixture
def team(world: World, address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, headers=world.headers("team"), timeout=10) as client:
        yield client


@pytest.fixture
def agent(world: World, address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, headers=world.headers("far"), timeout=70) as client:
        yield client


def test_a_jobs_stream_tells_everything_and_ends(world: World, team: httpx2.Client):
    attempt = running(world, team)
    finish = later(lambda: world.report("far", attempt, AttemptState.SUCCEEDED, exit_code=0))
    began = time.monotonic()
    headers = {"Accept": "text/event-stream"}
    with team.stream("GET", f"/v1/jobs/{attempt.job}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = list(parse_events(answer.iter_lines()))
    finish.join()
    assert time.monotonic() - began < SOON_S
    kinds = [event["event"] for event in found]
    assert kinds[0] == "job-submitted"
    assert kinds[-1] == "job-succeeded"
    assert "attempt-running" in kinds
    for event in found:
        data = json.loads(event["data"])
        assert (data["cursor"], data["kind"], data["job"]) == (event["id"], event["event"], attempt.job)
    listed = team.get(f"/v1/jobs/{attempt.job}/events").json()
    assert [item["cursor"] for item in listed["items"]] == [event["id"] for event in found]
    # Who comes back with the last id it saw gets what came after it.
    headers = {"Last-Event-ID": found[1]["id"]}
    with team.stream("GET", f"/v1/jobs/{attempt.job}/events?follow=true", headers=headers) as answer:
        again = list(parse_events(answer.iter_lines()))
    assert again == found[2:]


def test_a_projects_stream_has_only_its_own_events_and_no_end(
    world: World, address: str, team: httpx2.Client
):
    submit(team)
    with team.stream("GET", "/v1/events?follow=true") as answer:
        events = parse_events(answer.iter_lines())
        while next(events)["event"] != "job-submitted":
            pass
        with httpx2.Client(base_url=address, headers=world.headers("rival")) as rival:
            submit(rival)
        mine = submit(team, name="second")
        assert json.loads(next(events)["data"])["job"] == mine


def test_an_operator_sees_the_region(world: World, address: str, team: httpx2.Client):
    with (
        httpx2.Client(base_url=address, headers=world.headers("operator")) as operator,
        operator.stream("GET", "/v1/events?follow=true") as answer,
    ):
        events = parse_events(answer.iter_lines())
        later(lambda: submit(team)).join()
        while next(events)["event"] != "job-submitted":
            pass


def test_a_quiet_stream_has_heartbeats(team: httpx2.Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("baygrid.api.streams.HEARTBEAT_S", 0.05)
    id = submit(team)
    with team.stream("GET", f"/v1/jobs/{id}/events?follow=true") as answer:
        beats = 0
        for line in answer.iter_lines():
            beats += line == ":"
            if beats == 3:
                break


def test_pages_of_events(world: World, team: httpx2.Client):
    id = submit(team)
    team.post(f"/v1/jobs/{id}/cancel")
    first = team.get(f"/v1/jobs/{id}/events?limit=1").json()
    assert [item["kind"] for item in first["items"]] == ["job-submitted"]
    second = team.get(f"/v1/jobs/{id}/events?after={first['next']}").json()
    assert [item["kind"] for item in second["items"]] == ["job-cancelled"]
    assert second["next"] is None


def test_a_log_is_read_by_offset_and_followed_to_its_end(
    world: World, team: httpx2.Client, agent: httpx2.Client
):
    attempt = running(world, team)

    def append(offset: int, data: bytes) -> int:
        headers = {"Baygrid-Attempt-Token": attempt.token}
        answer = agent.put(f"/v1/agent/logs/{attempt.id}?offset={offset}", content=data, headers=headers)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["size"])

    assert append(0, b"one\n") == 4
    assert append(0, b"one\n") == 4
    assert append(2, b"e\ntwo\n") == 8
    assert append(100, b"a gap") == 8
    read = team.get(f"/v1/jobs/{attempt.job}/logs?offset=4")
    assert read.content == b"two\n"
    assert (read.headers["log-size"], read.headers["log-complete"]) == ("8", "false")
    assert team.get(f"/v1/jobs/{attempt.job}/logs?offset=99").content == b""

    def finish() -> None:
        append(8, b"three\n")
        world.report("far", attempt, AttemptState.FAILED, exit_code=1, cause="exit-code")

    thread = later(finish)
    began = time.monotonic()
    with team.stream("GET", f"/v1/jobs/{attempt.job}/logs?follow=true") as answer:
        assert answer.read() == b"one\ntwo\nthree\n"
    thread.join()
    assert time.monotonic() - began < SOON_S
    assert team.get(f"/v1/jobs/{attempt.job}/logs").headers["log-complete"] == "true"


def test_a_new_stretch_of_log_reaches_its_follower_at_once(
    world: World, team: httpx2.Client, agent: httpx2.Client
):
    attempt = running(world, team)
    headers = {"Baygrid-Attempt-Token": attempt.token}
    with team.stream("GET", f"/v1/jobs/{attempt.job}/logs?follow=true") as answer:
        time.sleep(0.2)
        began = time.monotonic()
        agent.put(f"/v1/agent/logs/{attempt.id}?offset=0", content=b"line\n", headers=headers)
        assert next(answer.iter_bytes()) == b"line\n"
        assert time.monotonic() - began < 2


def test_a_log_is_followed_from_before_the_job_runs(world: World, team: httpx2.Client):
    id = submit(team)
    done = later(lambda: team.post(f"/v1/jobs/{id}/cancel"))
    with team.stream("GET", f"/v1/jobs/{id}/logs?follow=true") as answer:
        assert answer.read() == b""
    done.join()
    assert team.get(f"/v1/jobs/{id}/logs").status_code == 409


def test_a_long_log_in_pieces(world: World, team: httpx2.Client, agent: httpx2.Client):
    attempt = running(world, team)
    text = b"".join(b"line %06d\n" % n for n in range(100_000))
    headers = {"Baygrid-Attempt-Token": attempt.token}
    assert (
        agent.put(f"/v1/agent/logs/{attempt.id}?offset=0", content=text, headers=headers).status_code == 200
    )
    read = team.get(f"/v1/jobs/{attempt.job}/logs?offset=7")
    assert read.content == text[7:]
    assert read.headers["log-complete"] == "false"
    world.report("far", attempt, AttemptState.FAILED, exit_code=1, cause="exit-code")
    assert team.get(f"/v1/jobs/{attempt.job}/logs?offset=7").headers["log-complete"] == "true"


def test_a_parked_agent_is_woken_by_an_order(world: World, team: httpx2.Client, agent: httpx2.Client):
    first = agent.get("/v1/agent/desired?incarnation=1").json()
    id = submit(team)
    waking = later(world.place)
    began = time.monotonic()
    found = agent.get(f"/v1/agent/desired?incarnation=1&after={first['gen']}&wait=30").json()
    waking.join()
    assert time.monotonic() - began < SOON_S
    assert [order["job"] for order in found["orders"]] == [id]
    assert found["gen"] > first["gen"]


def test_a_parked_agent_is_answered_at_its_deadline(agent: httpx2.Client):
    began = time.monotonic()
    found = agent.get("/v1/agent/desired?incarnation=1&wait=0.3").json()
    assert 0.25 < time.monotonic() - began < SOON_S
    assert found == {"gen": 0, "orders": [], "stops": []}


def test_waiting_holds_no_thread(world: World, address: str, team: httpx2.Client):
    """More parked requests than the server has threads, and it still answers."""
    address_parts = httpx2.URL(address)
    many = []
    for _ in range(100):
        connection = socket.create_connection((address_parts.host, address_parts.port or 0), timeout=10)
        token = world.secrets["far"]
        connection.sendall(
            f"GET /v1/agent/desired?incarnation=1&after=0&wait=30 HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        many.append(connection)
    hub = world.app.state.server.hub
    _until(lambda: waiting(hub, "centre:far") == 100)
    began = time.monotonic()
    submit(team)
    assert time.monotonic() - began < 1
    for connection in many[:50]:
        connection.close()
    _until(lambda: waiting(hub, "centre:far") == 50)
    world.place()
    for connection in many[50:]:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        connection.close()
    _until(lambda: waiting(hub, "centre:far") == 0)


def _until(true: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_client_that_leaves_a_stream_leaves_no_waiter(world: World, team: httpx2.Client):
    hub = world.app.state.server.hub
    with team.stream("GET", "/v1/events?follow=true") as answer:
        chunks = answer.iter_bytes()  # kept: an iterator that is thrown away closes the stream
        next(chunks)
        _until(lambda: waiting(hub, "project:demo") == 1)
    _until(lambda: waiting(hub, "project:demo") == 0)


def test_stopping_the_server_ends_every_wait(world: World, agent: httpx2.Client, team: httpx2.Client):
    closing = later(world.app.state.server.hub.close)
    began = time.monotonic()
    assert agent.get("/v1/agent/desired?incarnation=1&after=0&wait=30").json()["orders"] == []
    with team.stream("GET", "/v1/events?follow=true") as answer:
        answer.read()
    closing.join()
    assert time.monotonic() - began < SOON_S


def test_a_revoked_token_ends_streams_and_parked_requests(
    world: World, address: str, team: httpx2.Client, agent: httpx2.Client
):
    with httpx2.Client(base_url=address, headers=world.headers("operator")) as operator:
        ids = {row["label"]: row["id"] for row in operator.get("/v1/tokens").json()["items"]}
        with team.stream("GET", "/v1/events?follow=true") as answer:
            events = parse_events(answer.iter_lines())
            assert next(events)
            assert team.get("/v1/jobs").status_code == 200
            assert operator.delete(f"/v1/tokens/{ids['team']}").status_code == 204
            assert team.get("/v1/jobs").status_code == 401
            with httpx2.Client(base_url=address, headers=world.headers("rival")) as rival:
                submit(rival)  # wakes nobody of demo
            operator.post("/v1/jobs", json=job(project="demo"))
            kinds = [event["event"] for event in events]
            assert kinds.count("job-submitted") == 0
        waking = later(lambda: operator.delete(f"/v1/tokens/{ids['far']}"))
        later(lambda: world.store.write(lambda tx: tx.region.next_gen("far")), 0.4).join()
        waking.join()
        assert agent.get("/v1/agent/desired?incarnation=1").status_code == 401
