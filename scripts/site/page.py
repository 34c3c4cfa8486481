"""One page from Markdown: its title, its sections with their words, its HTML, and files that it links to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from scripts.site.book import Unfit, address

MARKDOWN: Final = MarkdownIt("commonmark", {"html": True}).enable("table")


@dataclass
class Section:
    """What stands under a heading, up to the next one. The title's `anchor` is empty."""

    anchor: str
    title: str
    level: int
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """`files`: what else of the repository it links to, by its address in the site."""

    source: str
    title: str
    html: str
    sections: Sequence[Section]
    files: Mapping[str, Path]


def made(root: Path, source: str, text: str, titles: Mapping[str, str]) -> Page:
    """`titles`: of all pages, by source. Raises Unfit for a page with tags of HTML, or with another title."""
    tokens = MARKDOWN.parse(text)
    tags = [t.content.strip() for t in _all(tokens) if t.type in ("html_block", "html_inline")]
    findings = [f"{source}: has HTML: {tag[:60]}" for tag in tags if not re.fullmatch(r"(?s)<!--.*-->", tag)]
    heads = [token for token in tokens if token.type == "heading_open" and token.tag == "h1"]
    if len(heads) != 1 or tokens[0] is not heads[0]:
        findings.append(f"{source}: a page begins with its only title")
    if findings:
        raise Unfit(findings)
    sections = _sections(tokens)
    files = _led(root, source, tokens, titles)
    body = _Renderer().render(_dressed(tokens[3:]), MARKDOWN.options, {})
    return Page(source, sections[0].title, body, sections, files)


def _all(tokens: Sequence[Token]) -> list[Token]:
    return [each for token in tokens for each in (token, *(token.children or ()))]


def _plain(token: Token) -> str:
    """Its text without marks."""
    if token.children is None:
        return token.content
    return "".join(" " if child.type == "softbreak" else child.content for child in token.children)


def _sections(tokens: Sequence[Token]) -> list[Section]:
    """Gives every heading its anchor, as GitHub makes it, and sorts the words under them."""
    found: list[Section] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            title = _plain(token)
            anchor = _anchor(title, [section.anchor for section in found])
            found.append(Section(anchor if found else "", title, int(before.tag[1])))
            before.attrSet("id", anchor)
        elif token.type in ("inline", "fence") and found:
            found[-1].words.append(_plain(token))
    return found


def _anchor(title: str, taken: Sequence[str]) -> str:
    plain = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
    tries = (plain, *(f"{plain}-{number}" for number in range(1, len(taken) + 1)))
    return next(each for each in tries if each not in taken)


def _led(root: Path, source: str, tokens: Sequence[Token], titles: Mapping[str, str]) -> dict[str, Path]:
    """Turns links between sources into links between pages; what is no page comes along as a file.

    Where a link's words are the name of a file they become the page's title. A link that leads nowhere
    stays as it is written, and is found when the site is checked."""
    files: dict[str, Path] = {}
    every = _all(tokens)
    for number, token in enumerate(every):
        name = {"link_open": "href", "image": "src"}.get(token.type)
        if name is None:
            continue
        written = str(token.attrGet(name))
        parts = urlsplit(written)
        if parts.scheme or not parts.path:
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), parts.path))
        if path in titles:
            if every[number + 1].content.endswith(".md"):
                every[number + 1].content = titles[path]
            token.attrSet(name, address(path) + (f"#{parts.fragment}" if parts.fragment else ""))
        elif not path.startswith(("..", "/")) and (root / path).is_file():
            files[f"files/{path}"] = root / path
            token.attrSet(name, f"files/{path}")
    return files


def _dressed(tokens: Sequence[Token]) -> list[Token]:
    """Without comments, and without the heads of tables in which nothing stands."""
    kept: list[Token] = []
    skipping = False
    for number, token in enumerate(tokens):
        if token.type == "thead_open":
            end = next(n for n in range(number, len(tokens)) if tokens[n].type == "thead_close")
            skipping = not any(t.content for t in tokens[number:end] if t.type == "inline")
        if not skipping and token.type != "html_block":
            kept.append(token)
        skipping = skipping and token.type != "thead_close"
    return kept


class _Renderer(RendererHTML):
    """Tables and code scroll by themselves, so that no page is wider than a phone."""

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return '<div class="wide" tabindex="0" role="group"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return '<th scope="col">'

    def heading_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """With a link to itself, to be passed on."""
        anchor = tokens[idx - 2].attrGet("id")
        return f' <a class="here" href="#{anchor}" aria-label="Link to this">#</a></{tokens[idx].tag}>\n'

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        tokens[idx].attrSet("loading", "lazy")
        return super().image(tokens, idx, options, env)

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A command stands out from its answer."""
        token = tokens[idx]
        lines = map(_escaped, token.content.removesuffix("\n").split("\n"))
        if token.info == "console":
            shown = "\n".join(
                f"<b>{line}</b>" if line.startswith("$ ") else f"<i>{line}</i>" for line in lines
            )
        else:
            shown = "\n".join(lines)
        return f'<pre tabindex="0"><code>{shown}</code></pre>\n'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
