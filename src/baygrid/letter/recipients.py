"""Who gets the letter: a CSV with the columns email and language, and if wanted name and unsubscribe."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from baygrid.letter.reading import Unreadable, read_text
from baygrid.papers.words import LANGUAGES

_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_COLUMNS: Final = {"email", "language", "name", "unsubscribe"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """`unsubscribe`: an https address that stops the letter at one POST (RFC 8058), "" for none."""

    email: str
    language: str
    name: str = ""
    unsubscribe: str = ""


def read(path: Path) -> list[Recipient]:
    """In the order of the file. Raises Unreadable with the line of the first mistake."""
    reader = csv.DictReader(io.StringIO(read_text(path).removeprefix("\ufeff")))
    columns = set(reader.fieldnames or ())
    if not {"email", "language"} <= columns <= _COLUMNS:
        raise Unreadable(
            f"{path.name} must have the columns email and language; it may have name and unsubscribe"
        )
    found: dict[str, Recipient] = {}
    for row in reader:
        where = f"{path.name}, line {reader.line_num}"
        if None in row or None in row.values():
            raise Unreadable(f"{where}: has not as many values as there are columns")
        it = Recipient(**{key: value.strip() for key, value in row.items()})
        if _ADDRESS.fullmatch(it.email) is None:
            raise Unreadable(f"{where}: {it.email[:60]!r} is no mail address")
        if it.language not in LANGUAGES:
            raise Unreadable(f"{where}: the language {it.language[:20]!r} is none of {', '.join(LANGUAGES)}")
        if it.unsubscribe and re.fullmatch(r"https://[\x21-\x3b\x3d\x3f-\x7e]+", it.unsubscribe) is None:
            raise Unreadable(f"{where}: unsubscribe must be an https address")
        if not it.name.isprintable():
            raise Unreadable(f"{where}: the name has characters that cannot be printed")
        if it.email.lower() in found:
            raise Unreadable(f"{where}: {it.email} stands there twice, and would get the letter twice")
        found[it.email.lower()] = it
    return [*found.values()]
