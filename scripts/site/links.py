"""What of a built site leads nowhere, asked of the HTML that people will read."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit


@dataclass
class Read(HTMLParser):
    """Of one page: its anchors, what it points to, what it shows."""

    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        if named := have.get("id"):
            self.ids.append(named)
        for name in ("href", "src", "action"):
            if (link := have.get(name)) is not None:
                self.links.append(link)
        if tag == "img" and not have.get("alt"):
            self.unnamed.append(have.get("src") or "")


def findings(pages: Mapping[str, str], files: Container[str]) -> Iterator[str]:
    """One sentence for each link, anchor and picture of `pages` (by address) that is broken."""
    read = {name: _read(html) for name, html in pages.items()}
    for name, page in read.items():
        yield from (
            f"{name}: the anchor #{i} is there twice" for i in sorted(set(page.ids)) if page.ids.count(i) > 1
        )
        yield from (f"{name}: the picture {src} has no words for who does not see it" for src in page.unnamed)
        for link in dict.fromkeys(page.links):
            if wrong := _wrong(name, link, read, files):
                yield f"{name}: {link}: {wrong}"


def _read(html: str) -> Read:
    page = Read()
    page.feed(html)
    page.close()
    return page


def _wrong(name: str, link: str, read: Mapping[str, Read], files: Container[str]) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in ("http", "https", "mailto"):
        return None
    if parts.scheme or parts.netloc or link.startswith("/"):
        return "leads out of the site"
    target = unquote(parts.path) or name
    if target not in read:
        return None if target in files and not parts.fragment else "there is no such page or file"
    if parts.fragment and unquote(parts.fragment) not in read[target].ids:
        return "there is no such anchor"
    return None
