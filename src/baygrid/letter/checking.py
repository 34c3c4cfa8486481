"""What keeps an issue from being published, each as one finding that says where and what cures it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from baygrid.core.prose.gazetteer import names
from baygrid.letter.inline import DATES, Link, Reference, pieces, references
from baygrid.letter.issue import Issue, fingerprint
from baygrid.letter.layout import DISCLAIMER, RESERVED, SECTIONS
from baygrid.letter.publishing import altered
from baygrid.letter.typed import typed
from baygrid.letter.voice import NoStyle, Voice
from baygrid.papers.words import LANGUAGES


@dataclass(frozen=True, slots=True)
class Finding:
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def check(issue: Issue) -> list[Finding]:
    """In the order of the files, then of the reading; first what is not as it was published."""
    found = [*_altered(issue), *_layout(issue)]
    for language in LANGUAGES:
        found += _texts(issue, language)
    return [*found, *_corrections(issue)]


def _altered(issue: Issue) -> Iterator[Finding]:
    for name in altered(issue.folder):
        cure = "put it back, and tell in corrections.yaml what was wrong"
        yield Finding(name, f"was altered after the issue was published: {cure}")


def _layout(issue: Issue) -> Iterator[Finding]:
    layout = issue.layout
    if issue.bundle.number != layout.number:
        yield Finding(
            "bundle.json", f"is of issue {issue.bundle.number}, not of {layout.number}: freeze it anew"
        )
    if not layout.site.startswith("https://") or not layout.site.endswith("/"):
        yield Finding("issue.yaml: site", "must be an address that begins with https:// and ends with /")
    if "@" not in layout.contact:
        yield Finding("issue.yaml: contact", "must be a mail address: sources ask there for removal")
    if not layout.summary:
        yield Finding("issue.yaml: summary", "is empty: a letter begins with its summary")
    there = {section.id for section in layout.sections}
    for part in DISCLAIMER:
        if part not in layout.disclaimer:
            yield Finding("issue.yaml: disclaimer", f"lacks {part!r}: a letter has all of its disclaimer")
    for id in SECTIONS:
        if id not in there:
            yield Finding("issue.yaml: sections", f"there is no section {id!r}, which every issue has")
    for section in layout.sections:
        if not section.parts:
            yield Finding(f"issue.yaml: sections.{section.id}", "is empty: put something into it")
    ids = ["title", *RESERVED, *(it.id for it in layout.sections), *issue.exhibits()]
    for id in dict.fromkeys(ids):
        if ids.count(id) > 1 or not id.replace("_", "").replace("-", "").isalnum() or not id.isascii():
            yield Finding(
                f"issue.yaml: {id}",
                "cannot be an anchor of the page: use another id, of a to z, 0 to 9, - and _",
            )
    for language in [*layout.written_in.values()]:
        if language not in LANGUAGES:
            yield Finding("issue.yaml: written_in", f"{language!r} is none of {', '.join(LANGUAGES)}")
    yield from _parts(issue)
    yield from _changes(issue)
    for source in issue.untold_sources():
        yield Finding("issue.yaml: sources", f"{source!r} has no text: figures that are cited come from it")
    for name, words in layout.names.items():
        if missing := [it for it in LANGUAGES if not words.get(it)]:
            yield Finding(f"issue.yaml: names.{name}", f"is not told in {', '.join(missing)}")


def _changes(issue: Issue) -> Iterator[Finding]:
    """Each row of the bundle is told once, and told of what is there."""
    told = [key for it in issue.layout.changes.values() for key in it.rows]
    there = {it.key: it for it in issue.bundle.changes}
    for name, it in issue.layout.changes.items():
        for key in it.rows:
            if key not in there:
                why = "it is not in the bundle, or says something else by now: tell it anew"
                yield Finding(f"issue.yaml: changes.{name}", f"{key}: {why}")
    for key, row in there.items():
        if told.count(key) != 1:
            what = f"{row.what}: {row.after or row.before}"[:80]
            yield Finding("issue.yaml: changes", f"{key} ({what}) must be among the rows of one change")


def _parts(issue: Issue) -> Iterator[Finding]:
    """Each exhibit and quotation is there, and stands once."""
    layout = issue.layout
    for kind, there in (("table", layout.tables), ("chart", layout.charts), ("quotation", layout.quotations)):
        used = [name for part in layout.parts() if (name := getattr(part, kind))]
        for name in dict.fromkeys(used):
            if name not in there:
                yield Finding(
                    "issue.yaml: sections", f"there is no {kind} {name!r}: describe it, or take it out"
                )
            elif used.count(name) > 1:
                yield Finding(
                    "issue.yaml: sections", f"the {kind} {name!r} stands twice: its number would be two"
                )
        for name in there:
            if name not in used:
                yield Finding(
                    f"issue.yaml: {kind}s.{name}", "no section shows it: put it into one, or take it out"
                )
    for name, table in layout.tables.items():
        for number, row in enumerate(table.rows, 1):
            for cell in row:
                if cell.startswith("{"):
                    yield from _pieces(issue, "en", cell, f"issue.yaml: tables.{name}, row {number}")
    for name, chart in layout.charts.items():
        for point in chart.points:
            yield from _figure(issue, "en", Reference(point.figure, "bare"), f"issue.yaml: charts.{name}")


def _texts(issue: Issue, language: str) -> Iterator[Finding]:
    file, texts, ids = f"texts/{language}.yaml", issue.texts[language], issue.text_ids()
    for id in ids:
        text, source = texts.get(id), issue.source_of(id)
        original = issue.written_in(id) == language
        if text is None:
            if not (original and source is not None):
                where = "" if original else f"; it is written in {issue.written_in(id)}"
                yield Finding(f"{file}: {id}", f"is missing{where}: write it")
            continue
        if source is not None and not original:
            yield from _translation(issue, id, language, f"{file}: {id}")
        elif text.of:
            yield Finding(
                f"{file}: {id}", "is said to be a translation, but texts here are the source: take `of` out"
            )
        yield from _prose(issue, id, language, f"{file}: {id}")
    for id in texts:
        if id not in ids:
            yield Finding(f"{file}: {id}", "nothing shows it: take it out, or name it in issue.yaml")


def _translation(issue: Issue, id: str, language: str, path: str) -> Iterator[Finding]:
    text, source = issue.texts[language][id], issue.source_of(id) or ""
    now = fingerprint(source)
    if text.of != now:
        yield Finding(
            path,
            f"is stale: its source ({issue.written_in(id)}) has changed; translate it, then set of: {now}",
        )
    here, there = ({it.head for it in references(words)} for words in (text.words, source))
    if here != there:
        differ = ", ".join(sorted(here ^ there))
        yield Finding(path, f"does not refer to what its source refers to: {differ}")


def _prose(issue: Issue, id: str, language: str, path: str) -> Iterator[Finding]:
    words = issue.texts[language][id].words
    for name in names(words):
        if name.flag is not None:
            yield Finding(path, f"{name.text}: {name.why}; write {name.right}")
    yield from _pieces(issue, language, words, path)


def _pieces(issue: Issue, language: str, text: str, path: str) -> Iterator[Finding]:
    for piece in pieces(text):
        if isinstance(piece, Reference):
            yield from _reference(issue, language, piece, path)
            continue
        words = piece.text
        for number in typed(words, language):
            yield Finding(
                path,
                f"{number!r} is a number typed by hand: cite {{SET.ID}}, {{day|...}} or {{name.ID}} for it",
            )
        for bracket in "{}":
            if bracket in words:
                yield Finding(path, f"has a {bracket!r} that belongs to no reference: write {{SET.ID|STYLE}}")
        if isinstance(piece, Link):
            yield from _link(issue, piece, path)


def _reference(issue: Issue, language: str, it: Reference, path: str) -> Iterator[Finding]:
    if it.head in DATES:
        if not _is_date(it.head, it.style):
            yield Finding(
                path, f"{it} is no {it.head}: write {{day|2026-12-17}}, {{month|2026-12}} or {{year|2026}}"
            )
    elif it.head == "exhibit":
        if it.style not in issue.exhibits():
            yield Finding(path, f"{it}: there is no such table or chart")
    elif it.head.startswith("name."):
        if it.head.removeprefix("name.") not in (*issue.layout.names, "contact"):
            yield Finding(path, f"{it}: issue.yaml lists no such name")
    else:
        yield from _figure(issue, language, it, path)


def _is_date(head: str, text: str) -> bool:
    try:
        date.fromisoformat(text + {"day": "", "month": "-01", "year": "-01-01"}[head])
    except ValueError:
        return False
    return True


def _figure(issue: Issue, language: str, it: Reference, path: str) -> Iterator[Finding]:
    figure = issue.bundle.figure(it.head)
    if figure is None:
        yield Finding(path, f"{it}: the bundle has no such figure")
    elif figure.value is None:
        yield Finding(path, f"{it} may not be cited: {figure.note or 'it has no value'}")
    else:
        try:
            Voice(language).figure(figure, it.style, issue.bundle.yen)
        except NoStyle as error:
            yield Finding(path, f"{it}: {error}")


def _link(issue: Issue, link: Link, path: str) -> Iterator[Finding]:
    anchors = {section.id for section in issue.layout.sections} | {*issue.exhibits()}
    if link.target.startswith("#"):
        if link.target[1:] not in anchors:
            yield Finding(
                path, f"the link {link.target} leads nowhere: there is no such section, table or chart"
            )
    elif not re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(/\S*)?", link.target):
        yield Finding(path, f"the link {link.target or 'to nothing'!r} must begin with https:// or #")


def _corrections(issue: Issue) -> Iterator[Finding]:
    there = {section.id for section in issue.layout.sections}
    for number, it in enumerate(issue.corrections, 1):
        path = f"corrections.yaml: {number}"
        if it.at not in there:
            yield Finding(path, f"there is no section {it.at!r}")
        if not issue.layout.date <= it.since <= it.on:
            yield Finding(path, "since must lie between the day of the issue and that of the notice")
        for field, words in (("wrong", it.wrong), ("right", it.right)):
            if missing := [language for language in LANGUAGES if not words.get(language)]:
                yield Finding(path, f"{field} is not told in {', '.join(missing)}")
