"""The site from the book: all pages in memory, checked, and only then written."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.site import links, search
from scripts.site.book import HOME, INDEX, Book, Unfit, address, read
from scripts.site.page import Page, made

HERE: Final = Path(__file__).parent
FIND: Final = "find.html"


def build(root: Path, out: Path) -> int:
    """Writes the site of the repository `root` into `out` and tells how many pages it has.

    Raises Unfit, with nothing written, when anything is wrong, also when `out` has anything but a site."""
    book = read(root)
    pages = _pages(book)
    written = _written(book, pages)
    files = {name: path for page in pages for name, path in page.files.items()}
    statics = _statics(pages)
    if findings := list(links.findings(written, {*files, *statics})):
        raise Unfit(findings)
    _cleared(out)
    for name, text in {**written, **statics}.items():
        (out / name).write_text(text, encoding="utf-8")
    for name, path in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out / name)
    return len(written)


def _pages(book: Book) -> list[Page]:
    pages, findings = [], []
    for source, text in book.texts.items():
        try:
            pages.append(made(book.root, source, text, book.titles))
        except Unfit as unfit:
            findings += unfit.findings
    if findings:
        raise Unfit(findings)
    return pages


def _statics(pages: Sequence[Page]) -> Mapping[str, str]:
    own = {path.name: path.read_text(encoding="utf-8") for path in (HERE / "static").iterdir()}
    return {**own, "index.js": search.index(pages)}


def _written(book: Book, pages: Sequence[Page]) -> dict[str, str]:
    """HTML by address."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = hashlib.sha256((HERE / "static" / "style.css").read_bytes()).hexdigest()[:8]
    common = {"chapters": book.chapters, "address": address, "style": style, "home": HOME, "contents": INDEX}
    html: dict[str, str] = {}
    for page in pages:
        if (name := address(page.source)) in html:
            raise Unfit([f"{page.source}: another page is {name} already"])
        chapter = book.chapter_of(page.source)
        html[name] = environment.get_template("page.html").render(common, page=page, chapter=chapter)
    html[FIND] = environment.get_template("find.html").render(common, pages=pages)
    return html


def _cleared(out: Path) -> None:
    """An empty folder; one that is there must be a site of before."""
    if out.is_dir() and any(out.iterdir()) and not (out / FIND).is_file():
        raise Unfit([f"{out} has other things in it: name an empty folder"])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
