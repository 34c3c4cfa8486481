"""An issue as files: for each language page, PDF, charts and feed; the page of all issues.

The same issue, the same bytes, wherever and whenever it is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from baygrid.letter.archive import archive
from baygrid.letter.composing import page
from baygrid.letter.feed import feed
from baygrid.letter.issue import Issue
from baygrid.letter.page import Drawing, Page
from baygrid.letter.pdf import pdf
from baygrid.letter.shelf import LIST, listed
from baygrid.letter.web import Place, html
from baygrid.papers.words import LANGUAGES


def build(issue: Issue, others: Sequence[Issue]) -> dict[str, bytes]:
    """Contents by path: the issue at the top, where readers look for the newest, and again with each of the
    `others` below `issues/NUMBER/`, where it stays; the list of all last. Raises papers.pdf.NoFonts."""
    issues = sorted([issue, *others], key=lambda it: -it.layout.number)
    pages = {it.name: {language: page(it, language) for language in LANGUAGES} for it in issues}
    files: dict[str, bytes] = {"index.html": archive([*pages.values()]).encode()}
    for it in issues:
        addresses = lasting(it)
        for language, made in pages[it.name].items():
            printed = pdf(made, addresses[language])
            files |= _language(
                made, printed, _place(addresses, language, "../../../"), f"issues/{it.name}/{language}"
            )
            if it is issue:
                files |= _language(made, printed, _place(addresses, language, "../"), language)
    layout = issue.layout
    for language in LANGUAGES:
        entries = [(pages[it.name][language], _place(lasting(it), language, "../")) for it in issues]
        files[f"{language}/feed.xml"] = feed(language, layout.site, layout.contact, entries)
    return files | {LIST: listed(pages.values(), files)}


def write(files: Mapping[str, bytes], out: Path) -> None:
    """What is the same already is left alone."""
    for name, content in files.items():
        path = out / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(content)
        part.replace(path)


def lasting(issue: Issue) -> dict[str, str]:
    """The addresses of its pages, which do not change when another issue follows."""
    return {it: f"{issue.layout.site}issues/{issue.name}/{it}/index.html" for it in LANGUAGES}


def _place(addresses: Mapping[str, str], language: str, top: str) -> Place:
    return Place(
        canonical=addresses[language],
        alternates={it: f"../{it}/index.html" for it in LANGUAGES},
        lasting=addresses,
        feed=f"{top}{language}/feed.xml",
        archive=f"{top}index.html",
    )


def _language(made: Page, printed: bytes, place: Place, folder: str) -> dict[str, bytes]:
    files = {f"{folder}/index.html": html(made, place).encode(), f"{folder}/letter.pdf": printed}
    for section in made.sections:
        for block in section.blocks:
            if isinstance(block, Drawing):
                files[f"{folder}/charts/{block.id}.svg"] = block.svg.encode()
                files[f"{folder}/charts/{block.id}.csv"] = block.data_csv.encode()
                files[f"{folder}/charts/{block.id}.metadata.json"] = block.metadata.encode()
    return files
