"""What every page has: a guard, a language, headers, and problems that a person can read."""

from __future__ import annotations

import re

import pytest

from baygrid.portal.language import chosen
from baygrid.portal.visit import inside
from tests.api.world import World
from tests.app.people import PASSWORD, add_user
from tests.portal.conftest import USERS, Visitor, csrf


def test_who_has_not_signed_in_is_asked_to_and_then_led_back(world: World, visitor: Visitor):
    client = visitor()
    answer = client.get("/portal/offers?accelerator=H100")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/portal/sign-in?next=/portal/offers%3Faccelerator%3DH100",
    )
    form = client.get(answer.headers["location"])
    assert 'value="/portal/offers?accelerator=H100"' in form.text
    add_user(world.platform, "wu", USERS["team"])
    typed = {"name": "wu", "password": "a guess", "next": "/portal/offers"}
    wrong = client.post("/portal/sign-in", data=typed)
    assert wrong.status_code == 401
    assert "the name or the password is not right" in wrong.text
    assert 'value="wu"' in wrong.text, "what was typed comes back"
    assert "a guess" not in wrong.text, "but no password"
    right = client.post("/portal/sign-in", data=typed | {"password": PASSWORD})
    assert (right.status_code, right.headers["location"]) == (303, "/portal/offers")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert client.get("/portal/offers").status_code == 200


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example/portal/", "/portal/\\evil", "/portalevil",
     "javascript:alert(1)", "/portal/\nSet-Cookie: a=b", "", None, "/\\evil.example/portal/"],
)  # fmt: skip
def test_nobody_is_led_out_of_the_portal(address: str | None):
    assert inside(address) == "/portal/"


def test_a_form_counts_only_from_a_page_of_ours(world: World, visitor: Visitor):
    client = visitor("team")
    mark = csrf(client)
    for headers, field in (
        ({"origin": "https://evil.example"}, mark),
        ({"origin": "null"}, mark),
        ({"sec-fetch-site": "cross-site"}, mark),
        ({"sec-fetch-site": "same-site"}, mark),
        ({}, ""),
        ({}, csrf(visitor("rival"))),
    ):
        refused = client.post("/portal/sign-out", data={"csrf": field}, headers=headers)
        assert refused.status_code == 403, (headers, field)
    assert client.get("/portal/").status_code == 200, "still signed in"
    done = client.post("/portal/sign-out", data={"csrf": mark}, headers={"origin": "http://localhost"})
    assert done.status_code == 303
    assert client.get("/portal/").status_code == 303


def test_every_answer_forbids_what_no_page_needs(visitor: Visitor):
    client = visitor("team")
    for address in ("/portal/", "/portal/nowhere", "/portal/sign-in", "/portal/static/none.css"):
        headers = client.get(address).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_no_page_has_a_script_or_a_style_in_it(visitor: Visitor):
    client = visitor("team")
    for address in ("/portal/", "/portal/offers", "/portal/nowhere", "/portal/sign-in"):
        page = client.get(address).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page), address
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page), "an address of another host"


def test_static_files_are_kept_for_ever_under_the_hash_of_their_content(visitor: Visitor):
    client = visitor()
    address = re.search(
        r'href="(/portal/static/portal\.[0-9a-f]{12}\.css)"', client.get("/portal/sign-in").text
    )
    assert address is not None
    found = client.get(address[1])
    assert found.status_code == 200
    assert "immutable" in found.headers["cache-control"]
    assert client.get("/portal/static/portal.css").status_code == 404
    assert client.get("/portal/static/..%2fapp.py").status_code == 404


def test_a_page_that_is_not_there_says_so_in_the_readers_language(visitor: Visitor):
    for language, title in (
        ("en", "There is no such page"),
        ("zh-CN", "没有这个页面"),
        ("zh-HK,en;q=0.5", "沒有這個頁面"),
        ("ja", "このページはありません"),
    ):
        answer = visitor("team", language).get("/portal/nowhere")
        assert answer.status_code == 404
        assert title in answer.text


