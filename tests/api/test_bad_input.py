"""Whatever is wrong with a request: one clear problem, and nothing has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from baygrid.ports.store import Away
from tests.api.world import World, job

BLOB = "blob:" + "0" * 64
ENERGY = {"price_kwh": ["1"] * 24, "utc_offset": "+08:00", "watts_cpu": 5}


@pytest.fixture
def refused(world: World, api: TestClient) -> Callable[..., dict[str, Any]]:
    """Sends a request that must change nothing; returns the problem."""

    def send(
        status: int, code: str, method: str = "POST", url: str = "/v1/jobs", **sent: Any
    ) -> dict[str, Any]:
        who = sent.pop("who", "team")
        sent["headers"] = world.headers(who) | sent.get("headers", {})
        before = world.dump()
        answer: Response = api.request(method, url, **sent)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem: dict[str, Any] = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), problem
        assert problem["status"] == status
        assert problem["type"] == f"urn:baygrid:problem:{code}"
        assert problem["title"]
        assert problem["detail"]
        assert "Traceback" not in answer.text
        assert world.dump() == before
        return problem

    return send


@pytest.mark.parametrize(
    ("document", "path", "says"),
    [
        (job(gpus=8), "", "unknown field 'gpus'"),
        (job(resource={"cpus": 1}), "", "did you mean 'resources'?"),
        (job(resources={"cpu": 1}), "resources", "did you mean 'cpus'?"),
        (job(time="4 hours"), "time", "write days, hours, minutes and seconds as d, h, m and s"),
        (job(resources={"memory": "64 parsecs"}), "resources.memory", "is not an amount of memory"),
        (job(budget={"max_cost": "500"}), "budget.max_cost", "write for example 500 CNY"),
        (job(workdir=BLOB), "workdir", "is not here: upload it first"),
        (job(inputs={"photos": BLOB}), "inputs.photos", "is not here: upload it first"),
        (job(deadline="2001-01-01T08:00+08:00"), "deadline", "is past"),
        (job(workdir="."), "workdir", "is a path on your machine: upload it"),
        (job(name="two\nlines"), "name", ""),
        (job(name="x" * 300), "name", ""),
        (job(name=7), "name", "not 7"),
        (job(name="nul\0"), "name", "has a NUL character"),
        (job(nodes=123456789012345678901234567890), "nodes", ""),
        (job(nodes=0), "nodes", ""),
        (job(nodes=1.5), "nodes", ""),
        (job(nodes=True), "nodes", ""),
        ({"name": "x", "run": "echo"}, "time", "is missing"),
        (job(envs=[["a", "b"]]), "envs", "must be a mapping"),
        (job(secrets=["TOKEN"]), "secrets[0]", "set it with `baygrid secrets set TOKEN`"),
    ],
)
def test_a_job_file(refused: Callable[..., dict[str, Any]], document: Any, path: str, says: str):
    problem = refused(422, "invalid", json=document)
    (found,) = problem["problems"]
    assert found["path"] == path
    assert says in found["message"]
    assert found["message"] in problem["detail"]


def test_every_mistake_of_a_batch_is_told_at_once(refused: Callable[..., dict[str, Any]]):
    jobs = [job(), job(tim="1h"), job(time="soon", name="a\tb")]
    problem = refused(422, "invalid", json={"jobs": jobs})
    assert [row["path"].split(".")[0] for row in problem["problems"]] == ["jobs[1]", "jobs[2]", "jobs[2]"]
    assert "(and 2 more)" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "must be a job file as a JSON object"),
        ("text", "must be a job file as a JSON object"),
        (7, "must be a job file as a JSON object"),
        ({"jobs": {}}, "must be a list"),
        ({"jobs": []}, "send 1 to 1000 jobs"),
        ({"jobs": [job("j")] * 1001}, "send 1 to 1000 jobs"),
        ({"jobs": ["text"]}, "a job file must be a mapping"),
        ({"jobs": [job()], "projekt": "demo"}, "a batch has only the fields"),
        ({"jobs": [job()], "project": 7}, "must be the name of a project"),
    ],
)
def test_bodies_of_another_shape(refused: Callable[..., dict[str, Any]], body: Any, says: str):
    assert says in refused(422, "invalid", json=body)["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"name: hello",
        b'{"name": "hello",}',
        b'{"name": NaN}',
        b'{"nodes": 1e999}',
        b'{"name": "\xff\xfe"}',
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"name": "x"} {"name": "y"}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json(refused: Callable[..., dict[str, Any]], body: bytes):
    headers = {"Content-Type": "application/json"}
    assert "not valid JSON" in refused(400, "malformed", content=body, headers=headers)["detail"]


def test_deep_but_valid_json(refused: Callable[..., dict[str, Any]]):
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    refused(
        422, "invalid", content=json.dumps(job(resources=deep)), headers={"Content-Type": "application/json"}
    )


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-yaml", "multipart/form-data"])
def test_another_kind_of_body(refused: Callable[..., dict[str, Any]], kind: str | None):
    headers = {"Content-Type": kind} if kind else {}
    problem = refused(415, "unsupported-media-type", content=json.dumps(job()), headers=headers)
    assert "Content-Type: application/json" in problem["detail"]


def test_no_such_centre(refused: Callable[..., dict[str, Any]]):
    problem = refused(422, "invalid", json=job(infra="moon"))
    assert problem["problems"][0]["path"] == "infra"
    assert "there is no centre 'moon'" in problem["detail"]


def test_an_impossible_job_is_told_the_nearest_that_would_fit(refused: Callable[..., dict[str, Any]]):
    resources = {"accelerators": "H100:16", "cpus": 8, "memory": 64}
    problem = refused(422, "impossible", json=job(resources=resources))
    assert "H100:8" in problem["detail"] or "8 H100" in problem["detail"]
    assert problem["explanation"]["outcome"]["text"] == problem["detail"]


def test_not_enough_money(refused: Callable[..., dict[str, Any]]):
    expensive = job(time="24h", nodes=2, resources={"accelerators": "H100:8", "cpus": 8, "memory": 64})
    jobs = [expensive | {"name": f"j{n}"} for n in range(3)]
    problem = refused(402, "not-enough-money", json={"jobs": jobs})
    assert "free" in problem["detail"]


def test_a_project_that_is_not_ones_own(refused: Callable[..., dict[str, Any]]):
    refused(404, "not-found", json=job(project="other"))


def test_another_projects_job_does_not_exist(
    world: World, api: TestClient, refused: Callable[..., dict[str, Any]]
):
    theirs = api.post("/v1/jobs", json=job(), headers=world.headers("rival")).json()["id"]
    for method, url in (("GET", ""), ("GET", "/events"), ("GET", "/logs"), ("POST", "/cancel")):
        problem = refused(404, "not-found", method, f"/v1/jobs/{theirs}{url}")
        assert problem["detail"] == f"there is no job {theirs!r}"


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic dGVhbTp0ZWFt", "wrong", "Bearer \u00e9"],
)
def test_a_wrong_token(world: World, api: TestClient, authorization: str | None):
    headers = {} if authorization is None else {b"Authorization": authorization.encode("latin-1")}
    before = world.dump()
    answer = api.post("/v1/jobs", json=job(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert world.dump() == before


@pytest.mark.parametrize(
    ("url", "path", "says"),
    [
        ("/v1/jobs?limt=5", "limt", "did you mean 'limit'?"),
        ("/v1/jobs?limit=0", "limit", "must be greater than or equal to 1"),
        ("/v1/jobs?limit=501", "limit", "must be less than or equal to 500"),
        ("/v1/jobs?limit=many", "limit", "must be a valid integer"),
        ("/v1/jobs?limit=" + "9" * 5000, "limit", ""),
        ("/v1/jobs?limit=1&limit=2", "limit", "more than once"),
        ("/v1/jobs?state=RUNING", "state.0", "must be 'HELD'"),
        ("/v1/jobs?cursor=%00", "cursor", "control character"),
        ("/v1/events?after=yesterday", "after", "no cursor"),
        ("/v1/events?after=0-99999999999999999999", "after", "no cursor"),
        ("/v1/centres?cursor=moon", "cursor", "not of this list"),
        ("/v1/projects/demo/bill?from=yesterday", "from", "must be a time"),
        ("/v1/projects/demo/bill?from=2026-01-01T00:00:00", "from", "offset"),
        ("/v1/projects/demo/bill?format=xml", "format", ""),
    ],
)
def test_parameters(refused: Callable[..., dict[str, Any]], url: str, path: str, says: str):
    (found,) = refused(422, "invalid", "GET", url)["problems"]
    assert found["path"] == path
    assert says in found["message"]


@pytest.mark.parametrize(
    ("url", "body", "path", "says"),
    [
        ("/v1/projects", {"nam": "x"}, "nam", "did you mean 'name'?"),
        (
            "/v1/projects",
            {"name": "x", "organisation": "uni", "currency": "EUR"},
            "currency",
            "use one of CNY",
        ),
        (
            "/v1/projects",
            {"name": "x", "organisation": "nobody", "currency": "CNY"},
            "organisation",
            "no organisation",
        ),
        ("/v1/projects", {"name": "a\nb", "organisation": "uni", "currency": "CNY"}, "name", "line break"),
        (
            "/v1/projects",
            {"name": "x", "organisation": "uni", "currency": "CNY", "grant": "5"},
            "grant",
            "500 CNY",
        ),
        ("/v1/projects/demo/grants", {"amount": 500}, "amount", "an amount with its currency"),
        ("/v1/projects/demo/grants", {"amount": "-5 CNY"}, "amount", "more than zero"),
        ("/v1/projects/demo/grants", {"amount": "5 HKD"}, "amount", "kept in CNY"),
        ("/v1/projects/demo/grants", {"amount": "0.001 CNY"}, "amount", "too many decimals"),
        ("/v1/projects/demo/grants", [], "", "must be a JSON object"),
        (
            "/v1/organisations",
            {"name": "x", "kind": "club"},
            "kind",
            "'company', 'university' or 'institute'",
        ),
        ("/v1/centres", {"name": "x", "jurisdiction": "nowhere"}, "jurisdiction", "a code such as CN-QH"),
        ("/v1/centres", {"name": "x", "jurisdiction": "HK", "driver": "cray"}, "driver", "not supported"),
        ("/v1/offers", {"centre": "moon", "partition": "p", "currency": "CNY"}, "centre", "no centre 'moon'"),
        ("/v1/offers/hub-gpu/tariffs", {"cpu_hour": "cheap"}, "cpu_hour", "must be a price such as 0.25"),
        ("/v1/offers/hub-gpu/tariffs", {"cpu_hour": 0.25}, "cpu_hour", "must be a valid string"),
        ("/v1/offers/hub-gpu/tariffs", {"minimum_s": -1}, "minimum_s", "from 0 to 86400"),
        ("/v1/offers/hub-gpu/tariffs", {"minimum_s": "60"}, "minimum_s", "must be a valid integer"),
        ("/v1/offers/hub-gpu/tariffs", {"round_up_s": 86_401}, "round_up_s", "from 0 to 86400"),
        ("/v1/offers/hub-gpu/tariffs", {"egress_gib": "-1"}, "egress_gib", "must be a price such as 0.25"),
        ("/v1/offers/hub-gpu/tariffs", {"energy": ENERGY | {"price_kwh": ["1"]}}, "energy.price_kwh", "24 h"),
        (
            "/v1/offers/hub-gpu/tariffs",
            {"energy": ENERGY | {"price_kwh": ["1"] * 23 + ["x"]}},
            "energy.price_kwh[23]",
            "must be a price",
        ),
        (
            "/v1/offers/hub-gpu/tariffs",
            {"energy": ENERGY | {"utc_offset": "+8"}},
            "energy.utc_offset",
            "such as +08:00",
        ),
        ("/v1/offers/hub-gpu/tariffs", {"energy": ENERGY | {"watts_cpu": 0}}, "energy", "how many watts"),
        ("/v1/offers/hub-gpu/tariffs", {"energy": ENERGY | {"watts_cpu": -1}}, "energy.watts_cpu", "from 0"),
        ("/v1/offers/hub-gpu/tariffs", {"valid_from": "2020-01-01T00:00:00Z"}, "valid_from", "in the past"),
        ("/v1/offers/hub-gpu/tariffs", {"cpu_hour": "1"}, "accelerator_hour", "what an hour of"),
        ("/v1/offers/hub-gpu/tariffs", {"valid_from": "9999-12-31T23:59:59-14:00"}, "valid_from", "to 9999"),
        ("/v1/offers/hub-gpu/tariffs", {"valid_from": "soon"}, "valid_from", "must be a time"),
        ("/v1/tokens", {"role": "team"}, "project", "name the project"),
        ("/v1/tokens", {"role": "king"}, "role", "'team', 'centre', 'operator' or 'join'"),
    ],
)
def test_an_operators_mistakes(
    refused: Callable[..., dict[str, Any]], url: str, body: Any, path: str, says: str
):
    problem = refused(422, "invalid", url=url, json=body, who="operator")
    found = problem["problems"][0]
    assert found["path"] == path
    assert says in found["message"]


def test_names_that_are_taken(refused: Callable[..., dict[str, Any]]):
    for url, body in (
        ("/v1/organisations", {"name": "uni", "kind": "company"}),
        ("/v1/projects", {"name": "demo", "organisation": "uni", "currency": "CNY"}),
        ("/v1/centres", {"name": "hub", "jurisdiction": "HK"}),
        ("/v1/offers", {"id": "hub-gpu", "centre": "hub", "partition": "gpu", "currency": "CNY"}),
    ):
        assert "there is already" in refused(409, "conflict", url=url, json=body, who="operator")["detail"]


def test_addresses_that_do_not_exist(refused: Callable[..., dict[str, Any]]):
    assert refused(404, "not-found", "GET", "/v1/job")["detail"] == "there is nothing at '/v1/job'"
    refused(404, "not-found", "GET", "/v1/jobs/")
    refused(404, "not-found", "GET", "/v1/jobs/%00")
    refused(404, "not-found", "GET", "/v1/jobs/a%0Ab")
    refused(404, "not-found", "GET", "/v1/projects/%F0%9F%98%80")
    problem = refused(405, "method-not-allowed", "PATCH", "/v1/jobs")
    assert problem["detail"] == "PATCH is not possible here: use GET, POST"


@pytest.mark.parametrize(
    "change",
    [
        {"seq": "1"},
        {"seq": 2**63},
        {"seq": 2**70},
        {"seq": -(2**63) - 1},
        {"attempts": [{"attempt": "a"}]},
        {"attempts": {}},
        {"inventory": [{"name": "p", "nodes": [{"name": "n", "cpus": 1.5, "memory_mib": 1}]}]},
    ],
    ids=str,
)
def test_an_agents_mistakes(refused: Callable[..., dict[str, Any]], change: dict[str, Any]):
    report = {"version": 1, "incarnation": 1, "seq": 5, "ack": 0, "now": 0, "inventory_digest": "d"}
    report |= {"inventory": None, "public_key": "", "attempts": []}
    problem = refused(422, "invalid", url="/v1/agent/report", json=report | change, who="far")
    assert "this is no report" in problem["detail"] or "more than 64 bits" in problem["detail"]


def test_an_agent_that_is_too_old_or_fenced(refused: Callable[..., dict[str, Any]]):
    report = {"version": 1, "incarnation": 1, "seq": 1, "ack": 0, "now": 0, "inventory_digest": "d"}
    report |= {"inventory": None, "public_key": "", "attempts": []}
    refused(426, "version", url="/v1/agent/report", json=report | {"version": 9}, who="far")
    assert refused(409, "conflict", url="/v1/agent/report", json=report, who="far")["incarnation"] == 1
    refused(409, "conflict", "GET", "/v1/agent/desired?incarnation=0", who="far")


def test_a_blob_that_is_not_what_it_says(refused: Callable[..., dict[str, Any]]):
    address = "/v1/blobs/" + "0" * 64
    assert "has the SHA-256" in refused(422, "invalid", "PUT", address, content=b"something else")["detail"]
    refused(422, "invalid", "PUT", "/v1/blobs/short", content=b"x")
    for content_range in ("bytes 0-9/5", "bytes 5-2/10", "items 0-1/2", "bytes 0-4/10"):
        refused(422, "invalid", "PUT", address, content=b"x", headers={"Content-Range": content_range})
    gap = refused(422, "invalid", "PUT", address, content=b"x", headers={"Content-Range": "bytes 5-5/10"})
    assert "leaves a gap: go on from 0" in gap["detail"]


def test_a_fault_of_ours_is_a_number_and_no_trace(
    world: World, api: TestClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("baygrid.api.jobs.submit", lambda *_, **__: 1 // 0)
    answer = api.post("/v1/jobs", json=job(), headers=world.headers("team"))
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert answer.json()["id"] in answer.json()["detail"]
    assert "division" not in answer.text


def test_a_store_that_is_away_is_not_our_fault(
    world: World, api: TestClient, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: object, **__: object) -> None:
        raise Away("the database failed: secret address")

    monkeypatch.setattr("baygrid.api.jobs.submit", away)
    answer = api.post("/v1/jobs", json=job(), headers=world.headers("team"))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "may be done or not" in answer.json()["detail"]
    assert "with the same Idempotency-Key it is done once" in answer.json()["detail"]
    assert "secret" not in answer.text
