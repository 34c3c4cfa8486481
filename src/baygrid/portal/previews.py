"""What can be looked at in a browser of what a job made: pictures, sound with its transcript, tables, texts,
and the way of a drive on a map of its own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Final

from baygrid.app.contents import Entry
from baygrid.ports.reader import Head

MEDIA: Final[Mapping[str, str]] = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
    "wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg", "flac": "audio/flac", "m4a": "audio/mp4",
}  # fmt: skip
"""What a browser shows as it is, by ending. No HTML and no SVG: both can have scripts in them."""
TEXTS: Final = frozenset({"txt", "log", "md", "json", "yaml", "yml", "srt", "vtt"})
TABLES: Final = frozenset({"csv", "tsv", "jsonl", "ndjson", "parquet"})
MOST: Final[Mapping[str, int]] = {"pictures": 24, "sounds": 8, "tables": 6, "texts": 6}
ROWS: Final = 20
COLUMNS: Final = 12
CELL: Final = 80
TEXT: Final = 4_000
LOOKED_AT: Final = 16 * 1024 * 1024
"""A larger table or text is only downloaded."""
LOOKED_INTO: Final = 20_000
"""Of a table so many rows are read, for the way of a drive; the others are counted."""
LONGEST: Final = 1024 * 1024
"""Characters of a line: a table with a longer one is only downloaded."""
POINTS: Final = 2_000
PLACES: Final = (("longitude", "latitude"), ("lon", "lat"), ("lng", "lat"), ("x", "y"))
ALSO: Final = ("drive", *dict.fromkeys(name for pair in PLACES for name in pair))
"""What the way of a drive is drawn from."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A table: its first rows as texts, and how many there are."""

    path: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    count: int
    track: str = ""
    """The way of a drive, as the path of a picture of 1000 by 600; "" where it has none."""


@dataclass(frozen=True, slots=True)
class Previews:
    pictures: Sequence[str] = ()
    sounds: Sequence[tuple[str, str]] = ()
    """With what is said in them, "" where nothing tells."""
    tables: Sequence[Shown] = ()
    texts: Sequence[tuple[str, str]] = field(default_factory=list)


def media(path: str) -> str | None:
    return MEDIA.get(_ending(path))


Begins = Callable[[bytes, Sequence[str]], Head | None]
"""How a Parquet file begins."""


def of(entries: Sequence[Entry], read: Callable[[str], bytes], begins: Begins) -> Previews:
    """`read`: the bytes of one of them. Read is only what is shown."""
    small = [it.path for it in entries if it.size <= LOOKED_AT]
    kinds = {it.path: media(it.path) or "" for it in entries}
    pictures = [path for path, kind in kinds.items() if kind.startswith("image/")][: MOST["pictures"]]
    sounds = [path for path, kind in kinds.items() if kind.startswith("audio/")][: MOST["sounds"]]
    said = {path: _transcript(path, small, read) for path in sounds}
    tables = [path for path in small if _ending(path) in TABLES][: MOST["tables"]]
    texts = [path for path in small if _ending(path) in TEXTS]
    return Previews(
        pictures,
        list(said.items()),
        [it for path in tables if (it := _table(path, read(path), begins)) is not None],
        [(path, _text(read(path))) for path in texts[: MOST["texts"]]],
    )


def _ending(path: str) -> str:
    return PurePosixPath(path).suffix.lower().removeprefix(".")


def _text(data: bytes) -> str:
    text = data[: TEXT + 1].decode("utf-8", "replace")
    return text if len(text) <= TEXT else text[:TEXT] + "…"


def _transcript(path: str, paths: Sequence[str], read: Callable[[str], bytes]) -> str:
    """Of the file of the same name, wherever in the output."""
    stem = PurePosixPath(path).stem
    for ending in ("txt", "vtt", "srt"):
        for other in paths:
            if PurePosixPath(other).stem in (stem, PurePosixPath(path).name) and _ending(other) == ending:
                return _text(read(other))
    return ""


def _table(path: str, data: bytes, begins: Begins) -> Shown | None:
    """None for what cannot be read as what it says that it is."""
    if _ending(path) == "parquet":
        head = begins(data, ALSO)
        return None if head is None else _shown(path, head.columns, head.rows, head.count)
    try:
        rows, count = _lines(path, io.StringIO(data.decode("utf-8-sig"), newline=""))
        return _shown(path, list(rows[0])[:COLUMNS] if rows else [], rows, count)
    except (ValueError, csv.Error, RecursionError):
        return None


def _shown(path: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], count: int) -> Shown | None:
    if not rows:
        return None
    cells = [[_cell(row.get(name)) for name in columns] for row in rows[:ROWS]]
    return Shown(path, columns, cells, count, _track(rows))


def _lines(path: str, text: io.StringIO) -> tuple[list[Mapping[str, Any]], int]:
    lines = map(_bounded, text)
    if _ending(path) in ("jsonl", "ndjson"):
        written = (line for line in lines if line.strip())
        found = [json.loads(line) for line in islice(written, LOOKED_INTO)]
        if not all(isinstance(it, dict) for it in found):
            raise ValueError("not a row on each line")
        return found, len(found) + sum(1 for _ in written)
    records = csv.reader(lines, delimiter="\t" if _ending(path) == "tsv" else ",")
    names = next(records, [])
    rows = [dict(zip(names, record, strict=False)) for record in islice(records, LOOKED_INTO) if record]
    return list(rows), len(rows) + sum(1 for record in records if record)


def _bounded(line: str) -> str:
    if len(line) > LONGEST:
        raise ValueError("a line without end")
    return line


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def _track(rows: Sequence[Mapping[str, Any]]) -> str:
    """The first drive of a table with places in it, north up, both ways on one scale."""
    names = next((pair for pair in PLACES if all(name in rows[0] for name in pair)), None)
    if names is None:
        return ""
    first = rows[0].get("drive")
    points = [
        (float(row[names[0]]), float(row[names[1]]))
        for row in rows
        if row.get("drive") == first and all(_is_number(row.get(name)) for name in names)
    ]
    step = max(1, len(points) // POINTS)
    points = points[::step]
    if len(points) < 3:
        return ""
    left, top = min(x for x, _ in points), max(y for _, y in points)
    wide, high = max(x for x, _ in points) - left, top - min(y for _, y in points)
    if names[0] != "x":  # a degree of longitude is shorter than one of latitude
        from math import cos, radians

        shrink = cos(radians(top))
        points, left, wide = [(x * shrink, y) for x, y in points], left * shrink, wide * shrink
    scale = min(960 / wide if wide else 1e9, 560 / high if high else 1e9)
    if scale >= 1e9:
        return ""
    return "M" + "L".join(f"{20 + (x - left) * scale:.1f} {20 + (top - y) * scale:.1f}" for x, y in points)


def _is_number(value: object) -> bool:
    try:
        return value is not None and abs(float(str(value))) < 1e9
    except ValueError:
        return False
