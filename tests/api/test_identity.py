"""Members, invitations, tokens and devices over HTTP."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from baygrid.app import devices
from baygrid.app.signing_in import Session, sign_in_local
from baygrid.ports.identity import Level, Of, OfKind
from tests.api.world import World
from tests.app.people import PASSWORD, add_user

DEMO = Of(OfKind.PROJECT, "demo")


@pytest.fixture
def lead(world: World) -> Session:
    add_user(world.platform, "lead", (DEMO, Level.LEAD))
    return sign_in_local(world.platform, "lead", PASSWORD)[0]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def logged_in(api: TestClient, world: World, session: Session) -> dict[str, str]:
    """The headers of a command line that its user let in."""
    asked = api.post("/v1/device", json={"label": "a laptop"}).json()
    pending = api.post("/v1/device/token", json={"device_code": asked["device_code"]})
    assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
    devices.confirm(world.platform, session, asked["user_code"], session.hat.key)
    given = api.post("/v1/device/token", json={"device_code": asked["device_code"]}).json()
    assert given["token_type"] == "Bearer"
    return bearer(given["access_token"])


def test_a_device_says_where_its_code_is_confirmed(api: TestClient):
    asked = api.post("/v1/device", json={}).json()
    assert asked["verification_uri"] == "http://test/portal/device"
    assert asked["verification_uri_complete"] == f"http://test/portal/device?code={asked['user_code']}"
    assert (asked["expires_in"], asked["interval"]) == (600, 5)


def test_a_lead_at_the_command_line(api: TestClient, world: World, lead: Session):
    mine = logged_in(api, world, lead)
    me = api.get("/v1/me", headers=mine).json()
    assert (me["role"], me["project"], me["user"]) == ("team", "demo", lead.user.id)
    made = api.post("/v1/tokens", headers=mine, json={"role": "team", "project": "demo", "scopes": ["read"]})
    service = made.json()
    assert (service["scopes"], service["user"], service["made_by"]) == (["read"], None, lead.user.id)
    assert service["expires_at"] is not None
    ids = {it["id"] for it in api.get("/v1/tokens", headers=mine).json()["items"]}
    assert {service["id"], me["token"]} <= ids
    assert api.get("/v1/jobs", headers=bearer(service["token"])).status_code == 200
    refused = api.post("/v1/members", headers=bearer(service["token"]))
    assert refused.status_code == 405
    assert api.delete(f"/v1/tokens/{service['id']}", headers=mine).status_code == 204
    assert api.get("/v1/jobs", headers=bearer(service["token"])).status_code == 401
    assert api.delete(f"/v1/tokens/{me['token']}", headers=mine).status_code == 204
    assert api.get("/v1/me", headers=mine).status_code == 401


def test_a_token_to_read_reads_and_nothing_else(api: TestClient, world: World, lead: Session):
    mine = logged_in(api, world, lead)
    made = api.post("/v1/tokens", headers=mine, json={"role": "team", "project": "demo", "scopes": ["read"]})
    reading = bearer(made.json()["token"])
    assert api.get("/v1/projects/demo", headers=reading).status_code == 200
    for method, address, body in (
        ("POST", "/v1/jobs", {"name": "x", "run": "true", "time": "1h"}),
        ("PUT", "/v1/secrets/X", {"value": "long enough"}),
        ("POST", "/v1/tokens", {"role": "team", "project": "demo"}),
        ("POST", "/v1/invitations", {"of": "project:demo", "level": "lead"}),
    ):
        refused = api.request(method, address, json=body, headers=reading)
        assert refused.status_code in (403, 404), (address, refused.text)


def test_members_and_invitations_of_a_project(api: TestClient, world: World, lead: Session):
    mine = logged_in(api, world, lead)
    wu = add_user(world.platform, "wu", (DEMO, Level.VIEWER))
    found = api.get("/v1/members?of=project:demo", headers=mine).json()["items"]
    assert [(it["name"], it["level"], it["issuer"]) for it in found] == [
        ("Lead", "lead", None), ("Wu", "viewer", None),
    ]  # fmt: skip
    change = {"of": "project:demo", "level": "member"}
    assert api.put(f"/v1/members/{wu.id}", headers=mine, json=change).status_code == 204
    made = api.post("/v1/invitations", headers=mine, json={**change, "email": "li@example.org"}).json()
    assert made["link"].startswith("http://test/portal/invitations/")
    (listed,) = api.get("/v1/invitations?of=project:demo", headers=mine).json()["items"]
    assert listed == {key: value for key, value in made.items() if key != "link"}
    assert api.delete(f"/v1/invitations/{made['id']}", headers=mine).status_code == 204
    assert api.delete(f"/v1/members/{wu.id}?of=project:demo", headers=mine).status_code == 204
    assert api.delete(f"/v1/members/{wu.id}?of=project:demo", headers=mine).status_code == 404
    wrong = api.get("/v1/members?of=demo", headers=mine)
    assert (wrong.status_code, wrong.json()["problems"][0]["path"]) == (422, "of")
