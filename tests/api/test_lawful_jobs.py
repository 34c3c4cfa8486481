"""Jobs and the law of their datasets: where they may run, what is said of it, what their outputs are."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.ports.data import PartyRow
from baygrid.ports.records import Event
from tests.api.test_datasets import DIGEST, PHOTOS, PLAIN, put
from tests.api.world import PARTY, Json, World, job

PATIENTS = PHOTOS | {
    "name": "patients",
    "jurisdiction": "HK",
    "law": PLAIN
    | {"personal": True, "sensitive": True, "origin": "overseas", "mixed": False, "persons": 2_000_000},
}
CITIZENS = PHOTOS | {
    "name": "citizens",
    "law": PLAIN | {"personal": True, "sensitive": False, "origin": "domestic", "mixed": False, "persons": 5},
}
SAME = {"data": {"use": {"purpose": "same", "direct_marketing": False}}}
ON_GPU = {"resources": {"accelerators": "H100:1", "cpus": 1, "memory": 1}}


@pytest.fixture
def post(world: World, api: TestClient):
    world.verify_parties()

    def send(path: str, body: Json, who: str = "team", status: int = 201) -> Any:
        answer = api.post(path, json=body, headers=world.headers(who))
        assert answer.status_code == status, answer.text
        return answer.json()

    return send


def know(world: World, version: int, **facts: object) -> None:
    row = PartyRow("uni", version, PARTY | facts, None, world.platform.clock(), "op")
    world.store.write(lambda tx: tx.catalogue.insert_party(row))


def bars(world: World, id: str) -> list[tuple[str, str]]:
    row = world.store.read(lambda tx: tx.jobs.get([id]))[id]
    return [(bar.jurisdiction, bar.outcome) for bar in row.bars or ()]


def test_what_nobody_has_labelled_stays_on_its_side(world: World, post):
    post("/v1/datasets", PHOTOS | {"law": {}})
    refused = post("/v1/jobs", job(inputs={"photos": "dataset:photos"}), status=422)  # CPUs are in Hong Kong
    law = refused["explanation"]["verdicts"][0]["obstacles"][0]
    assert (law["code"], law["data"]["outcome"]) == ("law", "NEEDS_FACT")
    assert "data.pi" in law["data"]["missing"]
    made = post("/v1/jobs", job(inputs={"photos": "dataset:photos"}, **ON_GPU))
    assert bars(world, made["id"]) == [("HK", "NEEDS_FACT")]


def test_hong_kong_data_are_computed_in_qianhai_and_the_result_goes_back(world: World, api: TestClient, post):
    """Provisions on cross-border data flows, article 4."""
    know(world, 2, ciio=False, state_organ=False)
    post("/v1/datasets", PATIENTS)
    inputs, outputs = {"patients": "dataset:patients"}, {"result": "dataset:result"}
    asked = post("/v1/jobs", job(inputs=inputs, outputs=outputs, **ON_GPU), status=422)
    assert "purpose" in str(asked["explanation"])
    made = post("/v1/jobs", job(inputs=inputs, outputs=outputs, **ON_GPU, **SAME))
    assert bars(world, made["id"]) == []
    world.place()
    (attempt,) = world.attempts(made["id"])
    assert attempt.centre == "hub"
    put(world, api, "hub")
    world.report("hub", attempt, AttemptState.SUCCEEDED, outputs={"result": DIGEST})
    (result,) = api.get("/v1/datasets/demo/result", headers=world.headers("team")).json()["items"]
    assert (result["jurisdiction"], result["law"]["origin"], result["law"]["mixed"]) == (
        "CN-QH",
        "overseas",
        False,
    )
    back = post("/v1/jobs", job(inputs={"result": "dataset:result"}))  # at the centre in Hong Kong
    world.place()
    (attempt,) = world.attempts(back["id"])
    assert attempt.centre == "far"
    links = world.store.read(lambda tx: tx.audit.after(0, 100))
    told = [(it.data["dataset"], it.data["to"], it.data["decision"]["basis"]) for it in links]
    assert told == [
        ("dataset:demo/patients@1", "CN-QH", ["PDPO DPP3"]),
        ("dataset:demo/result@1", "HK", ["Provisions 4"]),
    ]


def test_the_verdict_flips_when_mainland_persons_join(world: World, api: TestClient, post):
    know(world, 2, ciio=False, state_organ=False)
    post("/v1/datasets", PATIENTS)
    post("/v1/datasets", CITIZENS)
    inputs = {"patients": "dataset:patients", "citizens": "dataset:citizens"}
    made = post("/v1/jobs", job(inputs=inputs, outputs={"result": "dataset:result"}, **ON_GPU, **SAME))
    world.place()
    (attempt,) = world.attempts(made["id"])
    put(world, api, "hub")
    world.report("hub", attempt, AttemptState.SUCCEEDED, outputs={"result": DIGEST})
    (result,) = api.get("/v1/datasets/demo/result", headers=world.headers("team")).json()["items"]
    assert (result["law"]["mixed"], result["law"]["persons"]) == (True, 2_000_005)
    refused = post("/v1/jobs", job(inputs={"result": "dataset:result"}), status=422)
    law = refused["explanation"]["verdicts"][0]["obstacles"][0]
    assert law["code"] == "law"
    assert law["data"]["outcome"] != "EXEMPT"


def test_new_facts_are_heard_by_jobs_that_wait(world: World, post):
    """A job that may also run in Hong Kong after the operator has said what was missing."""
    world.store.write(lambda tx: tx.region.set_inventory("far", (), "digest-none", ""))
    know(world, 2, on_art42_list=None)
    post("/v1/datasets", PHOTOS)
    made = post("/v1/jobs", job(inputs={"photos": "dataset:photos"}, **ON_GPU))
    assert bars(world, made["id"]) == [("HK", "NEEDS_FACT")]
    know(world, 3)
    at = world.platform.clock()
    world.store.write(lambda tx: tx.events.append([Event(at, "party-set")]))
    world.place()
    assert bars(world, made["id"]) == []


def test_the_law_is_asked_once_more_when_a_job_is_placed(world: World, post):
    world.place()  # the leader has judged what waited on this day
    post("/v1/datasets", PHOTOS)
    made = post("/v1/jobs", job(inputs={"photos": "dataset:photos"}))
    assert bars(world, made["id"]) == []
    know(world, 2, on_art42_list=True)
    world.place()
    assert world.attempts(made["id"]) == []
    assert bars(world, made["id"]) == [("HK", "PROHIBITED")]
    row = world.store.read(lambda tx: tx.jobs.get([made["id"]]))[made["id"]]
    assert row.state is JobState.QUEUED
