"""The platform's own figures over HTTP, and charts of them with data and metadata beside."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from tests.api.world import World

CHART = "/v1/charts/compute.hours_unmet"


@pytest.fixture
def headers(world: World) -> dict[str, str]:
    return world.headers("team")


def test_every_figure_has_all_that_it_takes_to_be_read(api: TestClient, headers):
    items = api.get("/v1/bottlenecks", headers=headers).json()["items"]
    ids = [it["id"] for it in items]
    assert {"compute.hours_unmet", "data.requests_unmet", "compute.used.not_linked"} <= {*ids}
    for it in items:
        assert it["population"], it
        assert it["vintage"], it
        assert it["source"], it
    one = api.get("/v1/bottlenecks?from=2026-10-01&to=2026-10-31", headers=headers).json()["items"][0]
    assert one["period"] == "2026-10"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=2026-13-01", "is no day"),
        ("from=2026-10-02&to=2026-10-01", "turn them round"),
        ("from=2020-01-01&to=2026-10-01", "at most 366 days"),
    ],
)
@pytest.mark.parametrize("address", ["/v1/bottlenecks", f"{CHART}.csv"])
def test_days_that_cannot_be_are_refused_with_the_cure(api: TestClient, headers, address, query, says):
    answer = api.get(f"{address}?{query}", headers=headers)
    assert answer.status_code == 422
    assert says in answer.text


def test_a_chart_its_data_and_its_metadata_tell_the_same(api: TestClient, headers):
    wish = {"text": "taxi rides", "project": "demo"}
    assert api.post("/v1/tables/wanted", json=wish, headers=headers).status_code == 201
    data = api.get("/v1/charts/data.requests_unmet.csv", headers=headers)
    assert data.headers["content-type"] == "text/csv; charset=utf-8"
    rows = [*csv.DictReader(io.StringIO(data.text))]
    about = api.get("/v1/charts/data.requests_unmet.json", headers=headers).json()
    assert [it["value"] for it in rows] == ["1", "1"]
    assert [it["figure"]["value"] for it in about["rows"]] == ["1", "1"]
    assert [it["figure"]["id"] for it in about["rows"]] == [it["id"] for it in rows]


def test_what_has_nothing_to_draw_and_what_is_no_chart_say_so(api: TestClient, headers):
    none = api.get("/v1/charts/centres.constraint.csv", headers=headers)
    assert (none.status_code, none.json()["detail"]) == (
        404,
        "centres.constraint has nothing to draw of these days: ask for others",
    )
    other = api.get("/v1/charts/compute.hours.csv", headers=headers)
    assert (other.status_code, "did you mean 'compute.hours_unmet'?" in other.text) == (404, True)


@pytest.mark.slow
def test_the_picture_is_in_the_readers_language(api: TestClient, headers):
    answer = api.get(f"{CHART}.svg?language=ja", headers=headers)
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert ET.fromstring(answer.content).get("lang") == "ja"
    assert "満たされなかった計算需要" in answer.text
    assert api.get(f"{CHART}.svg?language=ja", headers=headers).content == answer.content
