"""An issue as it is written: `issue.yaml` (its `layout`), `texts/LANGUAGE.yaml`, `bundle.json`."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from baygrid.letter import bundle as bundles
from baygrid.letter.bundle import Bundle, Change, Figure
from baygrid.letter.corrections import Correction
from baygrid.letter.corrections import read as read_corrections
from baygrid.letter.inline import DATES, Reference, references
from baygrid.letter.layout import MAY_BE_LEFT_OUT, Layout
from baygrid.letter.reading import Unreadable, model, read_yaml
from baygrid.letter.voice import Voice
from baygrid.papers.words import LANGUAGES


@dataclass(frozen=True, slots=True)
class Text:
    """`of`: the fingerprint of the paragraph that it was translated from; "" of a source."""

    words: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    folder: Path
    layout: Layout
    bundle: Bundle
    texts: Mapping[str, Mapping[str, Text]]
    """By language, by id."""
    corrections: tuple[Correction, ...]

    @property
    def name(self) -> str:
        return f"{self.layout.number:03}"

    def written_in(self, id: str) -> str:
        return self.layout.written_in.get(id, self.layout.source)

    def source_of(self, id: str) -> str | None:
        """The paragraph that translations are made from."""
        return self.words(id, self.written_in(id))

    def words(self, id: str, language: str) -> str | None:
        text = self.texts[language].get(id)
        return None if text is None else text.words

    def said(self, it: Reference, voice: Voice) -> str:
        """What a reference to a date or a name is in a language."""
        if it.head in DATES:
            return voice.date(it)
        return self.layout.named(it.head.removeprefix("name."))[voice.language]

    def sources(self, figures: Iterable[Figure], voice: Voice) -> str:
        """Each once, in a language where the issue has words for it. A figure made of several has several."""
        found = (self._source(words, voice.language) for it in figures for words in it.source.split("; "))
        return voice("semicolon").join(dict.fromkeys(found))

    def _source(self, words: str, language: str) -> str:
        id = self.layout.sources.get(words)
        return words if id is None else self.words(id, language) or words

    def untold_sources(self) -> list[str]:
        """Sources of figures that are cited, for which the issue has no words."""
        figures = [it for reference in self.cited() if (it := self.bundle.figure(reference)) is not None]
        found = dict.fromkeys(words for it in figures for words in it.source.split("; "))
        return [it for it in found if it not in self.layout.sources]

    def exhibits(self) -> list[str]:
        """Tables and charts in the order of their numbers."""
        return [part.table or part.chart for part in self.layout.parts() if part.table or part.chart]

    def rows_of(self, change: str) -> list[Change]:
        """The rows of the bundle that a change tells."""
        keys = self.layout.changes[change].rows
        return [it for it in self.bundle.changes if it.key in keys]

    def shown(self) -> list[str]:
        """As Layout.shown, without texts that may be left out and are."""
        return [
            it
            for it in self.layout.shown()
            if not it.endswith(MAY_BE_LEFT_OUT) or it.startswith("{") or self.source_of(it) is not None
        ]

    def cited(self) -> list[str]:
        """References of all figures that the issue shows, in the order of reading."""
        found: dict[str, None] = {}
        for piece in self.shown():
            text = piece if piece.startswith("{") else self.source_of(piece) or ""
            found.update((it.head, None) for it in references(text) if it.is_figure)
        return [*found]

    def text_ids(self) -> list[str]:
        """Of every text that some page shows."""
        shown = [it for it in self.shown() if not it.startswith("{")]
        return [*dict.fromkeys([*shown, *self.layout.sources.values()])]


def fingerprint(text: str) -> str:
    """Of a paragraph, as its translations note it."""
    return hashlib.sha256(unicodedata.normalize("NFC", text.strip()).encode()).hexdigest()[:12]


def read(folder: Path) -> Issue:
    """Raises Unreadable."""
    if not folder.is_dir():
        raise Unreadable(f"there is no issue {folder}: name its folder, or its number where letters/ lies")
    layout = model(Layout, read_yaml(folder / "issue.yaml"), "issue.yaml")
    if layout.source not in LANGUAGES:
        raise Unreadable(f"issue.yaml: source: {layout.source!r} is none of {', '.join(LANGUAGES)}")
    bundle = bundles.read(folder / "bundle.json")
    texts = {language: dict(_texts(folder / "texts" / f"{language}.yaml")) for language in LANGUAGES}
    return Issue(folder, layout, bundle, texts, read_corrections(folder / "corrections.yaml"))


def _texts(path: Path) -> Iterator[tuple[str, Text]]:
    document = read_yaml(path)
    if not isinstance(document, dict):
        raise Unreadable(f"{path.name} must be a mapping from ids to texts")
    for id, value in document.items():
        if isinstance(value, str):
            yield str(id), Text(value.strip())
        elif isinstance(value, dict) and value.keys() == {"text", "of"}:
            yield str(id), Text(str(value["text"]).strip(), str(value["of"]))
        else:
            raise Unreadable(f"{path.name}: {id} must be a text, or a translation with text and of")
