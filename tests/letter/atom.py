"""The rules of RFC 4287 for a feed of ours: every MUST that a producer can break."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
ONCE = {"id", "title", "updated", "subtitle", "icon", "logo", "rights", "generator", "summary", "content",
        "published", "source"}  # fmt: skip
FEED = {"author", "category", "contributor", "entry", "link"} | (
    ONCE - {"summary", "content", "published", "source"}
)
ENTRY = {"author", "category", "contributor", "link"} | (ONCE - {"subtitle", "icon", "logo", "generator"})


def broken(document: bytes) -> list[str]:
    """What is against the RFC, with its section."""
    feed = Xml.fromstring(document)
    wrong = [] if feed.tag == f"{ATOM}feed" else ["4.1.1 the document is no feed"]
    wrong += _common(feed, FEED)
    entries = feed.findall(f"{ATOM}entry")
    if not feed.findall(f"{ATOM}author") and any(not it.findall(f"{ATOM}author") for it in entries):
        wrong.append("4.1.1 a feed without an author has an entry without one")
    if not [it for it in feed.findall(f"{ATOM}link") if it.get("rel") == "self"]:
        wrong.append("4.1.1 there is no link to itself")
    for entry in entries:
        wrong += _common(entry, ENTRY)
        if not entry.findall(f"{ATOM}content") and not _alternates(entry):
            wrong.append("4.1.2 an entry without content has no alternate")
    ids = [it.findtext(f"{ATOM}id") for it in entries]
    return wrong + (["4.1.1 entries share an id"] if len(set(ids)) < len(ids) else [])


def _common(element: Xml.Element, allowed: set[str]) -> list[str]:
    names = [it.tag.removeprefix(ATOM) for it in element]
    wrong = [f"4.1 {name} may not be in {element.tag}" for name in names if name not in allowed]
    wrong += [f"4.1 {name} stands {names.count(name)} times" for name in ONCE if names.count(name) > 1]
    wrong += [f"4.1 there is no {name}" for name in ("id", "title", "updated") if name not in names]
    for date in (*element.findall(f"{ATOM}updated"), *element.findall(f"{ATOM}published")):
        if not DATE.fullmatch(date.text or ""):
            wrong.append(f"3.3 {date.text} is no date")
    for id in element.findall(f"{ATOM}id"):
        if not ADDRESS.fullmatch(id.text or ""):
            wrong.append(f"4.2.6 {id.text} is no absolute IRI")
    for link in element.findall(f"{ATOM}link"):
        if not ADDRESS.fullmatch(link.get("href") or ""):
            wrong.append(f"4.2.7 {link.get('href')} is no address")
    kinds = [(it.get("type"), it.get("hreflang")) for it in _alternates(element)]
    if len(set(kinds)) < len(kinds):
        wrong.append("4.1 two alternates have the same type and language")
    for person in element.findall(f"{ATOM}author"):
        if not person.findtext(f"{ATOM}name"):
            wrong.append("3.2.1 an author has no name")
    for text in (
        it for it in element if it.tag in {f"{ATOM}{name}" for name in ("title", "summary", "content")}
    ):
        if text.get("type", "text") not in ("text", "html") or len(text):
            wrong.append(f"3.1.1 {text.tag} is neither text nor escaped HTML")
    return wrong


def _alternates(element: Xml.Element) -> list[Xml.Element]:
    return [it for it in element.findall(f"{ATOM}link") if it.get("rel", "alternate") == "alternate"]
