"""Jobs over HTTP."""

from starlette.testclient import TestClient

from tests.api.world import World, job


def test_a_job_is_submitted_listed_shown_and_cancelled(world: World, api: TestClient):
    team = world.headers("team")
    answer = api.post("/v1/jobs", json=job(), headers=team)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["state"] == "QUEUED"
    assert made["project"] == "demo"
    assert made["hold"]["minor"] > 0
    assert made["hold"]["text"].endswith(" CNY")
    assert api.get(f"/v1/jobs/{made['id']}", headers=team).json() == made
    listed = api.get("/v1/jobs", headers=team).json()
    assert [row["id"] for row in listed["items"]] == [made["id"]]
    assert listed["next"] is None
    assert "spec" not in listed["items"][0]
    cancelled = api.post(f"/v1/jobs/{made['id']}/cancel", headers=team)
    assert cancelled.json()["state"] == "CANCELLED"
    again = api.post(f"/v1/jobs/{made['id']}/cancel", headers=team)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
