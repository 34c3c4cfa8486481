"""A browser's session reads the API, and only reads it."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from baygrid.app.signing_in import COOKIE, SECURE_COOKIE, Session, sign_in_local, sign_out, switch
from baygrid.ports.identity import Level, Of, OfKind
from tests.api.world import World, job
from tests.app.people import PASSWORD, add_user

DEMO, PLATFORM = Of(OfKind.PROJECT, "demo"), Of(OfKind.PLATFORM)


@pytest.fixture
def signed_in(world: World) -> tuple[Session, str]:
    add_user(world.platform, "wu", (DEMO, Level.LEAD), (PLATFORM, Level.OPERATOR))
    return sign_in_local(world.platform, "wu", PASSWORD)


def cookie(secret: str, name: str = COOKIE) -> dict[str, str]:
    return {"Cookie": f"{name}={secret}"}


def test_it_reads_as_the_hat_that_its_user_wears(
    api: TestClient, world: World, signed_in: tuple[Session, str]
):
    session, secret = signed_in
    me = api.get("/v1/me", headers=cookie(secret)).json()
    assert (me["role"], me["project"], me["user"]) == ("team", "demo", session.user.id)
    assert me["scopes"] == ["manage", "read", "use"]
    assert api.get("/v1/organisations", headers=cookie(secret)).status_code == 403
    _, other = switch(world.platform, session, "platform")
    assert api.get("/v1/organisations", headers=cookie(other)).status_code == 200
    assert api.get("/v1/me", headers=cookie(secret)).status_code == 401


def test_it_changes_nothing(api: TestClient, world: World, signed_in: tuple[Session, str]):
    _, secret = signed_in
    before = world.dump()
    for method, address, body in (
        ("POST", "/v1/jobs", job()),
        ("POST", "/v1/tokens", {"role": "team", "project": "demo", "label": "x"}),
        ("PUT", "/v1/secrets/X", {"value": "x"}),
        ("DELETE", "/v1/tokens/tok-1", None),
        ("PUT", f"/v1/blobs/{'0' * 64}", None),
    ):
        for name in (COOKIE, SECURE_COOKIE):
            found = api.request(method, address, json=body, headers=cookie(secret, name))
            assert found.status_code in (401, 404), (method, address, found.text)
            assert found.status_code == 401 or "no address" in found.text or method == "PUT"
    assert world.dump() == before


def test_over_plain_http_the_cookie_of_tls_is_none_and_the_other_way_round(
    world: World, signed_in: tuple[Session, str]
):
    _, secret = signed_in
    for base, right, wrong in (
        ("http://test", COOKIE, SECURE_COOKIE),
        ("https://test", SECURE_COOKIE, COOKIE),
    ):
        with TestClient(world.app, base_url=base) as client:
            assert client.get("/v1/me", headers=cookie(secret, right)).status_code == 200
            assert client.get("/v1/me", headers=cookie(secret, wrong)).status_code == 401


def test_a_wrong_token_is_not_made_good_by_a_cookie(api: TestClient, signed_in: tuple[Session, str]):
    _, secret = signed_in
    headers = {**cookie(secret), "Authorization": "Bearer made-up"}
    assert api.get("/v1/me", headers=headers).status_code == 401
    assert api.get("/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_who_has_signed_out_reads_no_more(api: TestClient, world: World, signed_in: tuple[Session, str]):
    session, secret = signed_in
    assert api.get("/v1/me", headers=cookie(secret)).status_code == 200
    sign_out(world.platform, session)
    assert api.get("/v1/me", headers=cookie(secret)).status_code == 401
