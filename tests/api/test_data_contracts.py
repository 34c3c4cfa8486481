"""Contracts about data over the API: strict answers, the way to a final one, profiles that are had once."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.api import contract_schemas, schemas
from baygrid.app.tokens import issue
from baygrid.ports.records import Role
from tests.api.world import Json, World

ASKED: Json = {
    "tables": {"clinic/beds": {"columns": ["age"]}},
    "purpose": "a study of beds 床位",
    "ground": "other",
    "until": "2090-01-01T00:00:00Z",
}


@pytest.fixture
def ask(world: World, api: TestClient):
    world.clinic()
    world.secrets["clinic"] = world.store.write(
        lambda tx: issue(world.platform, tx, Role.TEAM, "clinic", None, "clinic")
    )[1]

    def send(method: str, path: str, body: Json | None = None, who: str = "team", key: str = "") -> Any:
        headers = world.headers(who) | ({"Idempotency-Key": key} if key else {})
        return api.request(method, path, json=body, headers=headers)

    return send


def final(ask) -> str:
    """The id of one that is final."""
    id = ask("POST", "/v1/contracts", ASKED).json()["id"]
    for step, who, body in (
        ("offer", "clinic", {}), ("accept", "team", None), ("agree", "clinic", None),
        ("verify", "team", None), ("finalize", "clinic", None),
    ):  # fmt: skip
        answer = ask("POST", f"/v1/contracts/{id}/{step}", body, who)
        assert answer.status_code == 200, answer.text
    return str(id)


def test_answers_are_as_the_contract_says(ask):
    """Strictly: no field more, none less, no other type."""
    id = final(ask)
    made = ask("POST", "/v1/recipients", {"name": "anna"}).json()
    contract_schemas.ActivationLink.model_validate(made)
    contract_schemas.SharingProfile.model_validate(ask("POST", made["link"]).json())
    for path, model in (
        ("/v1/contracts", schemas.Listing[contract_schemas.ContractLine]),
        (f"/v1/contracts/{id}", contract_schemas.Contract),
        (f"/v1/contracts/{id}/documents", contract_schemas.Documents),
        ("/v1/persons", contract_schemas.Counted),
        ("/v1/recipients", schemas.Listing[contract_schemas.Recipient]),
    ):
        answer = ask("GET", path)
        assert answer.status_code == 200, answer.text
        model.model_validate(answer.json())


def test_a_final_contract_says_what_was_done_and_that_it_can_be_read(ask):
    found = ask("GET", f"/v1/contracts/{final(ask)}").json()
    assert (found["state"], found["why"], found["suspended"]) == ("FINALIZED", None, None)
    assert found["law"]["outcome"] == "FREE"
    assert [it["step"] for it in found["steps"]] == [
        "request", "offer", "accept", "agree", "verify", "finalize",
    ]  # fmt: skip
    assert found["grants"][0]["terms"]["columns"] == ["age"]
    odrl = ask("GET", f"/v1/contracts/{found['id']}/odrl").json()
    assert odrl["agreement"]["assignee"] == "urn:baygrid:project:demo"


def test_what_stops_it_is_said_in_words(ask):
    id = final(ask)
    ask("POST", f"/v1/contracts/{id}/suspend", {"reason": "a leak is looked into"}, "clinic")
    found = ask("GET", f"/v1/contracts/{id}").json()
    assert found["suspended"][0]["by"] == "provider"
    assert found["why"]["text"] == "the provider has suspended the contract: a leak is looked into"
    refused = ask("POST", f"/v1/contracts/{id}/finalize", None, "clinic")
    assert refused.status_code == 409
    assert "possible are record, resume, suspend, terminate" in refused.json()["detail"]


def test_a_repeated_request_makes_one_contract(ask):
    first, again = (ask("POST", "/v1/contracts", ASKED, key="k") for _ in range(2))
    assert (first.status_code, first.json()["id"]) == (201, again.json()["id"])
    other = ask("POST", "/v1/contracts", {**ASKED, "purpose": "another"}, key="k")
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency-mismatch"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"tables": {}}, "tables"),
        ({"tables": {"clinic/beds": {"columns": ["height"]}}}, "tables.clinic/beds"),
        ({"tables": {"clinic/beds": {"mode": "aggregate", "k": 1}}}, "tables.clinic/beds"),
        ({"tables": {"clinic/beds": {"rows": 5}}}, "tables.clinic/beds.rows"),
        ({"ground": "because"}, "ground"),
        ({"onward": "yes"}, "onward"),
        ({"until": "tomorrow"}, "until"),
        ({"facts": {"exporter.ciio": False}}, "facts.exporter.ciio"),
        ({"share": "a share"}, "share"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(ask, change: Json, path: str):
    answer = ask("POST", "/v1/contracts", ASKED | change)
    assert answer.status_code == 422, answer.text
    assert answer.json()["problems"][0]["path"] == path
    assert ask("GET", "/v1/contracts").json()["items"] == []


def test_documents_are_drafts_that_say_so(ask):
    files = ask("GET", f"/v1/contracts/{final(ask)}/documents").json()["files"]
    assert files.keys() == {"impact-assessment.md", "filing-checklist.md"}
    for text in files.values():
        assert "It is not legal advice" in text
    assert "床位" in files["impact-assessment.md"]
    assert "not established here" in files["impact-assessment.md"]


def test_a_profile_is_had_once_and_by_no_cache(ask, api: TestClient):
    link = ask("POST", "/v1/recipients", {"name": "anna", "days": 3}).json()["link"]
    page = api.get(link)
    assert page.headers["content-type"].startswith("text/html")
    assert '<form method="post">' in page.text
    first, again = api.post(link), api.post(link)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    assert first.json()["endpoint"] == "http://test/delta-sharing"
    assert again.status_code == 404


def test_pages_of_contracts_follow_one_another(ask):
    for number in range(3):
        assert ask("POST", "/v1/contracts", ASKED | {"share": f"s{number}"}).status_code == 201
    first = ask("GET", "/v1/contracts?limit=2").json()
    second = ask("GET", f"/v1/contracts?limit=2&cursor={first['next']}").json()
    assert [it["share"] for it in (*first["items"], *second["items"])] == ["s2", "s1", "s0"]
    assert second["next"] is None
