"""What keeps an issue from being published: each fault is one finding, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from baygrid.letter.issue import read
from baygrid.letter.reading import Unreadable
from baygrid.letter.typed import typed
from tests.letter.issues import alter, copy, findings, write

EN, ISSUE = "texts/en.yaml", "issue.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy(tmp_path)


def test_the_first_issue_is_right(folder: Path):
    assert findings(folder) == []


def test_a_changed_source_makes_exactly_its_translations_stale(folder: Path):
    def change(texts):
        texts["count.density"] = texts["count.density"].replace("さらに", "いっそう")

    alter(folder / "texts/ja.yaml", change)
    found = findings(folder)
    assert [it.split(": stale")[0].split(": is stale")[0] for it in found] == [
        f"texts/{language}.yaml: count.density" for language in ("en", "zh-Hans", "zh-Hant")
    ]
    assert all("is stale: its source (ja) has changed" in it for it in found)


def test_a_paragraph_may_be_written_in_another_language(folder: Path):
    alter(folder / ISSUE, lambda it: it.update(written_in={"disclaimer.later": "en"}))
    assert len([it for it in findings(folder) if "disclaimer.later" in it]) == 4
    write(folder, "disclaimer.later", "x", en="x")
    alter(folder / EN, lambda it: it.update({"disclaimer.later": "x"}))
    ja = {"disclaimer.later": {"text": "x", "of": read(folder).texts["zh-Hans"]["disclaimer.later"].of}}
    alter(folder / "texts/ja.yaml", lambda it: it.update(ja))
    assert findings(folder) == []


@pytest.mark.parametrize("language", ["ja", "zh-Hans", "en"])
def test_a_missing_text_is_one_finding(folder: Path, language: str):
    if language == "ja":  # then nobody has what the others were made from
        alter(folder / "texts/ja.yaml", lambda it: it.pop("todo.text"))
        assert [it for it in findings(folder) if it.startswith("texts/ja")] == [
            "texts/ja.yaml: todo.text: is missing: write it"
        ]
        return
    alter(folder / f"texts/{language}.yaml", lambda it: it.pop("todo.text"))
    assert findings(folder) == [
        f"texts/{language}.yaml: todo.text: is missing; it is written in ja: write it"
    ]


def test_a_text_that_nothing_shows_is_told(folder: Path):
    write(folder, "idle", "x")
    assert len(findings(folder)) == 4
    assert "nothing shows it" in findings(folder)[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("約289社ある。", "289社' is a number typed by hand"),
        ("第289号。", "'289' is a number typed by hand"),
        ("前海市にある。", "Qianhai is a zone of Shenzhen, not a city or a district; write 前海"),
        ("２６社ある。", "２６社' is a number typed by hand"),
        ("二百八十九社ある。", "'二百八十九社' is a number typed by hand"),
        ("三割を占める。", "'三割' is a number typed by hand"),
        ("{qianhai.nothing}", "the bundle has no such figure"),
        ("{nowhere.companies.count}", "the bundle has no such figure"),
        ("{qianhai.companies.field.medical.count}", "may not be cited: suppressed"),
        ("{qianhai.companies.count|percent}", "percent is of a ratio, not of companies"),
        ("{qianhai.companies.count|loud}", "there is no style 'loud'"),
        ("{qianhai.companies.count|yen}", "yen are told of CNY, not of companies"),
        ("{qianhai.companies.density_ratio|fraction}", "is no simple part of one"),
        ("{day|2026-02-30}", "is no day"),
        ("{month|2026}", "is no month"),
        ("{name.nobody}", "lists no such name"),
        ("{exhibit|nothing}", "there is no such table or chart"),
        ("半分の{", "belongs to no reference"),
        ("[ここ](#nothing)を見る", "leads nowhere"),
        ("[ここ](http://example.org/)を見る", "must begin with https://"),
        ("[ここ]()を見る", "must begin with https://"),
        ("[ここ](javascript:alert)を見る", "must begin with https://"),
    ],
)  # fmt: skip
def test_a_fault_of_prose_is_one_finding_in_each_language(folder: Path, text: str, why: str):
    write(folder, "by.open", text)
    found = [it for it in findings(folder) if not it.startswith("texts/en.yaml") or "typed" not in why]
    assert found
    assert all("by.open" in it and why in it for it in found)
    assert len(found) in (3, 4)


def test_links_to_sections_exhibits_and_the_web_are_right(folder: Path):
    write(folder, "by.open", "[a](#count) [b](#layers) [c](https://example.org/a/b?c=d#e)")
    assert findings(folder) == []


def test_a_translation_cites_what_its_source_cites(folder: Path):
    write(folder, "by.open", "{qianhai.companies.count}", en="{shenzhen.companies.count}")
    [found] = findings(folder)
    assert "does not refer to what its source refers to" in found
    assert found.endswith(": qianhai.companies.count, shenzhen.companies.count")


@pytest.mark.parametrize("part", ["audience", "reference", "later", "advice", "rights", "reproduction"])
def test_no_part_of_the_disclaimer_may_be_left_out(folder: Path, part: str):
    alter(folder / ISSUE, lambda it: it["disclaimer"].pop(part))
    assert (
        findings(folder)[0] == f"issue.yaml: disclaimer: lacks {part!r}: a letter has all of its disclaimer"
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda it: it["sections"].pop(4), "there is no section 'changes'"),
        (lambda it: it["sections"][0].update(parts=[]), "is empty"),
        (lambda it: it["sections"][0].update(id="summary"), "cannot be an anchor"),
        (lambda it: it["tables"].pop("centre"), "there is no table 'centre'"),
        (lambda it: it["sections"][0]["parts"].append({"table": "centre"}), "stands twice"),
        (lambda it: it["charts"]["layers"]["points"][0].update(figure="qianhai.x"), "no such figure"),
        (lambda it: it["names"]["wrong_compute"].pop("en"), "is not told in en"),
        (lambda it: it.update(site="http://x/"), "must be an address"),
        (lambda it: it.update(contact="nobody"), "must be a mail address"),
        (lambda it: it["sources"].pop("synthetic registry"), "'synthetic registry' has no text"),
        (lambda it: it["changes"]["gba"]["rows"].pop(), "must be among the rows of one change"),
        (lambda it: it["changes"]["gba"]["rows"].append("2024-11-01-ffffff"), "is not in the bundle"),
        (lambda it: it.update(number=2), "bundle.json: is of issue 1, not of 2"),
    ],
)  # fmt: skip
def test_a_fault_of_the_layout_is_told(folder: Path, change, why: str):
    alter(folder / ISSUE, change)
    assert any(why in it for it in findings(folder))


def test_what_changed_in_the_law_since_must_be_told_anew(folder: Path):
    alter(folder / "bundle.json", lambda it: it["changes"][5].update(after="now something else"))
    found = findings(folder)
    assert len(found) == 2
    assert "says something else by now" in found[0]
    assert "now something else) must be among the rows of one change" in found[1]


@pytest.mark.parametrize(
    ("file", "change", "why"),
    [
        (ISSUE, lambda it: it.update(colour="red"), "issue.yaml: colour: Extra inputs"),
        (ISSUE, lambda it: it["tables"]["centre"]["rows"][0].pop(), "row 1 has 1 cells, there are 2 columns"),
        (ISSUE, lambda it: it["sections"][0]["parts"][0].update(table="centre"), "a part is one of"),
        (ISSUE, lambda it: it.update(source="fr"), "'fr' is none of en"),
        (EN, lambda it: it.update(title={"text": "x"}), "must be a text, or a translation"),
        ("bundle.json", lambda it: it["figures"]["facts"][0].update(value="x"), "json: figures.facts.0"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_where(folder: Path, file: str, change, why: str):
    alter(folder / file, change)
    with pytest.raises(Unreadable) as told:
        read(folder)
    assert why in str(told.value)


def test_a_text_that_stands_twice_is_refused(folder: Path):
    path = folder / "texts/ja.yaml"
    path.write_text(path.read_text("utf-8") + 'title: "x"\n', encoding="utf-8")
    with pytest.raises(Unreadable, match="'title' is written twice"):
        read(folder)


def test_a_correction_is_whole(folder: Path):
    told = {"at": "nowhere", "on": "2026-12-01", "since": "2026-12-02", "wrong": {"ja": "x"}, "right": {}}
    (folder / "corrections.yaml").write_text(yaml.safe_dump([told]), encoding="utf-8")
    found = findings(folder)
    assert len(found) == 4
    assert "there is no section 'nowhere'" in found[0]
    assert "since must lie between" in found[1]
    assert "wrong is not told in en, zh-Hans, zh-Hant" in found[2]
    assert "right is not told in en, zh-Hans, zh-Hant, ja" in found[3]


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("一つずつ確かめる。第一に国家の規則、一部の企業、万一に備える。", "ja"),
        ("一些企业在国家层面一同参与，万一有误，一个也不少。", "zh-Hans"),
        ("One of the firms has a half-finished model.", "en"),
    ],
)
def test_words_that_only_look_like_numbers_are_none(words: str, language: str):
    assert typed(words, language) == []


@pytest.mark.parametrize(
    ("words", "language", "found"),
    [
        ("two thirds of them, 5 percent, Vol. 77", "en", ["two thirds", "5 percent", "77"]),
        ("one eighth of them", "en", ["one eighth"]),
        ("五成企业、八分之一、二千家", "zh-Hans", ["五成", "八分之一", "二千家"]),
        ("第３回と十二社", "ja", ["３", "十二社"]),
        ("１２．７５％", "ja", ["１２．７５％"]),
    ],
)
def test_numbers_are_found_however_they_are_written(words: str, language: str, found: list[str]):
    assert typed(words, language) == found
