"""The feed of all issues in one language (Atom, RFC 4287): whole texts; the same issues, the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from xml.etree import ElementTree as Xml

from baygrid.letter.page import Page, plain
from baygrid.letter.voice import Voice
from baygrid.letter.web import Place, render

ATOM = "http://www.w3.org/2005/Atom"


def feed(language: str, site: str, contact: str, entries: Sequence[tuple[Page, Place]]) -> bytes:
    """`entries`: newest first, at least one."""
    Xml.register_namespace("", ATOM)
    voice = Voice(language)
    root = Xml.Element(f"{{{ATOM}}}feed", {"xml:lang": language})
    address = f"{site}{language}/feed.xml"
    _text(root, "id", address)
    _text(root, "title", voice("name"))
    _text(root, "updated", _moment(max(_updated(page) for page, _ in entries)))
    author = Xml.SubElement(root, f"{{{ATOM}}}author")
    _text(author, "name", voice("name"))
    _text(author, "email", contact)
    _link(root, "self", address, "application/atom+xml", language)
    _link(root, "alternate", f"{site}{language}/index.html", "text/html", language)
    for page, place in entries:
        _entry(root, page, place)
    Xml.indent(root)
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _entry(root: Xml.Element, page: Page, place: Place) -> None:
    entry = Xml.SubElement(root, f"{{{ATOM}}}entry")
    _text(entry, "id", place.canonical)
    _text(entry, "title", f"{page.issue} {page.title}")
    _text(entry, "published", _moment(page.day))
    _text(entry, "updated", _moment(_updated(page)))
    for language, address in place.lasting.items():
        _link(entry, "alternate", address, "text/html", language)
    pdf = place.canonical.removesuffix("index.html") + place.pdf
    _link(entry, "related", pdf, "application/pdf", page.language)
    _text(entry, "summary", " ".join(plain(runs) for runs in page.summary))
    content = _text(entry, "content", render("entry.html.j2", page.language, page=page))
    content.set("type", "html")


def _updated(page: Page) -> date:
    return max([page.day, *(it.on for it in page.notices)])


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00+08:00"


def _text(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    made = Xml.SubElement(parent, f"{{{ATOM}}}{name}")
    made.text = text
    return made


def _link(parent: Xml.Element, rel: str, address: str, type: str, language: str) -> None:
    Xml.SubElement(
        parent, f"{{{ATOM}}}link", {"rel": rel, "type": type, "hreflang": language, "href": address}
    )
