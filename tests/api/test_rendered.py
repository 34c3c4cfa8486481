"""Papers of a closed month over HTTP: pages in each language, tables, bundles; each to whom they concern."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace

import pypdf
import pytest
from starlette.testclient import TestClient

from baygrid.app import closing
from baygrid.app.access import Actor
from baygrid.app.signatures import signed_by
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.verify import first_difference
from baygrid.papers import pdf
from baygrid.ports.bundles import load_bundle
from baygrid.ports.records import Role
from tests.api.liar import HOUR, SUCCEEDED, Liar
from tests.api.world import SIGNER, World, job

with_fonts = pytest.mark.usefixtures("fonts")


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Project demo ran a job at centre far; its month is closed."""
    world = World(tmp_path_factory.mktemp("papers"))
    with TestClient(world.app, base_url="http://test") as client:
        document = job(resources={"cpus": 1, "memory": 1}, infra="far")
        made = client.post("/v1/jobs", json=document, headers=world.headers("team"))
        assert made.status_code == 201, made.text
        world.place()
        (mine,) = world.attempts(made.json()["id"])
        world.clock.ahead_ms += HOUR
        agent = Liar(world, client, mine, mine)
        ended = agent.item(SUCCEEDED, started_at=agent.now - 60_000, ended_at=agent.now, exit_code=0)
        body = agent.report(replace(ended, usage=(agent.usage(),)))
        answer = agent.send(body, **world.headers("far")).json()
        assert answer["usage_stored"] == [[mine.id, 0]], answer
    month = Month.of(world.clock())
    world.clock.ahead_ms += month.end + closing.OVER_MS - world.clock()
    closing.close(world.platform, Actor("op", Role.OPERATOR, "op"), str(month), dry_run=False)
    yield world
    world.close()


@pytest.fixture
def api(region: World) -> Iterator[TestClient]:
    with TestClient(region.app, base_url="http://test") as client:
        yield client


def paper(region: World, noun: str) -> str:
    return f"/v1/{noun}/{Month.of(region.clock() - 86_400_000)}-0001"


@with_fonts
def test_an_invoice_as_pdf(region: World, api: TestClient):
    team = region.headers("team")
    made = [
        api.get(f"{paper(region, 'invoices')}/pages?language={it}", headers=team) for it in ("ja", "ja", "en")
    ]
    assert [it.headers["content-type"] for it in made] == ["application/pdf"] * 3
    assert made[0].content == made[1].content != made[2].content
    assert made[0].content.startswith(b"%PDF-")
    assert made[0].headers["content-disposition"].endswith('-0001.pdf"')


def test_an_invoice_as_csv(region: World, api: TestClient):
    answer = api.get(
        f"{paper(region, 'invoices')}/pages?format=csv&language=zh-Hans", headers=region.headers("team")
    )
    assert answer.content.decode("utf-8-sig").startswith("日期,作业,尝试,")


def test_a_server_without_fonts_says_so(region: World, api: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pdf, "_families", frozenset)
    answer = api.get(f"{paper(region, 'invoices')}/pages", headers=region.headers("team"))
    assert (answer.status_code, answer.json()["code"]) == (503, "no-fonts")
    assert "fonts-noto-cjk" in answer.json()["detail"]


@pytest.mark.parametrize(("noun", "who"), [("invoices", "team"), ("settlements", "far")])
def test_a_bundle_is_good(region: World, api: TestClient, noun: str, who: str):
    answer = api.get(f"{paper(region, noun)}/bundle", headers=region.headers(who))
    assert answer.status_code == 200, answer.text
    assert first_difference(load_bundle(answer.content), signed_by, SIGNER.public_key) is None


@pytest.mark.parametrize("tail", ["pages?format=csv", "bundle"])
@pytest.mark.parametrize(("noun", "who"), [("invoices", "rival"), ("settlements", "hub")])
def test_others_see_none(region: World, api: TestClient, noun: str, who: str, tail: str):
    answer = api.get(f"{paper(region, noun)}/{tail}", headers=region.headers(who))
    assert answer.status_code == 404


@pytest.mark.parametrize("query", ["format=doc", "language=fr", "sample=perhaps", "colour=red"])
def test_what_is_not_there_to_be_asked(region: World, api: TestClient, query: str):
    answer = api.get(f"{paper(region, 'invoices')}/pages?{query}", headers=region.headers("team"))
    assert answer.status_code == 422


def test_a_statement_ends_with_what_is_left(region: World, api: TestClient):
    team = region.headers("team")
    answer = api.get("/v1/projects/demo/statement/pages?format=csv", headers=team)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    told = api.get("/v1/projects/demo/statement", headers=team).json()["closing"]
    assert (rows[0]["What"], rows[-1]["What"]) == ("Opening balance", "Closing balance")
    assert f"{rows[-1]['may be spent']} CNY" == told["prepaid"]["text"]
    assert f"{rows[-1]['due']} CNY" == told["due"]["text"]


@with_fonts
def test_a_sample_is_marked(region: World, api: TestClient):
    for address in (paper(region, "invoices"), "/v1/projects/demo/statement"):
        for sample in (True, False):
            query = f"language=zh-Hant&sample={str(sample).lower()}"
            answer = api.get(f"{address}/pages?{query}", headers=region.headers("team"))
            (page,) = pypdf.PdfReader(io.BytesIO(answer.content)).pages
            assert ("合成數據" in page.extract_text()) is sample
