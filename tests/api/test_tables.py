"""Parties and tables over the API: strict answers, what others are not told, requests that are repeated."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.api import data_schemas, schemas
from tests.api.world import Json, World

NEW = {"name": "patients", "title": "Patients 病人", "format": "parquet", "place": "CN-QH"}
NEW |= {"uri": "s3://bay/patients/"}
ITS_LABELS = "/v1/tables/demo/patients/labels"
LABELS = {"labels": {"age": {"personal": False, "important": "no", "core": False}}, "by": "Chan Tai Man"}


@pytest.fixture
def ask(world: World, api: TestClient):
    def send(method: str, path: str, body: Json | None = None, who: str = "team", key: str = "") -> Any:
        headers = world.headers(who) | ({"Idempotency-Key": key} if key else {})
        return api.request(method, path, json=body, headers=headers)

    return send


def test_answers_are_as_the_contract_says(ask):
    """Strictly: no field more, none less, no other type."""
    data_schemas.Table.model_validate(ask("POST", "/v1/tables", NEW).json())
    labelled = ask("POST", "/v1/tables/demo/patients/labels", LABELS).json()
    data_schemas.Table.model_validate(labelled)
    party = {"facts": {"jurisdiction": "cn", "ciio": False}}
    data_schemas.Party.model_validate(ask("PUT", "/v1/parties/uni", party, "operator").json())
    data_schemas.Wish.model_validate(ask("POST", "/v1/tables/wanted", {"text": "rides"}).json())
    for path, model in (
        ("/v1/parties", schemas.Listing[data_schemas.Party]),
        ("/v1/tables", schemas.Listing[data_schemas.Table]),
        ("/v1/tables/wanted", schemas.Listing[data_schemas.Wish]),
        ("/v1/tables/demo/patients", data_schemas.Table),
        ("/v1/tables/demo/patients/proposals", schemas.Listing[data_schemas.Proposal]),
        ("/v1/tables/demo/patients/profile", data_schemas.Profile),
        ("/v1/tables/demo/patients/sample", data_schemas.Sample),
    ):
        for who in ("team", "operator"):
            model.model_validate(ask("GET", path, None, who).json())


def test_others_are_not_told_where_it_is(ask):
    ask("PUT", "/v1/projects/demo/secrets/BUCKET", {"value": '{"key": "k", "secret": "hunter22"}'})
    own = ask("POST", "/v1/tables", NEW | {"secret": "BUCKET"}).json()
    assert (own["uri"], own["secret"]) == ("s3://bay/patients/", "BUCKET")
    for path in ("/v1/tables", "/v1/tables?search=patients", "/v1/tables/demo/patients"):
        answer = ask("GET", path, None, "rival")
        assert answer.status_code == 200
        assert not {"s3://", "BUCKET", "hunter22"} & set(answer.text.replace('"', " ").split())
        assert "s3:" not in answer.text
        found = answer.json()
        (one,) = found.get("items", [found])
        assert one == own | dict.fromkeys(("uri", "table", "secret", "made_by"))


def test_a_sample_has_harmless_columns(ask):
    ask("POST", "/v1/tables", NEW)
    ask("POST", "/v1/tables/demo/patients/labels", LABELS)
    found = ask("GET", "/v1/tables/demo/patients/sample?rows=1").json()
    assert found == {"columns": ["age"], "rows": [[30]], "withheld": ["name"]}
    assert ask("GET", "/v1/tables/demo/patients/sample", None, "rival").status_code == 403
    for rows in ("0", "101", "x"):
        assert ask("GET", f"/v1/tables/demo/patients/sample?rows={rows}").status_code == 422


def test_requests_that_are_repeated_are_done_once(ask):
    for _ in range(2):
        assert ask("POST", "/v1/tables", NEW, key="a").json()["version"] == 1
        assert ask("POST", "/v1/tables/wanted", {"text": "rides"}, key="b").json()["times"] == 1
    for _ in range(2):
        labelled = ask("POST", "/v1/tables/demo/patients/labels", LABELS, key="c").json()
        assert labelled["version"] == 2
    assert ask("POST", "/v1/tables", NEW | {"open": True}, key="a").status_code == 422


def test_lists_come_in_pages(ask):
    for name in ("a", "b", "c"):
        ask("POST", "/v1/tables", NEW | {"name": name})
    first = ask("GET", "/v1/tables?limit=2").json()
    assert [it["name"] for it in first["items"]] == ["a", "b"]
    rest = ask("GET", f"/v1/tables?limit=2&cursor={first['next']}").json()
    assert ([it["name"] for it in rest["items"]], rest["next"]) == (["c"], None)


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("/v1/tables", NEW | {"format": "xml"}, "format"),
        ("/v1/tables", NEW | {"more": 1}, "more"),
        ("/v1/tables", NEW | {"uri": "s3://k:s@bay/x"}, "uri"),
        ("/v1/tables/wanted", {"text": " "}, "text"),
        (ITS_LABELS, LABELS | {"labels": {"age": {"personal": "no"}}}, "labels.age.personal"),
        (ITS_LABELS, LABELS | {"labels": {"age": {"pi": True}}}, "labels.age.pi"),
        (ITS_LABELS, LABELS | {"labels": {"sex": {}}}, "labels.sex"),
    ],
)  # fmt: skip
def test_mistakes_say_where(ask, path: str, body: Json, problem: str):
    ask("POST", "/v1/tables", NEW)
    answer = ask("POST", path, body)
    assert answer.status_code == 422, answer.text
    assert [it["path"] for it in answer.json()["problems"]] == [problem]