@pytest.mark.parametrize(
    ("cookie", "accept", "tag"),
    [
        (None, None, "en"),
        (None, "fr, de;q=0.9", "en"),
        (None, "fr, ja;q=0.9, en;q=0.8", "ja"),
        (None, "en;q=0.5, zh-TW;q=0.9", "zh-Hant"),
        (None, "zh-Hant-HK", "zh-Hant"),
        (None, "zh", "zh-Hans"),
        (None, "zh-SG", "zh-Hans"),
        (None, "ja;q=0, en", "en"),
        (None, "ja;q=x, zh", "zh-Hans"),
        ("ja", "zh-CN", "ja"),
        ("xx", "zh-CN", "zh-Hans"),
    ],
)
def test_the_language_is_chosen_then_asked_of_the_browser(cookie: str | None, accept: str | None, tag: str):
    assert chosen(cookie, accept).tag == tag


def test_a_reader_chooses_language_and_clock_for_good(visitor: Visitor):
    client = visitor("team")
    answer = client.post("/portal/preferences", data={"language": "ja", "next": "/portal/offers"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal/offers")
    assert '<html lang="ja">' in client.get("/portal/offers").text
    client.post("/portal/preferences", data={"zone": "Europe/London", "next": "/portal/"})
    assert "GMT+00:00" in client.get("/portal/").text or "GMT+01:00" in client.get("/portal/").text
    client.post(
        "/portal/preferences", data={"zone": "../../etc/passwd", "language": "xx", "next": "/portal/"}
    )
    assert '<html lang="ja">' in client.get("/portal/").text


def test_what_a_form_cannot_be_is_refused(visitor: Visitor):
    client = visitor("team")
    as_json = client.post("/portal/sign-out", json={"csrf": "x"})
    assert as_json.status_code == 400
    many = "&".join(f"a{n}=1" for n in range(600)).encode()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/portal/sign-out", content=many, headers=kind).status_code == 400
    assert client.post("/portal/sign-out", content=b"a=%ff", headers=kind).status_code == 400
    assert client.post("/portal/sign-out", content=b"a=%00", headers=kind).status_code == 400
    assert client.post("/portal/sign-out", content=b"a=" + b"x" * 2**20, headers=kind).status_code == 413


def test_the_root_leads_to_the_portal(visitor: Visitor):
    assert visitor().get("/").headers["location"] == "/portal/"
    assert visitor().get("/portal").headers["location"] == "/portal/"


def test_a_user_of_several_projects_acts_in_one_at_a_time(world: World, visitor: Visitor):
    add_user(world.platform, "wu", USERS["team"], USERS["rival"], USERS["operator"])
    client = visitor()
    client.post("/portal/sign-in", data={"name": "wu", "password": PASSWORD})
    assert "Project demo" in client.get("/portal/").text
    before = client.cookies["baygrid"]
    refused = client.post("/portal/hat", data={"csrf": csrf(client), "hat": "project:clinic"})
    assert refused.status_code == 404
    changed = client.post("/portal/hat", data={"csrf": csrf(client), "hat": "project:other"})
    assert changed.status_code == 303
    assert client.cookies["baygrid"] != before, "what was seen before is good for nothing"
    assert "Project other" in client.get("/portal/").text
    assert visitor().get("/portal/", headers={"cookie": f"baygrid={before}"}).status_code == 303


def test_a_page_of_another_office_is_reached_by_one_button(world: World, visitor: Visitor):
    add_user(world.platform, "wu", USERS["team"], USERS["operator"])
    client = visitor()
    client.post("/portal/sign-in", data={"name": "wu", "password": PASSWORD})
    address = "/portal/region/audit?kind=signed-in"
    refused = client.get(address)
    assert refused.status_code == 403
    assert "You act for demo now" in refused.text
    assert f'name="next" value="{address}"' in refused.text
    typed = {"csrf": csrf(client), "hat": "platform", "next": address}
    assert client.post("/portal/hat", data=typed).headers["location"] == address
    assert client.get(address).status_code == 200
    foreign = client.post(
        "/portal/hat", data={**typed, "csrf": csrf(client), "next": "//evil.example/portal/"}
    )
    assert foreign.headers["location"] == "/portal/"
    assert "You act for" not in client.get("/portal/nowhere", headers={"cookie": ""}).text
