"""The texts of the portal and their translations: what is said, and what is not translated yet.

    python scripts/messages.py              the rows that are missing, as YAML:
                                            [English, 简体中文, 繁體中文, 日本語]
    python scripts/messages.py take FILE    takes such rows into portal/locale/*/AREA.po, drops unused ones

A text belongs to the area (the folder of templates, or the Python file) where it is first said.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from baygrid.portal.language import messages

PORTAL = Path(__file__).parent.parent / "src" / "baygrid" / "portal"
LANGUAGES = ("zh_Hans", "zh_Hant", "ja")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "N_": None,
    "say": None,
    "gettext": None,
    "ngettext": (1, 2),
    "count": (1, 2),
}


@dataclass(frozen=True, slots=True)
class Text:
    """`many`: the plural of its English, "" where it has none."""

    one: str
    many: str
    area: str
    places: tuple[tuple[str, int], ...]


def texts() -> dict[str, Text]:
    """All that the portal says, by its English (of a pair, the singular)."""
    found: dict[str, Text] = {}
    for area, file in _files():
        method = "jinja2.ext:babel_extract" if file.suffix == ".html" else "python"
        name = file.relative_to(PORTAL.parent.parent).as_posix()
        options = {
            "newstyle_gettext": "true",
            "trimmed": "true",
            "silent": "false",
            "extensions": "jinja2.ext.do",
        }
        with file.open("rb") as source:
            for line, said, _, _ in extract(method, source, KEYWORDS, (), options):
                one, many = said if isinstance(said, tuple) else (said, "")
                before = found.get(one)
                if before is None:
                    found[one] = Text(one, many, area, ((name, line),))
                else:
                    places = (*before.places, (name, line))
                    found[one] = Text(one, before.many or many, before.area, places)
    return found


def _files() -> Iterator[tuple[str, Path]]:
    """The frame first: what it says, other areas need not translate again."""
    parts = sorted((PORTAL / "templates").rglob("*.html"))
    found = [(part.relative_to(PORTAL / "templates").parts[0], part) for part in parts]
    areas = {area for area, _ in found}
    for file in sorted(PORTAL.rglob("*.py")):
        first = file.relative_to(PORTAL).parts[0].removesuffix(".py")
        found.append((first if first in areas else "frame", file))
    return iter(sorted(found, key=lambda it: (it[0] != "frame", it[0], str(it[1]))))


def said(language: str) -> dict[str, str]:
    """By English, of all areas."""
    files = sorted((PORTAL / "locale" / language).glob("*.po"))
    found = [it for file in files for it in messages(file.read_bytes())]
    return {it.one: it.text for it in found if it.text and not it.fuzzy}


def missing() -> list[Text]:
    known = [said(language) for language in LANGUAGES]
    return [text for text in texts().values() if not all(text.one in each for each in known)]


def take(rows: list[list[str]]) -> list[str]:
    """Writes the catalogues anew with these rows. Returns what of them nobody says."""
    wanted = texts()
    given = {row[0]: row[1:] for row in rows}
    for index, language in enumerate(LANGUAGES):
        known = said(language) | {one: row[index] for one, row in given.items()}
        for area in {text.area for text in wanted.values()}:
            made = Catalog(locale=language, project="baygrid", fuzzy=False)
            for text in sorted(wanted.values(), key=lambda it: it.one):
                if text.area == area and text.one in known:
                    id = (text.one, text.many) if text.many else text.one
                    made.add(id, (known[text.one],) if text.many else known[text.one])
            _write(PORTAL / "locale" / language / f"{area}.po", made, language)
    return sorted(set(given) - set(wanted))


def _write(file: Path, made: Catalog, language: str) -> None:
    text = io.BytesIO()
    write_po(text, made, omit_header=True, width=110, no_location=True)
    head = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    head += '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(head + text.getvalue().decode().rstrip("\n") + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("missing", "take"), default="missing")
    parser.add_argument("file", nargs="?", type=Path)
    asked = parser.parse_args()
    if asked.what == "take":
        rows = yaml.safe_load(asked.file.read_text(encoding="utf-8")) if asked.file else []
        for one in take(rows):
            sys.stderr.write(f"nobody says {one!r}\n")
        return
    for text in missing():
        row = [text.one, "", "", ""]
        written = yaml.safe_dump(row, default_flow_style=True, width=10_000, allow_unicode=True)
        sys.stdout.write(f"- {written}")


if __name__ == "__main__":
    main()
