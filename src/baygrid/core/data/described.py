"""What a table's description in the catalogue may be: where it is read, how it is called, what is found by a
search. Pure checks; whether there is anything is the reader's to say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from baygrid.core.reading import Wrong, shown

MOST_LINE: Final = 200
MOST_URI: Final = 1000
FORMATS: Final = ("parquet", "delta", "csv", "postgresql")
_URI: Final = re.compile(r"([a-z0-9]+)://([^/?#]*)(/[^?#]*)?.*")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::[1-9][0-9]{0,4})?")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_BLOB: Final = re.compile(r"blob:[0-9a-f]{64}")
_TABLE: Final = re.compile(r"[^.\x00-\x1f]{1,63}\.[^.\x00-\x1f]{1,63}")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_SPACE: Final = re.compile(r"\s+")


def wish(text: str) -> tuple[str, str]:
    """What somebody looks for: as it is counted, and as it was written. Raises Wrong."""
    written = line(text)
    return folded(written), written


def folded(text: str) -> str:
    """As two texts are compared: without case, width of letters, and kind or number of spaces."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def matches(words: str, texts: Iterable[str]) -> bool:
    """Whether each of these words is somewhere in the texts. Chinese has no spaces: what is asked is looked
    for as it is written, inside longer words too."""
    whole = folded("\n".join(texts).replace("_", " "))
    return all(word in whole for word in folded(words.replace("_", " ")).split(" "))


def source(format: str, uri: str, table: str) -> str:
    """The URI. Raises Wrong where such a table cannot be there."""
    if format not in FORMATS:
        raise Wrong(f"must be one of {', '.join(FORMATS)}, not {shown(format)}")
    if len(uri) > MOST_URI or not uri.isprintable() or not uri:
        raise Wrong(f"must be an address of at most {MOST_URI} printable characters")
    found = _URI.fullmatch(uri)
    scheme, authority, path = found.groups("") if found else ("", "", "")
    if "@" in authority or (scheme and set("?#") & set(uri)):
        raise Wrong("has a user, a key or options in it: put what it needs into a secret of the project")
    if format == "postgresql":
        return _postgresql(uri, scheme, authority, path, table)
    if table:
        raise Wrong("is a file's or a folder's: only of postgresql is there a table in it to name")
    if any(part in (".", "..") for part in path.split("/")):
        raise Wrong("has . or .. in its path: write where it leads")
    if _BLOB.fullmatch(uri) or (scheme == "s3" and _BUCKET.fullmatch(authority) and len(path) > 1):
        return uri
    if scheme == "file" and not authority and len(path) > 1:
        return uri.rstrip("/")
    raise Wrong(
        f"must be s3://BUCKET/PREFIX, file:///PATH, a dataset: or, of a database, postgresql://HOST:PORT/NAME,"
        f" not {shown(uri)}"
    )


def _postgresql(uri: str, scheme: str, authority: str, path: str, table: str) -> str:
    if scheme != "postgresql" or not _HOST.fullmatch(authority) or not re.fullmatch(r"/[^/]+", path):
        raise Wrong(f"must look like postgresql://db.example.org:5432/clinic, not {shown(uri)}")
    if not _TABLE.fullmatch(table):
        raise Wrong(f"needs its table as SCHEMA.NAME, such as public.patients, not {shown(table)}")
    return uri


def duplicates(names: Sequence[str]) -> list[str]:
    """Names of columns that are the same but for their case: the protocol knows no difference."""
    seen: dict[str, str] = {}
    return [name for name in names if seen.setdefault(name.casefold(), name) != name or names.count(name) > 1]


def line(value: object, most: int = MOST_LINE) -> str:
    """A text of one line, without what cannot be seen. Raises Wrong."""
    text = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(text) <= most or any(unicodedata.category(each) in _UNSEEN for each in text):
        raise Wrong(f"must be a line of 1 to {most} characters, not {shown(value)}")
    return text
