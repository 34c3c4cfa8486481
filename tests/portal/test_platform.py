"""The region as its operator sees it: centres, projects and shares, policy, audit, what-if, health."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from baygrid.app import policies, projects, tokens
from baygrid.app.access import authenticate
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.policy import UNDECLARED
from baygrid.core.placement.queue.share import entitled
from baygrid.ports.identity import Level, Of, OfKind
from baygrid.ports.records import Role, Scope
from baygrid.store import open_store
from tests.app.stage import OPERATOR as ACTOR
from tests.app.stage import Stage
from tests.portal.conftest import csrf
from tests.portal.stages import OPERATOR, lead, looking
from tests.portal.test_money import plain

PAGES = ("health", "centres", "organisations", "projects", "policy", "what-if", "audit")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    store = open_store(f"sqlite:///{tmp_path}/a.db")
    yield Stage(store, funds="1000 CNY")
    store.close()


@pytest.fixture
def operator(stage: Stage) -> Iterator[TestClient]:
    with looking(stage, OPERATOR) as client:
        yield client


def post(client: TestClient, path: str, **typed: str):
    return client.post(f"/portal/{path}", data={"csrf": csrf(client), **typed})


def test_the_home_page_and_the_navigation_lead_an_operator_to_every_page(stage: Stage, operator: TestClient):
    stage.add_site("qianhai")
    home = operator.get("/portal/").text
    for name in PAGES:
        assert f'href="/portal/region/{name}"' in home, name
        assert operator.get(f"/portal/region/{name}").status_code == 200, name


@pytest.mark.parametrize("whose", [lead("demo"), (Of(OfKind.CENTRE, "qianhai"), Level.OPERATOR)])
def test_nobody_else_sees_or_does_any_of_it(stage: Stage, whose: tuple[Of, Level]):
    stage.add_site("qianhai")
    with looking(stage, whose) as client:
        assert "/portal/region/" not in client.get("/portal/").text
        for name in (*PAGES, "projects/demo", "projects/absent"):
            assert client.get(f"/portal/region/{name}").status_code in (403, 404), name
        assert post(client, "region/centres", name="new", jurisdiction="HK").status_code == 403
        assert post(client, "region/projects/demo/grant", amount="5", purpose="me").status_code in (403, 404)
        assert post(client, "region/policy", text="half_life: 1d").status_code == 403
        assert post(client, "region/audit").status_code == 403
    assert policies.policy(stage.platform, ACTOR) is None
    assert projects.project(stage.platform, ACTOR, "demo").granted == 100_000


def test_a_centre_is_added_and_its_join_token_shown_once(stage: Stage, operator: TestClient):
    wrong = post(operator, "region/centres", name="Not A Name", jurisdiction="HK")
    assert wrong.status_code == 422
    assert 'value="Not A Name"' in wrong.text
    assert 'id="name-error"' in wrong.text
    assert 'id="jurisdiction-error"' in post(operator, "region/centres", name="new", jurisdiction="??").text
    made = post(operator, "region/centres", name="futian", jurisdiction="CN", with_offers="yes")
    (secret,) = re.findall(
        r"BAYGRID_JOIN_TOKEN=(\S+) baygrid agent join --server http://localhost ", made.text
    )
    token = authenticate(stage.platform, secret)
    assert (token.role, token.centre) == (Role.JOIN, "futian")
    assert secret not in operator.get("/portal/centres/futian").text
    assert post(operator, "region/centres", name="futian", jurisdiction="CN").status_code == 409
    again = post(operator, "centres/futian/join")
    assert secret not in again.text
    assert "BAYGRID_JOIN_TOKEN=" in again.text
    (old,) = (it for it in tokens.tokens(stage.platform, ACTOR) if it.id == token.token_id)
    assert old.revoked_at is not None, "one that was not used ends"


def test_a_centre_is_closed_and_opened_and_who_is_silent_is_told(stage: Stage, operator: TestClient):
    stage.add_site("qianhai")
    page = plain(operator.get("/portal/region/centres").text)
    assert "qianhai" in page
    assert "8 of 8" in page
    assert "CN¥1.00" in page
    assert "Connected" in page
    assert post(operator, "centres/qianhai/drain").headers["location"] == "/portal/centres/qianhai"
    assert "Takes no new jobs" in operator.get("/portal/centres/qianhai").text
    post(operator, "centres/qianhai/open")
    assert "Takes no new jobs" not in operator.get("/portal/centres/qianhai").text
    stage.now += 600_000
    late = plain(operator.get("/portal/region/health").text)
    assert "1 agent is late" in late
    assert "Silent for 10 min" in late
    assert "Nobody leads" in late


def test_health_says_who_leads_what_waits_and_what_is_held_for_what(stage: Stage, operator: TestClient):
    site = stage.add_site("qianhai", nodes=1)
    (first,) = stage.submit({"resources": {"cpus": 8}})
    stage.schedule()
    site.report()
    stage.submit({"resources": {"cpus": 8}}, {"after": [first]}, {"after": [first]})
    stage.pass_time(20_000)
    site.report()
    stage.schedule()
    page = plain(operator.get("/portal/region/health").text)
    assert "A server leads" in page
    assert "server-1" in page
    assert "All agents report" in page
    assert "Waiting in queues 1 the first has waited 20 sec" in page
    assert "Held 2 1 job in progress" in page
    assert "jobs that must succeed first 2" in page
    told = operator.get("/v1/standing").json()
    assert (told["led"], told["queued"], told["active"], told["held"]) == (True, 1, 1, {"after": 2})
    assert (told["late"], told["never_reported"]) == ({}, [])


def test_an_organisation_and_its_project_are_made_and_funded(stage: Stage, operator: TestClient):
    assert 'id="name-error"' in post(operator, "region/organisations", name="A B", kind="company").text
    assert post(operator, "region/organisations", name="new", kind="club").status_code == 422
    assert (
        post(operator, "region/organisations", name="uni", kind="university", title="大学").status_code == 303
    )
    assert "大学" in operator.get("/portal/region/organisations").text
    bad = post(operator, "region/projects", name="vision", organisation="uni", currency="CNY", amount="1.234")
    assert bad.status_code == 422
    assert 'value="1.234"' in bad.text
    done = post(operator, "region/projects", name="vision", organisation="uni", currency="HKD", amount="50")
    assert done.headers["location"] == "/portal/region/projects/vision"
    page = operator.get("/portal/region/projects/vision").text
    once = re.findall(r'name="once" value="([^"]+)"', page)[0]
    for _ in range(2):  # a form that is sent twice grants once
        typed = {"amount": "7.50", "purpose": "more", "once": once}
        assert post(operator, "region/projects/vision/grant", **typed).status_code == 303
    assert projects.project(stage.platform, ACTOR, "vision").granted == 5750
    assert (
        post(operator, "region/projects/vision/grant", amount="-1", purpose="x", once="o").status_code == 422
    )
    assert 'id="purpose-error"' in post(operator, "region/projects/vision/grant", amount="1", once="p").text
    assert projects.project(stage.platform, ACTOR, "vision").granted == 5750


def test_shares_stand_beside_use_and_weights_go_into_the_policy(stage: Stage, operator: TestClient):
    site = stage.add_site("qianhai")
    stage.add_project("other")
    stage.submit({})
    stage.schedule()
    (order,) = site.desired().orders
    site.report(site.says(order, AttemptState.RUNNING))
    shown = plain(operator.get("/portal/region/projects").text)
    assert re.search(r"demo acme CN¥\S+ 1 50 % 100 %", shown), shown
    before = operator.get("/portal/region/projects/demo").text
    policy = re.findall(r'name="policy" value="([^"]*)"', before)[0]
    wrong = post(operator, "region/projects/demo/weight", weight="-1", of_organisation="2", policy=policy)
    assert 'id="weight-error"' in wrong.text
    typed = {"weight": "3", "of_organisation": "2", "policy": policy}
    assert post(operator, "region/projects/demo/weight", **typed).status_code == 303
    now = policies.policy(stage.platform, ACTOR)
    assert now is not None
    assert now.document["shares"] == {"acme": 2, "acme/demo": 3}
    assert re.search(r"demo acme CN¥\S+ 3 75 %", plain(operator.get("/portal/region/projects").text))
    assert post(operator, "region/projects/demo/weight", **typed).status_code == 422, (
        "made of an older policy"
    )


def test_what_weights_come_to():
    assert entitled(UNDECLARED, [("a", "x"), ("a", "y"), ("b", "z")]) == {"x": 0.25, "y": 0.25, "z": 0.5}
    assert entitled(UNDECLARED, []) == {}


def test_a_policy_is_set_and_one_that_cannot_be_comes_back(stage: Stage, operator: TestClient):
    good = "half_life: 3d\nqueues:\n  train: {quotas: {cpu: 4}, projects: [demo]}\n"
    assert post(operator, "region/policy", text=good).status_code == 303
    page = operator.get("/portal/region/policy").text
    assert "half_life: 3d" in page
    assert "cpu: 4" in plain(page)
    now = policies.policy(stage.platform, ACTOR)
    assert now is not None
    late = post(operator, "region/policy", text="half_life: 9d", policy="")
    assert late.status_code == 422
    wrong = post(operator, "region/policy", text="half_life: 1d\nshares: {nobody: 2}\n", policy=now.id)
    assert wrong.status_code == 422
    assert "nobody" in wrong.text
    assert "line 2" in wrong.text
    assert post(operator, "region/policy", text="- a\n", policy=now.id).status_code == 422
    after = policies.policy(stage.platform, ACTOR)
    assert after is not None
    assert after.id == now.id


def test_the_audit_is_searched_checked_and_an_altered_link_named(
    stage: Stage, operator: TestClient, tmp_path: Path
):
    for n in range(60):
        wanted = tokens.Wanted(Role.TEAM, "demo", None, f"service {n}", frozenset({Scope.READ}), 5)
        tokens.add_token(stage.platform, ACTOR, wanted)
    page = operator.get("/portal/region/audit")
    assert page.text.count("<code>token-issued</code>") == 50
    (older,) = re.findall(r'href="(/portal/region/audit\?before=[^"]+)"', page.text)
    assert operator.get(older).text.count("<code>token-issued</code>") == 10
    for query, number in (("kind=token", 50), ("by=tok-operator", 50), ("by=nobody", 0), ("kind=signed", 0),
                          ("about=demo", 50), ("about=other", 0), ("to=2000-01-01", 0)):  # fmt: skip
        found = operator.get(f"/portal/region/audit?{query}").text
        assert found.count("<code>token-issued</code>") == number, query
    assert operator.get("/portal/region/audit?from=yesterday").status_code == 422
    assert operator.get("/portal/region/audit?from=2027-02-01&to=2027-01-01").status_code == 422
    assert "are right" in post(operator, "region/audit").text
    assert "Links 41 to" in plain(post(operator, "region/audit", after="40").text)
    assert post(operator, "region/audit", after="x").status_code == 422
    assert post(operator, "region/audit", after="99999").status_code == 404
    assert operator.get("/v1/audit/export").status_code == 200, "what the page offers to take along"
    with closing(sqlite3.connect(tmp_path / "a.db")) as file:  # as somebody with the database's file would
        file.execute("DROP TRIGGER IF EXISTS audit_no_update")
        file.execute("UPDATE audit SET at = at + 1 WHERE n = 7")
        file.commit()
    broken = post(operator, "region/audit").text
    assert "The chain is broken at link 7" in plain(broken)


def test_what_if_tells_the_past_with_another_price_or_centre_and_changes_nothing(
    stage: Stage, operator: TestClient
):
    site = stage.add_site("qianhai")
    stage.submit({}, {})
    stage.schedule()
    orders = site.desired().orders
    stage.now += 600_000
    site.report(*(site.says(order, AttemptState.SUCCEEDED, 300) for order in orders))
    empty = post(operator, "region/what-if", days="30")
    assert empty.status_code == 422
    assert post(operator, "region/what-if", days="0", offer="qianhai-main", price="2").status_code == 422
    wrong = post(operator, "region/what-if", days="30", offer="qianhai-main", price="dear")
    assert wrong.status_code == 422
    assert 'value="dear"' in wrong.text
    offered = stage.store.read(lambda tx: tx.region.offers())
    typed = {
        "days": "30", "offer": "qianhai-main", "price": "4", "centre": "imagined", "jurisdiction": "HK",
        "nodes": "2", "cpus": "8", "memory": "64GiB", "model": "", "currency": "CNY", "rate": "9",
    }  # fmt: skip
    told = post(operator, "region/what-if", **typed)
    assert told.status_code == 200, told.text
    page = plain(told.text)
    assert "2 jobs" in page
    assert re.search(r"Cost of all jobs CN¥\S+ CN¥\S+ worse", page), page
    assert "In use at imagined" in page
    assert stage.store.read(lambda tx: tx.region.offers()) == offered
    assert stage.store.read(lambda tx: tx.region.centre("imagined")) is None
