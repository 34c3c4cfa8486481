"""Issued papers as people read them: PDF and CSV in their language."""

from __future__ import annotations

from enum import StrEnum

from baygrid.app import papers
from baygrid.app.access import Actor
from baygrid.app.platform import Platform
from baygrid.app.problems import Problem
from baygrid.core.pricing.papers import Document
from baygrid.papers import pdf
from baygrid.papers.letters import letter
from baygrid.papers.sheet import sheet
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


def render(document: Document, form: Form, language: Language, *, sample: bool = False) -> bytes:
    """Of any document that has words. Raises NoFonts."""
    if form is Form.CSV:
        return sheet(document, language)
    try:
        return pdf.pdf(letter(document, language, sample=sample))
    except pdf.NoFonts as error:
        raise NoFonts(str(error)) from None
