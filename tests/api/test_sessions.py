"""Tokens: remembered for a second, and refused at once when revoked."""

import pytest
from starlette.testclient import TestClient

from baygrid.api.sessions import Sessions
from baygrid.app.access import authenticate
from baygrid.app.problems import Unauthorized
from tests.api.world import World, job


def test_a_busy_client_costs_one_read_a_second(world: World, monkeypatch: pytest.MonkeyPatch):
    reads = 0

    def counted(*args):
        nonlocal reads
        reads += 1
        return authenticate(*args)

    monkeypatch.setattr("baygrid.api.sessions.authenticate", counted)
    sessions = Sessions(world.platform)
    header = world.headers("team")["Authorization"]
    assert sessions.known(header) is None
    actor = sessions.authenticate(header)
    assert sessions.known(header) == actor
    assert reads == 1
    world.clock.ahead_ms += 1000
    assert sessions.known(header) is None


def test_a_revocation_between_the_read_and_the_remembering_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    sessions = Sessions(world.platform)
    header = world.headers("team")["Authorization"]

    def slow(*args):
        actor = authenticate(*args)
        sessions.forget()  # revoked on this server just after the read
        return actor

    monkeypatch.setattr("baygrid.api.sessions.authenticate", slow)
    sessions.authenticate(header)
    assert sessions.known(header) is None


def test_an_unknown_token_is_not_remembered(world: World):
    sessions = Sessions(world.platform)
    for _ in range(2):
        with pytest.raises(Unauthorized):
            sessions.authenticate("Bearer nobody")
    assert sessions.known("Bearer nobody") is None


def test_a_revoked_token_is_refused_at_once(world: World, api: TestClient):
    operator, team = world.headers("operator"), world.headers("team")
    assert api.post("/v1/jobs", json=job(), headers=team).status_code == 201
    listed = api.get("/v1/tokens", headers=operator).json()["items"]
    id = next(row["id"] for row in listed if row["label"] == "team")
    assert api.delete(f"/v1/tokens/{id}", headers=operator).status_code == 204
    before = world.dump()
    assert api.post("/v1/jobs", json=job(), headers=team).status_code == 401
    assert api.get("/v1/me", headers=team).status_code == 401
    assert world.dump() == before
    assert api.delete(f"/v1/tokens/{id}", headers=operator).status_code == 204
