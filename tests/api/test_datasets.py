"""Datasets over the API: versions, who may read and use them, what becomes one, and what its lineage says."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.app import sync
from baygrid.app.access import Actor
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.ports.messages import Order, Source
from baygrid.ports.records import Project, Role
from tests.api.world import Json, World, job

TAR = b"a tar of labels"
DIGEST = hashlib.sha256(TAR).hexdigest()
PLAIN = {"personal": False, "important": "no", "core": False}
PHOTOS = {"name": "photos", "uri": "s3://photos/2026/", "jurisdiction": "CN-QH", "law": PLAIN}


@pytest.fixture
def post(world: World, api: TestClient):
    world.verify_parties()

    def send(path: str, body: Json, who: str = "team", status: int = 201) -> Any:
        answer = api.post(path, json=body, headers=world.headers(who))
        assert answer.status_code == status, answer.text
        return answer.json()

    return send


def refs(world: World, api: TestClient, who: str, query: str = "") -> list[str]:
    found = api.get(f"/v1/datasets{query}", headers=world.headers(who)).json()["items"]
    return [one["ref"].removeprefix("dataset:") for one in found]


def order_of(world: World, id: str) -> Order:
    """What the agent of the centre where it is placed is asked for."""
    world.place()
    attempt = world.attempts(id)[-1]
    actor = Actor("tok", Role.CENTRE, "", centre=attempt.centre)
    desired = sync.desired(world.platform, actor, 1 << 60, 0)
    assert desired is not None
    return next(order for order in desired.orders if order.attempt == attempt.id)


def test_versions_and_what_is_seen_of_them(world: World, api: TestClient, post):
    first = post("/v1/datasets", PHOTOS | {"sha256": "0" * 64, "bytes": 1 << 40})
    assert (first["version"], first["ref"]) == (1, "dataset:demo/photos@1")
    assert (first["uri"], first["sha256"], first["bytes"]) == ("s3://photos/2026/", "0" * 64, 1 << 40)
    uri = f"HTTPS://Example.org:443/x#sha256={DIGEST}"
    second = post("/v1/datasets", PHOTOS | {"uri": uri, "shared": True})
    assert (second["version"], second["uri"], second["sha256"]) == (2, "https://example.org/x", DIGEST)
    address = "/v1/datasets/demo/photos"
    own = api.get(address, headers=world.headers("team")).json()["items"]
    assert [one["version"] for one in own] == [2, 1]
    (theirs,) = api.get(address, headers=world.headers("rival")).json()["items"]
    assert theirs == second | {"uri": None, "made_by": None}  # the first version was never shared
    assert refs(world, api, "rival") == refs(world, api, "team") == ["demo/photos@2"]
    assert refs(world, api, "rival", "?project=other") == []
    assert refs(world, api, "operator") == ["demo/photos@2"]


def test_pages(world: World, api: TestClient, post):
    for name in ("c", "a", "b"):
        post("/v1/datasets", PHOTOS | {"name": name})
    first = api.get("/v1/datasets?limit=2", headers=world.headers("team")).json()
    assert [one["name"] for one in first["items"]] == ["a", "b"]
    assert refs(world, api, "team", f"?limit=2&cursor={first['next']}") == ["demo/c@1"]


def test_projects_of_one_organisation_read_each_others(world: World, api: TestClient, post):
    world.store.write(lambda tx: tx.region.insert_project(Project("lab", "uni", "CNY", 10_000_00)))
    post("/v1/datasets", PHOTOS)
    post("/v1/datasets", PHOTOS | {"project": "lab", "name": "cells"}, "operator")
    assert refs(world, api, "team") == ["demo/photos@1", "lab/cells@1"]
    inputs = {"cells": "dataset:lab/cells", "photos": "dataset:photos"}
    made = post("/v1/jobs", job(inputs=inputs))
    assert made["spec"]["inputs"] == {"cells": "dataset:lab/cells@1", "photos": "dataset:demo/photos@1"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"uri": "ftp://x/y"}, "uri"),
        ({"uri": "https://a:b@example.org/"}, "uri"),
        ({"uri": "http://169.254.169.254/latest/meta-data"}, "uri"),
        ({"uri": f"blob:{'0' * 64}"}, "uri"),
        ({"uri": "blob:x"}, "uri"),
        ({"sha256": "x"}, "sha256"),
        ({"uri": f"https://a.org/#sha256={DIGEST}", "sha256": "0" * 64}, "sha256"),
        ({"jurisdiction": "nowhere"}, "jurisdiction"),
        ({"name": "a/b"}, "name"),
        ({"bytes": -1}, "bytes"),
    ],
)
def test_what_is_no_dataset(world: World, api: TestClient, post, body: Json, path: str):
    before = world.dump()
    assert post("/v1/datasets", PHOTOS | body, status=422)["problems"][0]["path"] == path
    assert world.dump() == before


def test_a_job_takes_the_version_that_was_the_newest_when_it_was_submitted(world: World, post):
    post("/v1/datasets", PHOTOS | {"bytes": 1000, "sha256": "1" * 64})
    made = post(
        "/v1/jobs", job(inputs={"photos": "dataset:photos", "model": f"https://a.org/m#sha256={DIGEST}"})
    )
    post("/v1/datasets", PHOTOS | {"uri": "s3://photos/2027/"})
    order = order_of(world, made["id"])
    photos, model = order.sources["photos"], order.sources["model"]
    assert order.inputs == {"photos": photos.uri, "model": model.uri}
    assert photos == Source("s3://photos/2026/", "demo", "1" * 64, 1000)
    assert model == Source("https://a.org/m", "demo", DIGEST)
    assert world.store.read(lambda tx: tx.jobs.get([made["id"]]))[made["id"]].input_bytes == 1000


def test_what_a_project_may_not_read_is_not_there(world: World, api: TestClient, post):
    post("/v1/datasets", PHOTOS)
    wanted = job(inputs={"photos": "dataset:demo/photos"})
    theirs = post("/v1/jobs", wanted, "rival", 422)
    absent = post("/v1/jobs", job(inputs={"photos": "dataset:demo/absent"}), "rival", 422)
    assert "no dataset:demo/photos for project 'other'" in theirs["detail"]
    assert theirs["detail"] == absent["detail"].replace("absent", "photos")
    post("/v1/placements/explain", wanted, "rival", 422)
    post("/v1/jobs", wanted | {"project": "other"}, "operator", 422)  # it is the project that must be allowed
    post("/v1/datasets", PHOTOS | {"shared": True})
    assert post("/v1/jobs", wanted, "rival")["spec"]["inputs"]["photos"] == "dataset:demo/photos@2"
    post("/v1/jobs", job(inputs={"photos": "dataset:demo/photos@1"}), "rival", 422)


def put(world: World, api: TestClient, who: str) -> None:
    api.put(f"/v1/blobs/{DIGEST}", content=TAR, headers=world.headers(who))


def test_a_dataset_that_the_server_holds_is_fetched_by_the_centre_that_needs_it(world: World, api, post):
    put(world, api, "team")
    post("/v1/datasets", PHOTOS | {"uri": f"blob:{DIGEST}"})
    (held,) = api.get("/v1/datasets/demo/photos", headers=world.headers("team")).json()["items"]
    assert (held["sha256"], held["bytes"]) == (DIGEST, len(TAR))
    assert api.get(f"/v1/blobs/{DIGEST}", headers=world.headers("far")).status_code == 404
    made = post("/v1/jobs", job(inputs={"photos": "dataset:photos"}, infra="far"))
    order = order_of(world, made["id"])
    assert (dict(order.inputs), dict(order.sources)) == ({"photos": DIGEST}, {})
    assert api.get(f"/v1/blobs/{DIGEST}", headers=world.headers("far")).status_code == 200
    assert api.get(f"/v1/blobs/{DIGEST}", headers=world.headers("hub")).status_code == 404


def finish(world: World, api: TestClient, post, state: AttemptState, **fields: Any) -> str:
    """Runs a job that makes a dataset; its id."""
    post("/v1/datasets", PHOTOS)
    inputs = {"photos": "dataset:photos", "more": "https://a.org/x?signature=secret"}
    made = post("/v1/jobs", job(inputs=inputs, outputs={"labels": "dataset:photo-labels"}) | fields)
    id = (
        made["id"]
        if "array" not in fields
        else api.get(f"/v1/jobs?array={made['id']}", headers=world.headers("team")).json()["items"][0]["id"]
    )
    world.place()
    (attempt,) = world.attempts(id)
    put(world, api, attempt.centre)
    world.report(attempt.centre, attempt, state, outputs={"labels": DIGEST})
    return id


def test_an_output_becomes_a_dataset(world: World, api: TestClient, post):
    id = finish(world, api, post, AttemptState.SUCCEEDED)
    (made,) = api.get("/v1/datasets/demo/photo-labels", headers=world.headers("team")).json()["items"]
    (attempt,) = world.attempts(id)
    assert made | {"made_at": ""} == {
        "project": "demo",
        "name": "photo-labels",
        "version": 1,
        "ref": "dataset:demo/photo-labels@1",
        "jurisdiction": {"hub": "CN-QH", "far": "HK"}[attempt.centre],
        "uri": f"blob:{DIGEST}",
        "sha256": DIGEST,
        "bytes": len(TAR),
        "shared": False,
        "made_at": "",
        "made_by": attempt.id,
        "job": id,
        "lineage": ["https://a.org/x?...", "dataset:demo/photos@1"],
        "law": dict.fromkeys(("personal", "sensitive", "core", "mixed", "persons"))
        | {"important": "unknown", "origin": "unknown"},  # nobody has said what is behind that address
    }
    events = api.get("/v1/jobs/" + id + "/events", headers=world.headers("team")).json()["items"]
    assert [e["data"]["dataset"] for e in events if e["kind"] == "dataset-made"] == [made["ref"]]
    finish(world, api, post, AttemptState.SUCCEEDED)
    assert refs(world, api, "team") == ["demo/photo-labels@2", "demo/photos@2"]


def test_a_report_that_comes_twice_makes_one_version(world: World, api: TestClient, post):
    id = finish(world, api, post, AttemptState.SUCCEEDED)
    (attempt,) = world.attempts(id)
    world.report(attempt.centre, attempt, AttemptState.SUCCEEDED, outputs={"labels": DIGEST})
    assert "demo/photo-labels@1" in refs(world, api, "team")


def test_what_failed_makes_no_dataset(world: World, api: TestClient, post):
    finish(world, api, post, AttemptState.FAILED)
    assert refs(world, api, "team") == ["demo/photos@1"]


def test_an_elements_dataset_has_its_index(world: World, api: TestClient, post):
    finish(world, api, post, AttemptState.SUCCEEDED, array={"range": "7-7"})
    assert "demo/photo-labels-7@1" in refs(world, api, "team")


def test_a_blob_that_the_centre_never_stored_becomes_no_dataset(world: World, api: TestClient, post):
    put(world, api, "rival")
    made = post("/v1/jobs", job(outputs={"labels": "dataset:stolen"}))
    world.place()
    (attempt,) = world.attempts(made["id"])
    world.report(attempt.centre, attempt, AttemptState.SUCCEEDED, outputs={"labels": DIGEST})
    assert refs(world, api, "team") == []


def test_how_much_of_the_inputs_has_come(world: World, api: TestClient, post):
    id = post("/v1/jobs", job())["id"]
    world.place()
    (attempt,) = world.attempts(id)
    for came, total in ((0, None), (300, 1000), (1000, 1000)):
        world.report(attempt.centre, attempt, AttemptState.STAGING, staged_bytes=came, staging_bytes=total)
        (told,) = api.get(f"/v1/jobs/{id}", headers=world.headers("team")).json()["attempts"]
        assert (told["staged_bytes"], told["staging_bytes"]) == (came, total)
    for wrong in ({"staged_bytes": -1}, {"staging_bytes": 1 << 61}):
        world.report(attempt.centre, attempt, AttemptState.STAGING, **wrong)
        (told,) = api.get(f"/v1/jobs/{id}", headers=world.headers("team")).json()["attempts"]
        assert (told["staged_bytes"], told["staging_bytes"]) == (1000, 1000)


@pytest.mark.parametrize(
    ("state", "cause", "shown"),
    [
        (AttemptState.SUCCEEDED, None, ["labels"]),
        (AttemptState.FAILED, "exit-code", ["labels"]),
        (AttemptState.FAILED, "time-limit", ["labels"]),
        (AttemptState.CANCELLED, None, ["labels"]),
        (AttemptState.FAILED, "interrupted", []),
    ],
)
def test_outputs_are_those_of_the_job_file_however_it_ended(world: World, api, post, state, cause, shown):
    id = post("/v1/jobs", job(outputs={"labels": "labels"}))["id"]
    world.place()
    (attempt,) = world.attempts(id)
    put(world, api, attempt.centre)
    outputs = {"labels": DIGEST, "checkpoint": DIGEST}
    world.report(attempt.centre, attempt, state, cause=cause, outputs=outputs)
    found = api.get(f"/v1/jobs/{id}/outputs", headers=world.headers("team")).json()["items"]
    assert [one["name"] for one in found] == shown


def test_an_output_called_checkpoint_is_none(world: World, api: TestClient, post):
    wanted = job(outputs={"checkpoint": "x"}, retry={"on": ["error"]}, checkpoint={"path": "ckpt"})
    id = post("/v1/jobs", wanted)["id"]
    world.place()
    (attempt,) = world.attempts(id)
    put(world, api, attempt.centre)
    world.report(
        attempt.centre, attempt, AttemptState.FAILED, cause="exit-code", outputs={"checkpoint": DIGEST}
    )
    again = world.store.read(lambda tx: tx.jobs.get([id]))[id]
    assert (again.state, again.retries, again.checkpoint) == (JobState.HELD, 1, None)  # held to back off
