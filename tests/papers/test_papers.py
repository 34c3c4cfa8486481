"""Papers as PDF and CSV: every sum is on them, in each language, the same bytes every time."""

from __future__ import annotations

import csv
import io
import string
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pypdf
import pytest
import yaml

from baygrid.core.units import Money
from baygrid.papers import pdf as pages
from baygrid.papers.letters import letter
from baygrid.papers.pdf import NoFonts, pdf
from baygrid.papers.sheet import sheet
from baygrid.papers.words import LANGUAGES, Words
from tests.core.bundles import HOUR, Ran, bundle

RAN = (
    Ran("att-1", 0, 0, HOUR, accelerators=4, within=500),
    Ran("att-1", 1, HOUR, 2 * HOUR + 1, accelerators=400),
    Ran("att-2", 0, 5, HOUR + 77, cpus=3, project="other"),
)
NOTHING = "0.00 CNY"
STATEMENT = {
    "kind": "statement",
    "project": "demo",
    "currency": "CNY",
    "from": 1_793_462_400_000,
    "to": 1_796_054_400_000,
    "issued_at": 1_796_054_400_000,
    "opening": {"prepaid": "5.00 CNY", "due": NOTHING},
    "movements": [
        {"at": 1_793_500_000_000, "what": "job train", "key": "a", "prepaid": "-7.00 CNY", "due": NOTHING},
        {"at": 1_793_500_000_001, "what": "invoice", "key": "b", "prepaid": "2.00 CNY", "due": "2.12 CNY"},
    ],
    "closing": {"prepaid": NOTHING, "due": "2.12 CNY"},
}
PAPERS = {paper["kind"]: paper for paper in reversed(bundle(RAN)["papers"])} | {"statement": STATEMENT}
MAIN = {"invoice": "due", "settlement": "payable", "claim": "total", "credit-note": "amount"}

with_fonts = pytest.mark.usefixtures("fonts")


def text_of(document: bytes) -> str:
    reader = pypdf.PdfReader(io.BytesIO(document))
    return "\n".join(page.extract_text() for page in reader.pages)


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


@with_fonts
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", PAPERS)
def test_a_page_says_what_it_is_and_what_it_comes_to(kind: str, language: str):
    document, words = PAPERS[kind], Words(language)
    text = text_of(pdf(letter(document, language)))
    assert words(kind) in text
    assert document.get("number", document["currency"]) in text
    main = document["closing"]["due"] if kind == "statement" else document[MAIN[kind]]
    assert words.money(Money.parse(main)) in text
    assert words("sample") not in text


@with_fonts
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_document_is_the_same_bytes_with_its_glyphs_in_it(language: str):
    made = pdf(letter(PAPERS["invoice"], language))
    assert made == pdf(letter(PAPERS["invoice"], language))
    (page,) = pypdf.PdfReader(io.BytesIO(made)).pages
    faces: Any = page["/Resources"]["/Font"]  # type: ignore[index]
    assert len(faces) >= 2
    for face in faces.values():
        (descendant,) = face.get_object()["/DescendantFonts"]
        descriptor = descendant.get_object()["/FontDescriptor"].get_object()
        assert "NotoSansCJK" in descriptor["/FontName"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor), "the glyphs are in the file"


@with_fonts
def test_a_sample_says_so(monkeypatch: pytest.MonkeyPatch):
    for language in LANGUAGES:
        assert Words(language)("sample") in text_of(pdf(letter(PAPERS["invoice"], language, sample=True)))
    by_example = {**PAPERS["claim"], "rulebook": "example"}
    assert Words("en")("sample") in text_of(pdf(letter(by_example, "en")))


@with_fonts
def test_a_chinese_invoice_has_its_total_in_capitals():
    text = text_of(pdf(letter(PAPERS["invoice"], "zh-Hans")))
    assert "大写金额" in text
    assert Words("zh-Hans").capitals(Money.parse(PAPERS["invoice"]["total"])) in text
    assert "拾" not in text_of(pdf(letter(PAPERS["invoice"], "ja")))


@with_fonts
def test_what_people_wrote_is_never_read_as_markup():
    nasty = {**PAPERS["credit-note"], "reason": '#panic("x") $x$ *b* \\ // "', "invoice": "#sys.version"}
    assert '#panic("x") $x$ *b* \\ // "' in text_of(pdf(letter(nasty, "en")))


@with_fonts
@pytest.mark.slow
def test_many_charges_go_on_many_pages():
    ran = [Ran(f"att-{n:04d}", 0, 0, HOUR) for n in range(500)]
    text = text_of(pdf(letter(bundle(ran)["papers"][0], "zh-Hans")))
    assert all(f"job-{it.attempt}" in text for it in ran)


def test_a_machine_without_the_fonts_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "_families", lambda: frozenset({"DejaVu Sans"}))
    with pytest.raises(NoFonts, match="apt-get install fonts-noto-cjk"):
        pdf(letter(PAPERS["invoice"], "ja"))


def test_where_no_tax_is_configured_the_paper_says_so():
    bare = {**PAPERS["invoice"], "tax": None, "also_in": None}
    for language in LANGUAGES:
        words = Words(language)
        assert words("no-tax") in letter(bare, language).notes
        assert words("no-tax") not in letter(PAPERS["invoice"], language).notes


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "last"),
    [("invoice", "total"), ("settlement", "payable"), ("claim", "total"), ("credit-note", "amount")],
)
def test_the_rows_of_a_sheet_add_up_to_its_last(kind: str, last: str, language: str):
    rows = rows_of(sheet(PAPERS[kind], language))
    amounts = [Decimal(row[Words(language)("amount")]) for row in rows]
    assert sum(amounts[:-1]) == amounts[-1]
    assert f"{amounts[-1]} CNY" == PAPERS[kind][last]


def test_a_statement_goes_from_opening_to_closing():
    rows = rows_of(sheet(STATEMENT, "zh-Hant"))
    assert [row["說明"] for row in rows] == ["期初結餘", "job train", "invoice", "期末結餘"]
    for column in ("可用結餘", "應付款"):
        amounts = [Decimal(row[column]) for row in rows]
        assert sum(amounts[:-1]) == amounts[-1]


def test_a_sheet_is_data_and_not_formulas():
    evil = {**PAPERS["invoice"]["others"][0], "what": "=HYPERLINK(1)", "amount": "-1.00 CNY"}
    row = rows_of(sheet({**PAPERS["invoice"], "others": [evil]}, "en"))[-3]
    assert (row["Item"], row["Amount"]) == ("'=HYPERLINK(1)", "-1.00")


def test_every_word_is_there_in_every_language():
    found = yaml.safe_load(files("baygrid.papers").joinpath("words.yaml").read_text("utf-8"))
    for word, row in found.items():
        assert len(row) == len(LANGUAGES), word
        parts = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in row]
        assert all(it == parts[0] for it in parts), word
        assert word == "in-capitals" or all(row), word


@pytest.mark.parametrize(
    ("language", "day", "month"),
    [
        ("en", "30 Nov 2026", "November 2026"),
        ("zh-Hans", "2026年11月30日", "2026年11月"),
        ("zh-Hant", "2026年11月30日", "2026年11月"),
        ("ja", "2026/11/30", "2026年11月"),
    ],
)
def test_numbers_and_days_are_as_the_language_writes_them(language: str, day: str, month: str):
    document = letter(PAPERS["invoice"], language)
    facts = dict(document.facts)
    assert facts[Words(language)("month")] == month
    assert facts[Words(language)("period")].endswith(day)
    assert Words(language).money(Money(16_777_217_01, "CNY")) == "16,777,217.01"
