"""Accounts over HTTP: answers as the contract says, mistakes with their cure."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.api import account_schemas, schemas
from tests.api.world import World, job

ASKED = {"amount": "50.05 CNY", "to": "2090-01-01T00:00:00Z", "purpose": "training"}


@pytest.fixture
def second(world: World, api: TestClient) -> dict[str, str]:
    """The headers of another operator."""
    made = api.post("/v1/tokens", json={"role": "operator"}, headers=world.headers("operator"))
    return {"Authorization": f"Bearer {made.json()['token']}"}


def test_from_an_application_to_an_allocation(world: World, api: TestClient, second: dict[str, str]):
    team, operator = world.headers("team"), world.headers("operator")
    (first,) = api.get("/v1/allocations", headers=team).json()["items"]
    asked = ASKED | {"renews": first["id"], "from": "2089-01-01T08:00+08:00"}
    made = api.post("/v1/applications", json=asked, headers=team).json()
    url = f"/v1/applications/{made['id']}"
    said = {"amount": "40 CNY", "note": "less"}
    assert api.post(f"{url}/review", json=said, headers=operator).json()["recommended"]["minor"] == 40_00
    refused = api.post(f"{url}/approve", json={"reason": "as said"}, headers=operator)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    done = api.post(f"{url}/approve", json={"reason": "as said", "amount": "41 CNY"}, headers=second).json()
    assert api.get(url, headers=team).json() == done
    account_schemas.Application.model_validate(done)
    assert [(it["step"], it["words"]) for it in done["steps"]] == [
        ("request", "training"), ("review", "less"), ("approve", "as said"),
    ]  # fmt: skip
    page = api.get("/v1/applications?limit=1", headers=operator).json()
    schemas.Listing[account_schemas.ApplicationLine].model_validate(page)
    listed = api.get("/v1/allocations?project=demo", headers=operator).json()
    schemas.Listing[account_schemas.Allocation].model_validate(listed)
    planned = next(it for it in listed["items"] if it["id"] == done["allocation"])
    assert (planned["state"], planned["from"], planned["application"]) == (
        "planned", "2089-01-01T00:00:00.000Z", made["id"],
    )  # fmt: skip
    assert (planned["amount"]["text"], planned["left"]["minor"], planned["used"]["minor"]) == (
        "41.00 CNY", 41_00, 0,
    )  # fmt: skip


def test_applications_come_in_pages(world: World, api: TestClient):
    team = world.headers("team")
    made = [api.post("/v1/applications", json=ASKED, headers=team).json()["id"] for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = api.get(f"/v1/applications?limit=2{cursor}", headers=team).json()
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == made[::-1]


def test_a_grant_with_a_period(world: World, api: TestClient):
    operator = world.headers("operator")
    body = {"amount": "5 CNY", "narration": "a test", "to": "2090-01-01T00:00:00Z", "credit": True}
    made = api.post("/v1/projects/demo/grants", json=body, headers=operator)
    assert made.status_code == 201, made.text
    row = api.get("/v1/allocations?project=demo", headers=operator).json()["items"][-1]
    assert (row["source"], row["state"], row["to"], row["purpose"]) == (
        "credit", "in force", "2090-01-01T00:00:00.000Z", "a test",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"amount": "50"}, "amount", "is not an amount of money: write for example 500 CNY"),
        ({"amount": "50.005 CNY"}, "amount", "has too many decimals"),
        ({"amount": "50 HKD"}, "amount", "kept in CNY"),
        ({"to": "2020-01-01T00:00:00Z"}, "to", "must be after now"),
        ({"to": None}, "to", "must be a time such as"),
        ({"purpose": ""}, "purpose", "is empty"),
        ({"form": "2089-01-01T00:00:00Z"}, "form", "did you mean 'from'?"),
        ({"renews": "allocation-9"}, "renews", "there is no allocation"),
    ],
)
def test_a_mistake_is_told_with_its_cure(
    world: World, api: TestClient, change: dict[str, Any], path: str, said: str
):
    before = world.dump()
    answer = api.post("/v1/applications", json=ASKED | change, headers=world.headers("team"))
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert problem["path"] == path
    assert said in problem["message"]
    assert world.dump() == before


def test_an_operator_says_for_which_project(world: World, api: TestClient):
    answer = api.post("/v1/applications", json=ASKED, headers=world.headers("operator"))
    assert answer.json()["problems"] == [{"path": "project", "message": "is missing: say for which project"}]


def test_a_budget_is_set_shown_told_of_and_removed(world: World, api: TestClient):
    team, operator = world.headers("team"), world.headers("operator")
    url = "/v1/projects/demo/budget"
    told = api.post("/v1/jobs", json=job(), headers=team)
    assert "baygrid-notice" not in told.headers
    made = api.put(url, json={"amount": "1 CNY", "alerts": [10]}, headers=operator).json()
    account_schemas.Budget.model_validate(made)
    assert (made["budget"]["minor"], made["hard"], made["alerts"]) == (1_00, False, [10])
    listed = api.get("/v1/budgets", headers=team).json()
    assert listed == {"items": [made], "next": None}
    told = api.post("/v1/jobs", json=job(), headers=team)
    assert told.headers["baygrid-notice"].startswith(f"budget of demo for {made['month']}: ")
    wrong = api.put(url, json={"amount": "1 CNY", "alerts": [80, 10]}, headers=operator).json()
    assert wrong["problems"] == [
        {"path": "alerts", "message": "alerts grow, and each is there once, such as 50,80,100"}
    ]
    assert api.delete(url, headers=operator).status_code == 204
    assert api.get("/v1/budgets", headers=operator).json()["items"] == []
    gone = api.delete(url, headers=operator)
    assert (gone.status_code, gone.json()["detail"]) == (404, "project 'demo' has no budget")


def test_a_forecast_has_the_figures_that_it_rests_on(world: World, api: TestClient):
    made = api.get("/v1/projects/demo/forecast", headers=world.headers("team")).json()
    account_schemas.Forecast.model_validate(made)
    assert {made[name]["minor"] for name in ("expected", "at_most", "charged", "running", "still")} == {0}
    assert (made["budget"], made["attempts"]) == (None, 0)


def test_payments_with_long_references_are_paged(world: World, api: TestClient):
    operator = world.headers("operator")
    references = [letter * 500 for letter in "abc"]
    for reference in references:
        body = {"amount": "1 CNY", "reference": reference}
        assert api.post("/v1/projects/demo/payments", json=body, headers=operator).status_code == 201
    seen: list[str] = []
    cursor: dict[str, str | None] = {}
    for _ in references:
        page = api.get("/v1/payments", params={"limit": 1, **cursor}, headers=operator).json()
        seen += [row["reference"] for row in page["items"]]
        cursor = {"cursor": page["next"]}
    assert (seen, cursor) == (references, {"cursor": None})
