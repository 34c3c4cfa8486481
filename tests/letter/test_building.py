"""A built issue: the same bytes anywhere, links that lead somewhere, feeds by the RFC, right glyphs."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin
from xml.etree import ElementTree as Xml

import pypdf
import pytest
import yaml

from baygrid.letter import building, publishing
from baygrid.letter.feed import feed
from baygrid.letter.issue import read
from baygrid.papers.words import LANGUAGES
from tests.letter.atom import ATOM, LANG, broken
from tests.letter.issues import FIRST, alter, copy, figure
from tests.letter.test_web import Seen

pytestmark = pytest.mark.usefixtures("fonts")
SITE = "https://letter.example.org/"


def build(folder: Path) -> dict[str, bytes]:
    issue = read(folder)
    return building.build(issue, publishing.others(issue))


def text_of(document: bytes) -> str:
    """Lines of a PDF break where the page ends."""
    pages = pypdf.PdfReader(io.BytesIO(document)).pages
    return re.sub(r"\s+", "", "".join(page.extract_text() for page in pages))


@pytest.fixture(scope="module")
def built() -> dict[str, bytes]:
    return build(FIRST)


def test_every_language_has_page_pdf_feed_and_data_of_charts(built):
    for language in LANGUAGES:
        for top in (language, f"issues/001/{language}"):
            assert {f"{top}/index.html", f"{top}/letter.pdf"} <= built.keys()
            for name in ("layers", "revenue_chart", "mixes"):
                assert {
                    f"{top}/charts/{name}.{end}" for end in ("svg", "csv", "metadata.json")
                } <= built.keys()
        assert f"{language}/feed.xml" in built
    assert "index.html" in built


def test_every_link_leads_somewhere(built):
    anchors = {name: {it["id"] for _, it in Seen(text.decode()).tags if it.get("id")}
               for name, text in built.items() if name.endswith(".html")}  # fmt: skip
    followed = 0
    for name in anchors:
        for link in Seen(built[name].decode()).all("a", "link"):
            target, anchor = urldefrag(urljoin(f"{SITE}{name}", str(link["href"])))
            if not target.startswith(SITE):
                continue
            path = target.removeprefix(SITE)
            assert path in built, f"{name} links to {link['href']}"
            assert not anchor or anchor in anchors[path], f"{name} links to {link['href']}"
            followed += 1
    assert followed > 100
    for language in LANGUAGES:
        for it in Xml.fromstring(built[f"{language}/feed.xml"]).iter(f"{ATOM}link"):
            assert it.attrib["href"].removeprefix(SITE) in built


@pytest.mark.timeout(300)
def test_another_process_elsewhere_makes_the_same_bytes(built, tmp_path: Path):
    environ = {**os.environ, "TZ": "America/Los_Angeles", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "7"}
    script = "import os, sys; os.umask(0o077); sys.argv[0] = 'baygrid'; from baygrid.cli import main; main()"
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    argv = [sys.executable, "-c", script, "letter", "build", str(FIRST), "--out", str(out)]
    subprocess.run(argv, env=environ, check=True, cwd=elsewhere, capture_output=True, timeout=280)
    made = {str(it.relative_to(out)): it.read_bytes() for it in out.rglob("*") if it.is_file()}
    assert {name: digest(it) for name, it in made.items()} == {name: digest(it) for name, it in built.items()}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_feed_is_by_the_rfc(built, language: str):
    document = built[f"{language}/feed.xml"]
    assert broken(document) == []
    root = Xml.fromstring(document)
    assert root.get(LANG) == language
    [entry] = root.findall(f"{ATOM}entry")
    links = {
        it.get("hreflang"): it.get("href")
        for it in entry.findall(f"{ATOM}link")
        if it.get("rel") == "alternate"
    }
    assert links == {it: f"{SITE}issues/001/{it}/index.html" for it in LANGUAGES}


def test_the_rules_of_feeds_find_what_is_broken(built):
    good = built["en/feed.xml"].decode()
    for before, after in (
        ("<updated>2026-11-24T00:00:00+08:00", "<updated>2026-11-24"),
        ("<id>https://letter.example.org/en/feed.xml</id>", ""),
        ('hreflang="ja"', 'hreflang="en"'),
        ('rel="self"', 'rel="via"'),
        ("<name>Baygrid Letter</name>", ""),
        ('type="html"', 'type="markdown"'),
        ("<published>", "<subtitle>x</subtitle><published>"),
    ):
        assert before in good
        assert len(broken(good.replace(before, after).encode())) >= 1, before


def test_one_changed_figure_changes_every_language_and_format(built, tmp_path: Path):
    folder = copy(tmp_path)
    figure(folder, "qianhai.companies.count", value="298")
    made = build(folder)
    words = {"en": "companies", "zh-Hans": "家", "zh-Hant": "家", "ja": "社"}
    for language in LANGUAGES:
        old, new = (
            f"{it} {words[language]}" if language == "en" else f"{it}{words[language]}" for it in (289, 298)
        )
        for name in (f"{language}/index.html", f"{language}/feed.xml", f"issues/001/{language}/index.html"):
            assert old in built[name].decode()
            assert new not in built[name].decode()
            assert new in made[name].decode()
            assert old not in made[name].decode()
        before, after = (text_of(it[f"{language}/letter.pdf"]) for it in (built, made))
        old, new = old.replace(" ", ""), new.replace(" ", "")
        assert old in before
        assert new in after
        assert old not in after


def test_a_figure_of_a_chart_changes_its_picture_data_and_pdf(built, tmp_path: Path):
    folder = copy(tmp_path)
    figure(folder, "cities.shenzhen.mix.base.share.2022", value="0.0917")
    made = build(folder)
    for language in LANGUAGES:
        for name in (
            "charts/mixes.svg",
            "charts/mixes.csv",
            "charts/mixes.metadata.json",
            "index.html",
            "letter.pdf",
        ):
            assert made[f"{language}/{name}"] != built[f"{language}/{name}"]
        assert "9.2" in made[f"{language}/charts/mixes.svg"].decode()
        assert made[f"{language}/charts/layers.svg"] == built[f"{language}/charts/layers.svg"]


@pytest.mark.parametrize(
    ("language", "face", "lang"),
    [("en", "sc", "en-HK"), ("zh-Hans", "sc", "zh-CN"), ("zh-Hant", "hk", "zh-HK"), ("ja", "jp", "ja-JP")],
)
def test_a_pdf_has_the_glyphs_of_its_region_and_is_tagged(built, language: str, face: str, lang: str):
    reader: Any = pypdf.PdfReader(io.BytesIO(built[f"{language}/letter.pdf"]))
    fonts = {str(font.get_object()["/BaseFont"]) for page in reader.pages
             for font in page["/Resources"]["/Font"].values()}  # fmt: skip
    assert fonts
    assert all(f"NotoSansCJK{face}" in it for it in fonts)
    root = reader.trailer["/Root"]
    assert root["/Lang"] == lang
    assert root["/MarkInfo"]["/Marked"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert "D:20261124" in str(reader.metadata["/CreationDate"])


def test_issues_and_corrections_are_in_archive_feed_page_and_pdf(tmp_path: Path):
    first = copy(tmp_path)
    publishing.note(first, read(first).layout.date)
    second = copy(tmp_path, "002")
    alter(second / "bundle.json", lambda it: it.update(number=2))
    alter(second / "issue.yaml", lambda it: it.update(number="2", date="2026-12-24"))
    told = {
        "at": "count", "on": "2026-12-01", "since": "2026-11-24",
        "wrong": dict.fromkeys(LANGUAGES, "WRONG"), "right": dict.fromkeys(LANGUAGES, "RIGHT"),
    }  # fmt: skip
    (first / "corrections.yaml").write_text(yaml.safe_dump([told]), encoding="utf-8")
    made = build(second)
    archive = made["index.html"].decode()
    assert archive.index("issues/002/ja/index.html") < archive.index("issues/001/ja/index.html")
    assert archive.count("RIGHT") == len(LANGUAGES)
    for language in LANGUAGES:
        assert broken(made[f"{language}/feed.xml"]) == []
        newer, older = Xml.fromstring(made[f"{language}/feed.xml"]).findall(f"{ATOM}entry")
        assert "2026-12-24" in str(newer.findtext(f"{ATOM}updated"))
        assert "2026-12-01" in str(older.findtext(f"{ATOM}updated"))
        assert "RIGHT" in str(older.findtext(f"{ATOM}content"))
        for word in ("WRONG", "RIGHT"):
            assert word in made[f"issues/001/{language}/index.html"].decode()
            assert word in text_of(made[f"issues/001/{language}/letter.pdf"])
            assert word not in made[f"{language}/index.html"].decode()
    assert "../../../index.html" in made["issues/001/ja/index.html"].decode()


def test_a_feed_without_issues_is_no_feed():
    with pytest.raises(ValueError, match="empty"):
        feed("en", SITE, "a@b.example", [])
