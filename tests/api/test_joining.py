"""How an agent comes by its credential over HTTP, and how that ends."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.centres.keys import Key
from baygrid.ports.messages import join_bytes
from tests.api.acting import later
from tests.api.world import World, serving, waiting

HOUR_MS = 3_600_000
Json = dict[str, Any]


class Agent:
    """What an agent has: a key, and secrets of its own making."""

    def __init__(self, api: TestClient, world: World) -> None:
        self._client, self._world = api, world
        self.key = Key.new()
        self.seq = 0

    def join(self, token: str, secret: str = "first", centre: str = "new", **more: Any) -> Any:
        digest = hashlib.sha256(secret.encode()).hexdigest()
        body = {"public_key": self.key.public_key, "credential": digest}
        body["signature"] = self.key.sign(join_bytes(centre, digest))
        return self._client.post("/v1/agent/join", json={**body, **more}, headers=bearer(token))

    def renew(self, secret: str, following: str) -> Any:
        body = {"credential": hashlib.sha256(following.encode()).hexdigest()}
        return self._client.post("/v1/agent/credential", json=body, headers=bearer(secret))

    def report(self, secret: str) -> Any:
        self.seq += 1
        report = {"version": 1, "incarnation": 1, "seq": self.seq, "ack": 0, "now": 0, "attempts": []}
        report |= {"inventory_digest": "d", "inventory": [], "public_key": self.key.public_key}
        return self._client.post("/v1/agent/report", json=report, headers=bearer(secret))


@pytest.fixture
def agent(api: TestClient, world: World) -> Agent:
    return Agent(api, world)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def create(api: TestClient, world: World, **more: Any) -> Json:
    body = {"name": "new", "jurisdiction": "CN-QH", **more}
    answer = api.post("/v1/centres", json=body, headers=world.headers("operator"))
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


def operate(api: TestClient, world: World, verb: str, **body: Any) -> Any:
    headers = world.headers("operator")
    return api.post(f"/v1/centres/new/{verb}", headers=headers, json=body or None)


def events(world: World) -> list[str]:
    return [row["kind"] for row in _events(world)]


def _events(world: World) -> list[Json]:
    with TestClient(world.app) as api:
        found: list[Json] = api.get("/v1/events", headers=world.headers("operator")).json()["items"]
        return [row for row in found if row["centre"] == "new"]


def test_a_token_is_exchanged_for_a_credential_that_the_agent_made(api, world, agent):
    made = create(api, world)
    told = api.get("/v1/agent/join", headers=bearer(made["join_token"])).json()
    assert (told["centre"]["name"], told["used"], told["with_offers"]) == ("new", False, False)
    assert agent.report("first").status_code == 401
    assert agent.join(made["join_token"]).status_code == 200
    assert agent.report("first").status_code == 200
    told = ["centre-added", "token-issued", "credential-issued", "credential-used", "centre-joined"]
    assert events(world) == [*told, "inventory-changed"]
    dump = str(world.dump())
    assert made["join_token"] not in dump
    assert "first" not in [word for row in world.dump()["tokens"] for word in row]


def test_the_token_does_nothing_else(api, world):
    token = create(api, world)["join_token"]
    for address in ("/v1/centres", "/v1/offers", "/v1/jobs", "/v1/tokens", "/v1/agent/desired?incarnation=1"):
        assert api.get(address, headers=bearer(token)).status_code == 403, address


def test_a_lost_answer_locks_nobody_out(api, world, agent):
    token = create(api, world)["join_token"]
    assert agent.join(token).status_code == 200
    assert agent.join(token).status_code == 200, "the same again"
    assert agent.join(token, "second").status_code == 200, "its secret was lost, too"
    assert agent.report("first").status_code == 401
    assert agent.report("second").status_code == 200


def test_another_agent_cannot_use_it_again(api, world, agent):
    token = create(api, world)["join_token"]
    agent.join(token)
    refused = Agent(api, world).join(token, "thief")
    assert refused.status_code == 409
    assert "baygrid centres invite new" in refused.json()["detail"]
    assert agent.report("thief").status_code == 401


def test_it_lasts_an_hour(api, world, agent):
    token = create(api, world)["join_token"]
    world.clock.ahead_ms = HOUR_MS + 1
    refused = agent.join(token)
    assert refused.status_code == 401
    assert "has expired: ask the region's operator for a new join token" in refused.json()["detail"]


def test_a_token_that_is_not_known_says_where_another_comes_from(api, agent):
    asked = api.get("/v1/agent/join", headers=bearer("abc"))
    for refused in (asked, agent.join("abc"), api.get("/v1/agent/join")):
        assert refused.status_code == 401
        told = "this join token is not known, was used, or has expired: ask for another"
        assert refused.json()["detail"] == f"{told} with `baygrid centres invite NAME`"
        assert "Bearer" in refused.headers["WWW-Authenticate"]
    elsewhere = api.get("/v1/jobs", headers=bearer("abc"))
    assert "baygrid tokens create" in elsewhere.json()["detail"]


def test_a_new_invitation_ends_the_one_before(api, world, agent):
    first = create(api, world)["join_token"]
    second = operate(api, world, "invitations", with_offers=False).json()["join_token"]
    assert agent.join(first).status_code == 401
    assert agent.join(second).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"signature": "00"}, {"credential": "00" * 32}, {"public_key": "ff" * 32}, {"credential": "secret"}],
    ids=str,
)
def test_only_the_keys_own_signature_counts(api, world, agent, change):
    token = create(api, world)["join_token"]
    assert agent.join(token, **change).status_code == 422
    assert agent.join(token).status_code == 200, "it was not used"


def test_a_credential_of_somebody_else_cannot_be_taken_on(api, world, agent):
    token = create(api, world)["join_token"]
    theirs = world.secrets["far"]
    assert agent.join(token, theirs).status_code == 409
    assert api.get("/v1/me", headers=world.headers("far")).json()["centre"] == "far"


def test_offers_only_where_the_token_allows_them(api, world, agent):
    price = {"currency": "CNY", "cpu_hour": "0.2", "gib_hour": "0.02"}
    proposed = [{"partition": "main", **price}, {"partition": "gpu", "accelerator": "H100", **price}]
    proposed[1]["accelerator_hour"] = "20"
    plain = create(api, world)["join_token"]
    refused = agent.join(plain, offers=proposed)
    assert refused.status_code == 403
    assert "--with-offers" in refused.json()["detail"]
    token = operate(api, world, "invitations", with_offers=True).json()["join_token"]
    made = agent.join(token, offers=proposed)
    assert made.json()["offers"] == ["new-main", "new-gpu-H100"]
    assert agent.join(token, offers=proposed).json()["offers"] == [], "they are there"
    wrong = agent.join(token, offers=[{"partition": "x", "currency": "XYZ"}])
    assert wrong.status_code == 422


def test_a_new_credential_ends_the_old_one_when_it_is_used(api, world, agent):
    agent.join(create(api, world)["join_token"])
    assert agent.report("first").json()["renew"] is False
    assert agent.renew("first", "second").status_code == 409, "nobody asked"
    assert operate(api, world, "rotate").json()["renewing"] is True
    assert agent.report("first").json()["renew"] is True
    assert agent.renew("first", "second").status_code == 204
    assert agent.renew("first", "second").status_code == 204, "a lost answer"
    assert agent.report("first").json()["renew"] is True, "still valid, since the new one was not used"
    assert agent.report("second").json()["renew"] is False
    assert agent.report("first").status_code == 401
    assert agent.report("second").json()["renew"] is False
    assert api.get("/v1/centres/new", headers=world.headers("operator")).json()["renewing"] is False
    assert events(world)[-4:] == [
        "credential-renewal-asked",
        "credential-issued",
        "token-revoked",
        "credential-used",
    ]


def test_who_has_no_credential_cannot_renew_it(api, world):
    create(api, world)
    assert operate(api, world, "rotate").status_code == 409


def test_a_revoked_agent_is_refused_at_once_and_may_join_anew(api, world, agent):
    token = create(api, world)["join_token"]
    agent.join(token)
    agent.report("first")
    assert operate(api, world, "revoke").status_code == 200
    refused = agent.report("first")
    assert refused.status_code == 401
    assert "was taken back" in refused.json()["detail"]
    assert "baygrid centres invite new" in refused.json()["detail"]
    assert agent.join(token).status_code == 401, "the join token is taken back, too"
    assert "centre-revoked" in events(world)
    again = operate(api, world, "invitations", with_offers=False).json()["join_token"]
    assert agent.join(again, "third").status_code == 200
    assert agent.report("third").status_code == 200


def test_a_parked_request_ends_when_its_agent_is_revoked(world, agent, api):
    import httpx2

    agent.join(create(api, world)["join_token"])
    agent.report("first")
    with serving(world.app) as address, httpx2.Client(base_url=address, headers=bearer("first")) as parked:
        hub = world.app.state.server.hub

        def revoke() -> None:
            while not waiting(hub, "centre:new"):
                pass
            headers = world.headers("operator")
            httpx2.post(f"{address}/v1/centres/new/revoke", headers=headers)

        thread = later(revoke, 0.0)
        answer = parked.get("/v1/agent/desired?incarnation=1&wait=50", timeout=30)
        thread.join()
    assert answer.status_code == 401


def test_the_agents_clock_does_not_matter(api, world, agent):
    token = create(api, world)["join_token"]
    world.clock.ahead_ms = 5 * 60_000  # the server is ahead of the agent
    assert agent.join(token).status_code == 200
    assert agent.report("first").status_code == 200
