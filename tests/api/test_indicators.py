"""The observatory's figures over HTTP, and by the command line from a server, as they are from files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from baygrid.cli import session
from baygrid.cli.entry import app
from baygrid.cli.errors import CliError
from baygrid.core.days import day_of
from baygrid.core.region.bodies import LAYERS
from baygrid.observatory import sample
from tests.api.world import World, serving
from tests.observatory.loading import FEW, load

YEAR = "zone=qianhai&as_of=2023-12-31"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path]]:
    """A small sample, in files and in a server."""
    folder = tmp_path_factory.mktemp("registry") / "sample"
    sample.write(folder, FEW)
    world = World(tmp_path_factory.mktemp("region"))
    load(world.platform, folder)
    yield world, folder
    world.close()


@pytest.fixture
def small(loaded: tuple[World, Path]) -> Iterator[TestClient]:
    world, _ = loaded
    with TestClient(world.app, base_url="http://test", headers=world.headers("team")) as client:
        yield client


@pytest.mark.slow
def test_the_published_figures_come_from_a_server(api: TestClient, world: World, tmp_path: Path):
    sample.write(tmp_path / "sample")
    load(world.platform, tmp_path / "sample")
    found = api.get(f"/v1/indicators?{YEAR}", headers=world.headers("team")).json()["items"]
    values = {it["id"]: it["value"] for it in found}
    assert [values[f"companies.{it}.count"] for it in LAYERS] == ["39", "37", "213"]
    assert values["companies.count"] == "289"
    assert values["companies.share_of_city"] == "0.1274813"
    assert values["mix.base_technology.share"] == "0.2629758"
    assert values["land.share_of_city"] == "0.0603706"
    assert values["companies.density_ratio"] == "2.1116462"
    assert values["returns.information_services.revenue"] == "221300000000"
    assert values["returns.information_services.revenue.before"] == "146072607260.73"
    assert values["universities.count"] is None


def test_as_csv_they_are_the_same(small: TestClient):
    found = {it["id"]: it for it in small.get(f"/v1/indicators?{YEAR}").json()["items"]}
    answer = small.get(f"/v1/indicators.csv?{YEAR}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert rows.keys() == found.keys()
    assert all(row["value"] == (found[id]["value"] or "") for id, row in rows.items())
    assert found["companies.count"]["value"] == "23"


def test_the_famous_ratio_is_refused_over_http(small: TestClient):
    asked = f"top=companies.count&bottom=returns.information_services.revenue&{YEAR}"
    answer = small.get(f"/v1/indicators/compare?{asked}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "refused-ratio"
    assert "different populations" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("zone=futian", "it has qianhai, shenzhen"),
        ("as_of=2023-02-30", "is no day"),
        ("as_of=0001-01-01", "is before 1950"),
        ("known_by=9999-12-31", "is to come"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_cure(small: TestClient, query: str, says: str):
    for address in ("/v1/indicators", "/v1/indicators.csv"):
        answer = small.get(f"{address}?{query}")
        assert answer.status_code == 422
        assert says in answer.text


@pytest.mark.parametrize(
    "arguments",
    [(), ("history", "mix.base_technology.share"), ("compare", "companies.base.count", "companies.count")],
)
def test_the_command_line_tells_of_a_server_what_it_tells_of_files(loaded: tuple[World, Path], arguments):
    server, files = both(loaded, *arguments)
    assert (server.exit_code, files.exit_code) == (0, 0), server.exception
    assert json.loads(server.stdout) == json.loads(files.stdout)


def test_the_command_line_refuses_alike(loaded: tuple[World, Path]):
    server, files = both(loaded, "compare", "companies.count", "returns.information_services.revenue")
    assert isinstance(server.exception, CliError)
    assert isinstance(files.exception, CliError)
    assert server.exception.code == files.exception.code == "refused-ratio"
    assert server.exception.detail == files.exception.detail


def both(loaded: tuple[World, Path], *arguments: str) -> tuple[Result, Result]:
    """What it tells of a server and of files."""
    world, folder = loaded
    known = day_of(world.platform.clock()).isoformat()
    given = [
        "indicators",
        *arguments,
        "--json",
        "--zone",
        "qianhai",
        "--as-of",
        "2023-12-31",
        "--known-by",
        known,
    ]
    token = world.headers("team")["Authorization"].removeprefix("Bearer ")
    with serving(world.app) as address:
        server = CliRunner().invoke(app, [*given, "--server", address, "--token", token])
        session.current.client.close()
    return server, CliRunner().invoke(app, [*given, "--registry", str(folder)])
