"""The OpenAPI document describes every endpoint, and answers are as it says."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.api import bill_schemas, dataset_schemas, exchange_schemas, job_schemas, policy_schemas, schemas
from tests.api.world import World, job


@pytest.fixture
def contract(api: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/openapi.json").json()
    return found


def operations(contract: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_reference_leads_somewhere(contract: dict[str, Any]):
    known = set(contract["components"]["schemas"])
    seen: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                assert value["$ref"].startswith("#/components/schemas/")
                seen.add(value["$ref"].rpartition("/")[2])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(contract)
    assert seen <= known
    assert {"Job", "JobFile", "Report", "Desired", "Problem", "NewProject", "Bill"} <= seen


def test_every_operation_says_what_it_takes_and_gives(contract: dict[str, Any]):
    bodiless = {"cancel", "lost", "drain", "open", "rotate", "revoke", "accept", "agree", "verify", "resume"}
    bodiless |= {"finalize", "test"}
    for name, operation in operations(contract):
        kind = "application/json" if " /delta-sharing/" in name else "application/problem+json"
        assert operation["responses"]["default"]["content"].keys() == {kind}, name
        assert any(status.startswith("2") for status in operation["responses"]), name
        open = {
            "/healthz",
            "/metrics",
            "/v1/files/{file}",
            "/v1/profiles/{link}",
            "/v1/device",
            "/v1/device/token",
        }
        assert ("security" in operation) == (name.partition(" ")[2] not in open)
        asks = name == "POST /v1/agent/secrets/{attempt}"  # the address and a header say all
        of_project = name.startswith("POST /v1/recipients/")
        without = (
            name.rpartition("/")[2] in bodiless and not of_project
        ) or name == "POST /v1/profiles/{link}"
        writes = name.startswith(("POST", "PUT")) and not without and not asks
        assert ("requestBody" in operation) == writes, name


def test_answers_are_as_the_contract_says(world: World, api: TestClient):
    """Strictly: no field more, none less, no other type."""
    team, operator = world.headers("team"), world.headers("operator")
    made = api.post("/v1/jobs", json=job(), headers=team).json()
    job_schemas.Job.model_validate(made, strict=False)
    array = api.post("/v1/jobs", json=job(array={"range": "0-3"}, after=[made["id"]]), headers=team).json()
    job_schemas.Array.model_validate(array)
    world.place()
    id = made["id"]
    photos = {"name": "photos", "project": "demo", "uri": "s3://photos/2026/", "jurisdiction": "CN-QH"}
    dataset_schemas.Dataset.model_validate(api.post("/v1/datasets", json=photos, headers=operator).json())
    declared = api.put("/v1/policy", json={"document": {"shares": {"uni": 2}}}, headers=operator).json()
    policy_schemas.Policy.model_validate(declared)
    for url, model in (
        ("/healthz", schemas.Health),
        ("/v1/me", schemas.Me),
        ("/v1/organisations", schemas.Listing[schemas.Organisation]),
        ("/v1/projects", schemas.Listing[schemas.Project]),
        ("/v1/projects/demo", schemas.Project),
        ("/v1/projects/demo/bill?recompute=true", bill_schemas.Bill),
        ("/v1/jobs", schemas.Listing[job_schemas.JobLine]),
        (f"/v1/jobs/{id}", job_schemas.Job),
        ("/v1/arrays", schemas.Listing[job_schemas.Array]),
        (f"/v1/arrays/{array['id']}", job_schemas.Array),
        (f"/v1/jobs?array={array['id']}", schemas.Listing[job_schemas.JobLine]),
        (f"/v1/jobs/{id}/events", schemas.Listing[schemas.Event]),
        (f"/v1/jobs/{id}/explain", job_schemas.Explanation),
        (f"/v1/jobs/{id}/bill", bill_schemas.Bill),
        (f"/v1/jobs/{id}/outputs", schemas.Listing[schemas.Output]),
        ("/v1/centres", schemas.Listing[schemas.Centre]),
        ("/v1/centres/hub", schemas.Centre),
        ("/v1/offers", schemas.Listing[schemas.Offer]),
        ("/v1/tokens", schemas.Listing[schemas.Token]),
        ("/v1/policy", policy_schemas.Policy),
        ("/v1/policy/history", schemas.Listing[policy_schemas.Policy]),
        ("/v1/exchange", exchange_schemas.Exchange),
        ("/v1/datasets", schemas.Listing[dataset_schemas.Dataset]),
        ("/v1/datasets/demo/photos", schemas.Listing[dataset_schemas.Dataset]),
        ("/v1/ledger", schemas.Listing[bill_schemas.Transaction]),
        ("/v1/ledger/balances", schemas.Listing[bill_schemas.Balance]),
    ):
        answer = api.get(url, headers=operator)
        assert answer.status_code == 200, answer.text
        model.model_validate(answer.json())
    schemas.Problem.model_validate(api.get("/v1/jobs/none", headers=team).json())


def test_health(world: World, api: TestClient, monkeypatch: pytest.MonkeyPatch):
    version = api.get("/openapi.json").json()["info"]["version"]
    expected = {"status": "ok", "version": version, "role": "leader", "term": 0}
    assert api.get("/healthz").json() == expected
    world.role = "follower"
    world.place()
    assert (api.get("/healthz").json()["role"], api.get("/healthz").json()["term"]) == ("follower", 1)

    def broken(_):
        raise OSError("no disk")

    monkeypatch.setattr("baygrid.api.health.current_term", broken)
    answer = api.get("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_metrics(world: World, api: TestClient):
    team = world.headers("team")
    id = api.post("/v1/jobs", json=job(), headers=team).json()["id"]
    api.get(f"/v1/jobs/{id}", headers=team)
    api.get("/v1/jobs/absent", headers=team)
    api.get("/nowhere")
    text = api.get("/metrics").text
    for line in (
        'baygrid_requests_total{method="POST",route="/v1/jobs",status="201"} 1.0',
        'baygrid_requests_total{method="GET",route="/v1/jobs/{job}",status="200"} 1.0',
        'baygrid_requests_total{method="GET",route="/v1/jobs/{job}",status="404"} 1.0',
        'baygrid_requests_total{method="GET",route="none",status="404"} 1.0',
        'baygrid_request_seconds_count{method="POST",route="/v1/jobs"} 1.0',
        'baygrid_jobs{state="QUEUED"} 1.0',
        'baygrid_jobs{state="FAILED"} 0.0',
        "baygrid_leader 1.0",
    ):
        assert line in text, line
