"""Pages of users: invitations, members, tokens, devices, the own account."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from baygrid.app import devices
from baygrid.app.access import authenticate
from baygrid.app.signing_in import sign_in_local
from tests.api.world import World
from tests.app.people import PASSWORD
from tests.portal.conftest import Visitor, csrf


def send(client: TestClient, path: str, **typed: str) -> tuple[int, str]:
    answer = client.post(f"/portal/{path}", data={"csrf": csrf(client)} | typed)
    return answer.status_code, answer.text


def shown(text: str, id: str) -> str:
    found = re.search(rf'<code id="{id}">([^<]+)</code>', text)
    assert found is not None, text[:500]
    return found[1]


def invitation(lead: TestClient, level: str = "member") -> str:
    """The path of its page."""
    status, text = send(
        lead, "members/invite", of="project:demo", level=level, days="7", email="wu@example.org"
    )
    assert status == 200
    link = shown(text, "link")
    assert link.startswith("http://localhost/portal/invitations/")
    assert link not in lead.get("/portal/members").text, "the link is shown once"
    return link.removeprefix("http://localhost")


def test_somebody_is_invited_makes_an_account_and_is_in(world: World, visitor: Visitor):
    path = invitation(visitor("team"))
    guest = visitor()
    form = guest.get(path)
    assert "demo" in form.text
    assert 'value="wu@example.org"' in form.text
    typed = {"name": "wu", "title": "Wu 吴", "email": "wu@example.org", "password": "short"}
    wrong = guest.post(path, data=typed)
    assert wrong.status_code == 422
    assert 'value="Wu 吴"' in wrong.text
    assert 'id="password-error"' in wrong.text
    assert "short" not in wrong.text
    right = guest.post(path, data=typed | {"password": "a few good words"})
    assert (right.status_code, right.headers["location"]) == (303, "/portal/")
    assert "Wu 吴" in guest.get("/portal/members").text
    assert visitor().get(path).status_code == 404
    assert visitor().post(path, data=typed | {"name": "li", "password": PASSWORD}).status_code == 404
    assert sign_in_local(world.platform, "wu", "a few good words")[0].user.email == "wu@example.org"


def test_who_is_signed_in_accepts_by_a_form_of_the_own_session(visitor: Visitor):
    path = invitation(visitor("team"), "viewer")
    rival = visitor("rival")
    elsewhere = rival.post(path, data={"csrf": "made-up"})
    assert elsewhere.status_code == 403, "no page elsewhere accepts for anybody"
    assert rival.post(path, data={"csrf": csrf(rival, path)}).status_code == 303
    assert "demo" in rival.get("/portal/").text


def test_another_sites_form_makes_no_account(visitor: Visitor):
    path = invitation(visitor("team"))
    typed = {"name": "eve", "password": "a few good words"}
    refused = visitor().post(path, data=typed, headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    assert visitor().get(path).status_code == 200


def test_a_viewer_sees_members_and_changes_nothing(visitor: Visitor):
    viewer = visitor("viewer")
    page = viewer.get("/portal/members").text
    assert "members/invite" not in page
    assert viewer.get("/portal/tokens").status_code == 403
    assert "/portal/tokens" not in viewer.get("/portal/").text
    status, _ = send(viewer, "members/invite", of="project:demo", level="lead", days="7")
    assert status == 403


def test_a_lead_makes_a_token_that_is_shown_once(world: World, visitor: Visitor):
    lead = visitor("team")
    status, text = send(lead, "tokens", label="nightly <b>", scope="read", days="5")
    assert status == 200
    secret = shown(text, "secret")
    actor = authenticate(world.platform, secret)
    assert (actor.project, sorted(actor.scopes)) == ("demo", ["read"])
    page = lead.get("/portal/tokens").text
    assert secret not in page
    assert "nightly &lt;b&gt;" in page
    assert send(lead, "tokens/revoke", token=actor.token_id)[0] == 303
    assert send(lead, "tokens", label="x", scope="read", days="many")[0] == 422
    assert send(lead, "tokens", label="x", days="5")[0] == 422


def test_a_command_line_is_let_in_and_shows_in_the_account(world: World, visitor: Visitor):
    lead = visitor("team")
    asked = devices.ask(world.platform, "login on <laptop>")
    page = lead.get(f"/portal/device?code={asked.code}").text
    assert f'value="{asked.code}"' in page
    assert "laptop" not in page, "a link shows nothing of a device before its code is confirmed"
    status, text = send(lead, "device", code=asked.code, hat="project:demo", decision="confirm")
    assert status == 200
    assert "It is let in" in text
    token, secret = devices.fetch(world.platform, asked.secret)
    assert "login on &lt;laptop&gt;" in lead.get("/portal/account").text
    assert send(lead, "account/revoke", token=token.id)[0] == 303
    assert "laptop" not in lead.get("/portal/account").text
    assert world.app.state.server is not None
    with TestClient(world.app, base_url="http://localhost") as client:
        assert client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_a_code_in_an_address_is_text(visitor: Visitor):
    page = visitor("team").get("/portal/device?code=%22%3E%3Cscript%3E").text
    assert "<script" not in page


def test_a_password_is_changed_and_ends_all_other_sessions(world: World, visitor: Visitor):
    here, there = visitor("team"), visitor("team")
    assert there.get("/portal/").status_code == 200
    assert send(here, "account/password", old="a guess", password="a few good words")[0] == 422
    assert send(here, "account/password", old=PASSWORD, password="a few good words")[0] == 303
    assert here.get("/portal/").status_code == 200
    assert there.get("/portal/").status_code == 303
    assert sign_in_local(world.platform, "user-team", "a few good words")
