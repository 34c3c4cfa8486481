"""The registry over the API: strict answers, imports that say what is wrong, exports that are read back."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.api import registry_schemas, schemas
from baygrid.core.region.rows import FILES
from tests.api.world import World
from tests.observatory.rows import figure, read, small, workbook, write


class Client:
    def __init__(self, world: World, api: TestClient) -> None:
        self._world, self._api = world, api

    def ask(self, method: str, path: str, body: Any = None, who: str = "operator") -> Any:
        return self._api.request(method, f"/v1/registry{path}", json=body, headers=self._world.headers(who))

    def put(self, *paths: Path) -> dict[str, str]:
        """By name, what the server now has of them."""
        files = {}
        for path in paths:
            content = path.read_bytes()
            files[path.name] = hashlib.sha256(content).hexdigest()
            headers = self._world.headers("operator")
            self._api.put(
                f"/v1/blobs/{files[path.name]}", content=content, headers=headers
            ).raise_for_status()
        return files

    def run(self, files: dict[str, str], **more: Any) -> Any:
        return self.ask("POST", "/imports", {"files": files, **more})


@pytest.fixture
def client(world: World, api: TestClient) -> Client:
    return Client(world, api)


def test_answers_are_as_the_contract_says(client: Client, tmp_path: Path):
    files = client.put(*write(tmp_path / "in", small()).iterdir())
    done = registry_schemas.Import.model_validate(client.run(files).json())
    assert (done.imported, done.findings, done.counts["bodies_new"]) == (True, [], 3)
    said = {"kind": "layer", "values": ["base"], "since": "2022-01-01", "by": "Li", "why": "chips"}
    for method, path, body in (
        ("POST", "/bodies/rail/labels", said),
        ("PUT", "/bodies/rail/organisation", {"organisation": "uni"}),
        ("POST", "/bodies/univ/merge", {"into": "deep", "why": "a test"}),
        ("POST", "/bodies/univ/unmerge", {"why": "a test"}),
        ("GET", "/bodies/rail?on=2021-01-01", None),
    ):
        registry_schemas.History.model_validate(client.ask(method, path, body).json())
    for path, model in (
        ("/bodies", schemas.Listing[registry_schemas.Registered]),
        ("/bodies/rail/proposals", schemas.Listing[registry_schemas.Proposal]),
        ("/zones", registry_schemas.Zones),
        ("/imports", schemas.Listing[registry_schemas.PastImport]),
    ):
        model.model_validate(client.ask("GET", path).json())
    assert client.ask("GET", "/bodies/rail?on=2021-01-01", who="team").json()["zone"] == "shenzhen"
    assert client.ask("GET", "/bodies?layer=base&on=2021-01-01").json()["items"] == []


def test_an_export_is_what_was_imported(client: Client, tmp_path: Path):
    client.run(client.put(*write(tmp_path / "in", small()).iterdir())).raise_for_status()
    (tmp_path / "out").mkdir()
    for name in FILES:
        (tmp_path / "out" / name).write_bytes(client.ask("GET", f"/export/{name}").content)
    there, back = read(tmp_path / "in"), read(tmp_path / "out")
    assert (back.bodies, back.zones, back.findings) == (there.bodies, there.zones, [])
    assert sorted(back.addresses, key=repr) == sorted(there.addresses, key=repr)
    assert sorted(back.returns, key=repr) == sorted(there.returns, key=repr)
    assert set(there.labels) < set(back.labels)  # what the classifier added
    again = client.run(client.put(*(tmp_path / "out" / name for name in FILES))).json()
    assert (again["imported"], again["id"]) == (True, None)


def test_returns_of_a_body_that_was_merged_are_of_the_other(client: Client, tmp_path: Path):
    rows = small()
    rows["bodies"][0]["code"], rows["bodies"][0]["scheme"] = "", ""
    rows["returns"] = [figure("deep", "1"), figure("deep", "2", period="2022"), figure("rail", "3")]
    rows["returns"].append(figure("univ", "4", period="2022"))  # another part of the same has the first's
    client.run(client.put(*write(tmp_path / "in", rows).iterdir())).raise_for_status()
    for gone in ("deep", "univ"):
        client.ask("POST", f"/bodies/{gone}/merge", {"into": "rail", "why": "a test"}).raise_for_status()
    (tmp_path / "in" / "returns.csv").write_bytes(client.ask("GET", "/export/returns.csv").content)
    found = [(it.body, it.period, int(it.value)) for it in read(tmp_path / "in").returns]
    assert sorted(found) == [("rail", "2022", 2), ("rail", "2023", 3)]
    assert "deep," not in client.ask("GET", "/export/addresses.csv").text


def test_a_workbook_is_imported_alone(client: Client, tmp_path: Path):
    client.ask("PUT", "/zones", client_zones(tmp_path)).raise_for_status()
    files = client.put(workbook(tmp_path / "All.XLSX", small()))
    assert client.run(files).json()["counts"]["bodies_new"] == 3
    both = files | {"bodies.csv": "0" * 64}
    assert client.run(both).json()["code"] == "invalid"
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"no zip")
    detail = client.run(client.put(broken)).json()["detail"]
    assert "broken.xlsx" in detail
    assert "no .xlsx workbook" in detail


def client_zones(folder: Path) -> Any:
    import json

    return json.loads((write(folder / "zones", {}) / "zones.json").read_bytes())


def test_what_is_wrong_is_one_problem_and_changes_nothing(client: Client):
    for method, path, body, said in (
        ("GET", "/bodies?on=31-12-2023", None, "is no day"),
        ("GET", "/bodies?zone=none", None, "no zone 'none'"),
        ("GET", "/bodies?kind=shop", None, "kind"),
        ("PUT", "/zones", {"type": "FeatureCollection", "features": [{}]}, "Feature with properties"),
        ("POST", "/imports", {"files": {}}, "must be some of"),
        ("POST", "/imports", {"files": {}, "accepted": [{"line": 1}]}, "table"),
        ("POST", "/bodies/none/labels", {"kind": "layer", "values": [], "by": " ", "why": ""}, "who and why"),
    ):
        answer = client.ask(method, path, body)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert said in answer.text
    assert client.ask("GET", "/imports").json()["items"] == []
