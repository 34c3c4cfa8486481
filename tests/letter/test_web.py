"""The page: what people who print, hear or search it need, and nothing from elsewhere."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from baygrid.letter.composing import page
from baygrid.letter.issue import read
from baygrid.letter.web import Place, html
from baygrid.papers.words import LANGUAGES
from tests.letter.issues import FIRST, alter, copy, write

LASTING = {it: f"https://letter.example.org/issues/001/{it}/index.html" for it in LANGUAGES}


def place(language: str) -> Place:
    beside = {it: f"../{it}/index.html" for it in LANGUAGES}
    return Place(LASTING[language], beside, LASTING, f"../{language}/feed.xml", "../index.html")


class Seen(HTMLParser):
    VOID = ("meta", "link", "br", "hr", "img", "path", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag in names]


@pytest.fixture(scope="module", params=LANGUAGES)
def built(request) -> tuple[str, str, Seen]:
    text = html(page(read(FIRST), request.param), place(request.param))
    return request.param, text, Seen(text)


def test_it_says_its_language_and_where_the_others_are(built):
    language, _, seen = built
    assert seen.all("html")[0]["lang"] == language
    links = seen.all("link")
    found = {it["hreflang"]: it["href"] for it in links if it.get("hreflang")}
    assert found == LASTING | {"x-default": LASTING["en"]}
    assert [it["href"] for it in links if it["rel"] == "canonical"] == [LASTING[language]]
    current = [it for it in seen.all("a") if it.get("aria-current") == "page"]
    assert [it["lang"] for it in current] == [language]


def test_headings_ids_and_tables_are_in_order(built):
    _, _, seen = built
    levels = [int(tag[1]) for tag, _ in seen.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = Counter(it["id"] for _, it in seen.tags if it.get("id"))
    assert [id for id, count in ids.items() if count > 1] == []
    named = {it["aria-labelledby"] for _, it in seen.tags if it.get("aria-labelledby")}
    assert {word for it in named for word in it.split()} <= {*ids}
    assert seen.all("th")
    assert all(it.get("scope") in ("col", "row") for it in seen.all("th"))
    assert {it["href"][1:] for it in seen.all("a") if it["href"].startswith("#")} <= {*ids}


def test_nothing_comes_from_another_host_and_nothing_runs(built):
    _, text, seen = built
    assert not seen.all("script", "iframe", "img", "object", "embed")
    assert not [it for _, attrs in seen.tags for it in attrs if it.startswith("on")]
    loaded = [it["href"] for it in seen.all("link") if it["rel"] in ("stylesheet", "preload", "icon")]
    assert loaded == []
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", text)
    assert "default-src 'none'" in text


def test_charts_tell_what_they_show(built):
    _, _, seen = built
    pictures = seen.all("svg")
    assert len(pictures) == 3
    assert all(it.get("role") == "img" for it in pictures)
    assert all(it.get("aria-label") or it.get("aria-labelledby") for it in pictures)


def test_the_summary_comes_first_then_contents_then_sections(built):
    _, text, _ = built
    at = [text.index(f'id="{id}"') for id in ("summary", "contents", "count", "changes", "effects", "actions",
                                              "indicators", "platform", "cited", "disclaimer")]  # fmt: skip
    assert at == sorted(at)


def test_what_is_synthetic_is_marked(built):
    language, text, _ = built
    word = {"en": "Synthetic data", "zh-Hans": "合成数据", "zh-Hant": "合成數據", "ja": "合成データ"}[
        language
    ]
    assert f'<p class="mark"><strong>{word}</strong>' in text
    cited = re.findall(r'<data value="289"[^>]*>[^<]*</data>(<sup>\*</sup>)?', text)
    assert cited
    assert all(cited)
    assert '<data value="221300000000"' in text
    assert not re.search(r'<data value="221300000000"[^>]*>[^<]*</data><sup>', text)


def test_texts_are_text(tmp_path: Path):
    folder = copy(tmp_path)
    write(folder, "by.open", '<script>alert("x")</script> & "y"')
    alter(
        folder / "issue.yaml", lambda it: it["names"].update(qianhai_v2=dict.fromkeys(LANGUAGES, "<b>bold"))
    )
    text = html(page(read(folder), "ja"), place("ja"))
    assert "<script" not in text
    assert "<b>" not in text
    assert "&lt;script&gt;" in text


def test_a_quotation_has_its_speaker_post_and_source(tmp_path: Path):
    folder = copy(tmp_path)
    for id, words in {"q.text": "引用文", "q.name": "甲野", "q.post": "局長"}.items():
        write(folder, id, words)

    def quote(layout):
        told = {"text": "q.text", "name": "q.name", "post": "q.post", "source": "https://example.org/q"}
        layout["quotations"] = {"q": told}
        layout["sections"][0]["parts"].append({"quotation": "q"})

    alter(folder / "issue.yaml", quote)
    text = html(page(read(folder), "ja"), place("ja"))
    assert re.search(
        r"<blockquote><p>引用文</p></blockquote>\s*<p[^>]*>甲野, 局長. 出所：<a href=\"https://example.org/q\">",
        text,
    )
