"""Secrets over the API: nobody is shown a value, and a job gets it only when it starts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from baygrid.app.secrets import MOST, seal_anew
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.records import AttemptRecord
from baygrid.store.vault import AesVault
from tests.api.world import VAULT, World, job

VALUE = "hf_0123456789"
TOKEN = "/v1/projects/demo/secrets/TOKEN"


def put(world: World, api: TestClient, value: object = VALUE, name: str = "TOKEN"):
    address = f"/v1/projects/demo/secrets/{name}"
    return api.put(address, json={"value": value}, headers=world.headers("team"))


def placed(world: World, api: TestClient, **more) -> AttemptRecord:
    made = api.post("/v1/jobs", json=job(infra="far", **more), headers=world.headers("team"))
    assert made.status_code == 201, made.text
    world.place()
    (attempt,) = world.attempts(made.json()["id"])
    return attempt


def ask(world: World, api: TestClient, attempt: AttemptRecord, who: str = "far", token: str | None = None):
    headers = world.headers(who) | {"Baygrid-Attempt-Token": token or attempt.token}
    return api.post(f"/v1/agent/secrets/{attempt.id}", headers=headers)


def test_it_is_set_listed_and_deleted_and_never_shown(world: World, api: TestClient):
    team = world.headers("team")
    made = put(world, api)
    assert made.status_code == 200
    assert set(made.json()) == {"project", "name", "set_at", "set_by"}
    put(world, api, "another one", "OTHER")
    listed = api.get("/v1/projects/demo/secrets", headers=team)
    assert [one["name"] for one in listed.json()["items"]] == ["OTHER", "TOKEN"]
    events = api.get("/v1/events?project=demo", headers=team)
    assert "secret-set" in events.text
    for answer in (made, listed, events):
        assert VALUE not in answer.text
    world.store.close()
    assert VALUE.encode() not in b"".join(path.read_bytes() for path in world.folder.iterdir())


def test_a_value_that_is_refused_is_not_repeated(world: World, api: TestClient):
    for value in ("abc", "x" * (MOST + 1), 7_700_077, ["hf_hidden"], {"hf_hidden": 1}):
        answer = put(world, api, value)
        assert answer.status_code == 422
        assert not any(part in answer.text for part in ("abc", "xxx", "7700077", "hf_hidden")), answer.text
    assert put(world, api, VALUE, "a-b").status_code == 422
    answer = api.put(TOKEN, json={"vlaue": "hf_hidden"}, headers=world.headers("team"))
    assert "hf_hidden" not in answer.text


def test_a_job_that_names_an_unknown_one_is_refused_with_the_cure(world: World, api: TestClient):
    put(world, api)
    headers = world.headers("team")
    for path, status in (("/v1/jobs", 422), ("/v1/placements/explain", 422)):
        answer = api.post(path, json=job(secrets=["TOKEN", "TOKNE"]), headers=headers)
        assert answer.status_code == status
        (problem,) = answer.json()["problems"]
        assert problem["path"] == "secrets[1]"
        assert "did you mean 'TOKEN'?" in problem["message"]
        assert "baygrid secrets set TOKNE" in problem["message"]
        assert "--project" not in problem["message"], "a team's token has one project only"
    rival = api.post("/v1/jobs", json=job(secrets=["TOKEN"]), headers=world.headers("rival"))
    assert rival.status_code == 422, "another project's is not there"


def test_who_has_no_project_of_their_own_is_told_to_name_it(world: World, api: TestClient):
    headers = world.headers("operator")
    answer = api.post("/v1/placements/explain", json=job(project="demo", secrets=["NOPE"]), headers=headers)
    (problem,) = answer.json()["problems"]
    cure = "set it with `baygrid secrets set NOPE --project demo`"
    assert problem["message"] == f"project 'demo' has no secret 'NOPE': {cure}"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("PATH", "programs and libraries are found by it"),
        ("LD_PRELOAD", "programs and libraries are found by it"),
        ("LD_LIBRARY_PATH", "programs and libraries are found by it"),
        ("HOME", "keep their files there"),
        ("IFS", "takes words apart by it"),
        ("ENV", "would run the file that it names"),
        ("BASH_ENV", "would run the file that it names"),
        ("BAYGRID_JOB", "is set by Baygrid"),
    ],
)
def test_no_name_that_would_break_a_job(world: World, api: TestClient, name: str, why: str):
    answer = put(world, api, VALUE, name)
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert problem["path"] == "name"
    assert why in problem["message"]


def test_the_agent_gets_it_only_for_its_own_attempt_and_before_the_start(world: World, api: TestClient):
    put(world, api)
    attempt = placed(world, api, secrets=["TOKEN"])
    assert ask(world, api, attempt, token="wrong").status_code == 404
    assert ask(world, api, attempt, who="hub").status_code == 404
    assert ask(world, api, attempt, who="team").status_code == 403
    answer = ask(world, api, attempt)
    assert answer.json() == {"values": {"TOKEN": VALUE}}
    assert answer.headers["Cache-Control"] == "no-store"
    world.report("far", attempt, AttemptState.RUNNING, started_at=world.clock())
    assert ask(world, api, attempt).status_code == 409
    told = api.get(f"/v1/jobs/{attempt.job}/events", headers=world.headers("team"))
    assert '"names":["TOKEN"]' in told.text
    assert VALUE not in told.text


def test_one_that_was_deleted_meanwhile_is_said(world: World, api: TestClient):
    put(world, api)
    attempt = placed(world, api, secrets=["TOKEN"])
    assert api.delete(TOKEN, headers=world.headers("team")).status_code == 204
    answer = ask(world, api, attempt)
    assert answer.status_code == 409
    assert "secret TOKEN was deleted" in answer.json()["detail"]


def test_a_new_key_takes_over_and_the_old_one_can_go(world: World, api: TestClient):
    put(world, api)
    attempt = placed(world, api, secrets=["TOKEN"])
    new = AesVault([b"n" * 32])
    lost = replace(world.platform, vault=new)
    assert seal_anew(lost) == (0, 1)
    both = AesVault([b"n" * 32, b"a key of tests, 32 bytes long..."])
    assert both.key != VAULT.key
    assert seal_anew(replace(world.platform, vault=both)) == (1, 0)
    assert seal_anew(lost) == (0, 0)
    assert ask(world, api, attempt).status_code == 503, "this server has only the old key"
