"""Public support and the observatory as pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from baygrid.observatory import sample
from tests.app.stage import Stage
from tests.observatory.loading import FEW, load
from tests.portal.conftest import Visitor, csrf
from tests.portal.stages import lead, looking
from tests.portal.test_money import plain

ADDRESS = "/portal/measures/example/check"
FACTS = {
    "fact-revenue": "1000000",
    "fact-ai_revenue": "500000",
    "fact-books_audited": "yes",
    "fact-cost_name": "year 2025",
    "as_of": "2026-12-31",
}


def test_a_measure_says_at_most_how_much_and_why_and_what_must_still_be_said():
    with looking(Stage(), lead("demo")) as client:
        assert "nobody&#39;s law" in client.get("/portal/measures").text
        assert client.get("/portal/measures/example").text.count('name="fact-') == 10
        mark = csrf(client)
        told = client.post(ADDRESS, data={"csrf": mark, **FACTS, "claimed": "none"})
        assert told.status_code == 200
        text = plain(told.text)
        assert "CN¥7,500.00 eligible" in text
        assert "How it is reckoned" in text
        assert "Still to answer:" in text, "of the other clauses"
        assert 'value="500000"' in told.text, "what was typed stays"
        refused = plain(client.post(ADDRESS, data={"csrf": mark, **FACTS, "fact-books_audited": "no"}).text)
        assert "not eligible" in refused
        assert "CN¥7,500.00" not in refused


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("fact-revenue", "much", "must be a number from 0"),
        ("fact-cases_verified", "-1", "must be a whole number"),
        ("fact-cases_completed_on", "soon", "must be a day"),
        ("fact-books_audited", "perhaps", "must be true or false"),
        ("as_of", "soon", "must be a day"),
    ],
)
def test_what_is_no_answer_comes_back_with_why(field: str, typed: str, says: str):
    with looking(Stage(), lead("demo")) as client:
        answer = client.post(ADDRESS, data={"csrf": csrf(client), **FACTS, field: typed})
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="1000000"' in answer.text or field == "fact-revenue"


def test_a_rulebook_without_text_says_so():
    with looking(Stage(), lead("demo")) as client:
        page = client.get("/portal/measures/qianhai-v2").text
    assert "No clause of it is loaded" in page


def test_figures_have_their_population_and_charts_their_permanent_addresses(tmp_path: Path):
    stage = Stage()
    sample.write(tmp_path, FEW)
    load(stage.platform, tmp_path)
    with looking(stage, lead("demo"), language="zh-HK") as client:
        page = client.get("/portal/observatory?from=2027-01-01").text
        text = plain(page)
        assert "companies.count" in text
        assert "合成數據" in text
        assert "這些指標由虛構資料產生" in text
        pictures = re.findall(r'<img class="chart" src="([^"]+)" alt="([^"]+)"', page)
        assert "未滿足的算力需求" in [title for _, title in pictures]
        for address, _ in pictures:
            assert "from=2027-01-01&amp;to=2027-01-15" in address, "the days stay, whenever it is looked at"
            answer = client.get(address.replace("&amp;", "&"))
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"].startswith("image/svg+xml")
        for sheet in re.findall(r'href="(/v1/[^"]+\.csv[^"]*)"', page):
            assert client.get(sheet.replace("&amp;", "&")).headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize("query", ["from=soon", "zone=nowhere", "from=2027-02-01&to=2026-01-01", "as_of=x"])
def test_what_cannot_be_asked_is_told(tmp_path: Path, query: str):
    stage = Stage()
    sample.write(tmp_path, FEW)
    load(stage.platform, tmp_path)
    with looking(stage, lead("demo")) as client:
        answer = client.get(f"/portal/observatory?{query}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_cities_are_compared_by_what_is_established_and_the_rest_says_so(visitor: Visitor):
    text = visitor("team").get("/portal/observatory/cities").text
    shenzhen, hangzhou = (section_of(text, city) for city in ("shenzhen", "hangzhou"))
    assert "1,920" in shenzhen
    assert "Shenzhen AI White Paper 2023" in shenzhen
    assert "more than 2,200" in shenzhen
    assert hangzhou.count("not loaded") == 2
    assert "<table" not in hangzhou
    assert "位置づけ" in visitor("team", "ja").get("/portal/observatory/cities").text


def section_of(text: str, id: str) -> str:
    return text.partition(f'<section class="card" aria-labelledby="{id}">')[2].partition("</section>")[0]
