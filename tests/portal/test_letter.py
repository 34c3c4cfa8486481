"""The letter as it was published, and nothing else of the folder that it lies in."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from baygrid.letter import building, publishing
from baygrid.letter.issue import read
from baygrid.letter.shelf import LIST, Shelf
from baygrid.portal import app as portal
from baygrid.portal.letter import policy
from tests.api.world import World
from tests.letter.issues import FIRST

pytestmark = [pytest.mark.usefixtures("fonts"), pytest.mark.timeout(600)]
LANGUAGES = {"en": "Qianhai", "zh-Hans": "前海", "zh-Hant": "前海", "ja": "前海"}
ISSUE = "/portal/letter/issues/001"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    issue = read(FIRST)
    building.write(building.build(issue, publishing.others(issue)), folder)
    return folder


@pytest.fixture
def shelf(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may alter."""
    return Path(shutil.copytree(built, tmp_path / "public"))


@pytest.fixture
def reader(shelf: Path, tmp_path: Path) -> Iterator[TestClient]:
    """Nobody in particular, at a server that shows the letter."""
    region = World(tmp_path)
    region.app.router.routes += portal.routes(replace(region.platform, letters=Shelf(shelf)))
    with TestClient(region.app, base_url="http://localhost", follow_redirects=False) as client:
        yield client
    region.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_everybody_finds_the_issue_in_their_language(reader: TestClient, language: str):
    answer = reader.get("/portal/letter", headers={"accept-language": language})
    assert answer.status_code == 200
    assert f'href="{ISSUE}/{language}/index.html"' in answer.text
    links = re.findall(r'href="(/portal/letter/[^"]+)"', answer.text)
    assert f"{ISSUE}/{language}/letter.pdf" in links
    assert f"/portal/letter/{language}/feed.xml" in links
    for link in links:
        assert reader.get(link).status_code == 200, link
    text = reader.get(f"{ISSUE}/{language}/index.html").text
    assert f'<html lang="{language}">' in text
    assert LANGUAGES[language] in text


def test_each_kind_of_file_says_what_it_is_and_lets_no_script_run(reader: TestClient, shelf: Path):
    kinds = {
        "issues/001/ja/index.html": "text/html; charset=utf-8",
        "issues/001/ja/letter.pdf": "application/pdf",
        "issues/001/ja/charts/layers.svg": "image/svg+xml",
        "issues/001/ja/charts/layers.csv": "text/csv; charset=utf-8",
        "issues/001/ja/charts/layers.metadata.json": "application/json",
        "ja/feed.xml": "application/atom+xml; charset=utf-8",
    }
    for path, kind in kinds.items():
        answer = reader.get(f"/portal/letter/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == kind
        assert answer.content == (shelf / path).read_bytes()
        said = answer.headers["content-security-policy"]
        assert "script-src" not in said
        assert said.startswith("default-src 'none'; ")
        assert "unsafe" not in said
        assert answer.headers["x-content-type-options"] == "nosniff"
    style = reader.get(f"{ISSUE}/ja/index.html").headers["content-security-policy"]
    assert style == policy((shelf / "issues/001/ja/index.html").read_bytes())
    assert style.count("sha256-") == 4, "its own style and one of each chart"


def test_what_is_the_same_is_not_sent_again(reader: TestClient):
    tag = reader.get("/portal/letter/ja/feed.xml").headers["etag"]
    again = reader.get("/portal/letter/ja/feed.xml", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_its_page_of_all_issues_is_the_portals(reader: TestClient):
    answer = reader.get("/portal/letter/index.html")
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal/letter")


def test_nothing_else_is_served(reader: TestClient, shelf: Path):
    (shelf / "notes.html").write_text("a draft")
    (shelf.parent / "secret.html").write_text("not of the letter")
    (shelf / "ja" / "link.html").symlink_to(shelf.parent / "secret.html")
    for path in (
        "notes.html", LIST, "ja/link.html", "../secret.html", "..%2fsecret.html", "%2fetc%2fpasswd",
        "ja/%2e%2e/%2e%2e/secret.html", "ja/", "ja", "", "ja//feed.xml",
        "ja\\feed.xml", "ja/feed.xml%00",
    ):  # fmt: skip
        answer = reader.get(f"/portal/letter/{path}")
        assert answer.status_code == 404, path
        assert "a draft" not in answer.text
        assert "not of the letter" not in answer.text


def test_a_file_that_is_not_what_the_list_says_is_not_shown(reader: TestClient, shelf: Path):
    (shelf / "issues/001/ja/index.html").write_text("<script>alert(1)</script>")
    answer = reader.get(f"{ISSUE}/ja/index.html")
    assert answer.status_code == 503
    assert "alert" not in answer.text
    (shelf / "issues/001/ja/index.html").unlink()
    assert reader.get(f"{ISSUE}/ja/index.html").status_code == 503


def test_a_list_that_names_what_lies_elsewhere_counts_for_nothing(reader: TestClient, shelf: Path):
    known = json.loads((shelf / LIST).read_text("utf-8"))
    for path in ("../secret.html", "/etc/passwd", "ja/../../secret.html", ".hidden.html"):
        known["files"] = {path: "0" * 64}
        (shelf / LIST).write_text(json.dumps(known), encoding="utf-8")
        assert reader.get("/portal/letter").status_code == 503, path
    (shelf / LIST).unlink()
    answer = reader.get("/portal/letter")
    assert answer.status_code == 503
    assert "baygrid letter publish" in answer.text


def test_before_the_first_issue_there_is_none(tmp_path: Path):
    folder = tmp_path / "public"
    folder.mkdir()
    region = World(tmp_path)
    region.app.router.routes += portal.routes(replace(region.platform, letters=Shelf(folder)))
    with TestClient(region.app, base_url="http://localhost") as client:
        assert "No issue is published yet." in client.get("/portal/letter").text
        assert client.get("/portal/letter/en/feed.xml").status_code == 404
        (folder / "notes.html").write_text("somebody else's folder")
        assert client.get("/portal/letter").status_code == 503
    region.close()
