"""The law over HTTP: the same decision, on the day of the server's clock where none is said."""

from __future__ import annotations

from typing import Any, get_args

from starlette.testclient import TestClient

from baygrid.api import law_schemas
from baygrid.rulebooks.cross_border import Outcome
from tests.api.world import World

FACTS: dict[str, Any] = {"direction": "hk_out", "data": {"pi": False, "spi": False}}


def ask(world: World, api: TestClient, body: object) -> Any:
    return api.post("/v1/law/decide", json=body, headers=world.headers("team"))


def test_an_answer_is_as_the_contract_says(world: World, api: TestClient):
    answer = ask(world, api, {"facts": FACTS, "as_of": "2026-11-22"}).json()
    law_schemas.Decision.model_validate(answer, strict=True)
    assert (answer["outcome"], answer["rule"], answer["as_of"]) == ("FREE", "H0", "2026-11-22")


def test_no_day_is_today(world: World, api: TestClient):
    assert ask(world, api, {"facts": FACTS}).json()["outcome"] == "FREE"


def test_every_mistake_is_told_with_its_place(world: World, api: TestClient):
    answer = ask(world, api, {"facts": {"direction": "up", "data": {"pi": 1}}})
    assert answer.status_code == 422
    assert [it["path"] for it in answer.json()["problems"]] == ["facts.direction", "facts.data.pi"]


def test_facts_that_contradict_each_other_are_refused_with_the_cure(world: World, api: TestClient):
    answer = ask(world, api, {"facts": FACTS | {"recipient": {"jurisdiction": "hk"}}})
    assert answer.status_code == 422
    assert [it["path"] for it in answer.json()["problems"]] == ["facts.recipient.jurisdiction"]
    assert "no border is crossed" in answer.json()["detail"]


def test_a_day_whose_law_is_not_loaded_is_refused(world: World, api: TestClient):
    answer = ask(world, api, {"facts": FACTS, "as_of": "2020-01-01"})
    assert answer.status_code == 422
    assert "loaded from 2022-09-01" in answer.json()["detail"]


def test_the_outcomes_of_the_document_are_those_of_the_law():
    assert {*get_args(law_schemas.Outcome)} == {it.value for it in Outcome}
