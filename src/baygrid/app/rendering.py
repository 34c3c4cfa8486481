"""Issued papers and statements as people read them: PDF and CSV in their language."""

from __future__ import annotations

from enum import StrEnum

from baygrid.app import papers, statements
from baygrid.app.access import Actor
from baygrid.app.platform import Platform
from baygrid.app.problems import Problem
from baygrid.app.statements import Balance, Statement
from baygrid.core.pricing.papers import Document
from baygrid.core.units import Money
from baygrid.papers import pdf
from baygrid.papers.letters import letter
from baygrid.papers.sheet import sheet
from baygrid.ports.basics import Instant
from baygrid.ports.papers import PaperKind


class NoFonts(Problem):
    status, code, title = 503, "no-fonts", "This server cannot make PDF"


class Form(StrEnum):
    PDF = "pdf"
    CSV = "csv"


class Language(StrEnum):
    """As `baygrid.papers.words.LANGUAGES`."""

    ENGLISH = "en"
    SIMPLIFIED = "zh-Hans"
    TRADITIONAL = "zh-Hant"
    JAPANESE = "ja"


def rendered(
    platform: Platform,
    actor: Actor,
    kind: PaperKind,
    number: str,
    form: Form,
    language: Language,
    *,
    sample: bool = False,
) -> bytes:
    """The same bytes every time. `sample`: the region's data is synthetic, and a PDF says so. Raises
    NotFound, NoFonts."""
    return render(papers.shown(platform, actor, kind, number).document, form, language, sample=sample)


def statement(
    platform: Platform,
    actor: Actor,
    project: str,
    start: Instant,
    end: Instant,
    form: Form,
    language: Language,
    *,
    sample: bool = False,
) -> bytes:
    """How a project's money moved in [start, end). Raises NotFound, NoFonts."""
    found = statements.statement(platform, actor, project, start, end)
    return render(_document(found), form, language, sample=sample)


def _document(found: Statement) -> Document:
    """As papers have their documents."""

    def of(balance: Balance) -> Document:
        return {
            "prepaid": str(Money(balance.prepaid, found.currency)),
            "due": str(Money(balance.due, found.currency)),
        }

    return {
        "kind": "statement",
        "project": found.project,
        "currency": found.currency,
        "from": found.start,
        "to": found.end,
        "issued_at": found.end,
        "opening": of(found.opening),
        "movements": [
            {"at": it.at, "what": it.what, "key": it.key, **of(it.change)} for it in found.movements
        ],
        "closing": of(found.closing),
    }


def render(document: Document, form: Form, language: Language, *, sample: bool = False) -> bytes:
    """Of any document that has words. Raises NoFonts."""
    if form is Form.CSV:
        return sheet(document, language)
    try:
        return pdf.pdf(letter(document, language, sample=sample))
    except pdf.NoFonts as error:
        raise NoFonts(str(error)) from None
