"""What can be looked at in a browser of what a job made: pictures, sound with its transcript, tables, texts,
and the way of a drive on a map of its own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from baygrid.app.contents import Entry
from baygrid.app.problems import Problem

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
POINTS: Final = 2_000
PLACES: Final = (("longitude", "latitude"), ("lon", "lat"), ("lng", "lat"), ("x", "y"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A table: its first rows as texts, and how many there are, None where that is not known."""

    path: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    count: int | None
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


def of(entries: Sequence[Entry], read: Callable[[str], bytes]) -> Previews:
    """`read`: the bytes of one of them."""
    small = [it.path for it in entries if it.size <= LOOKED_AT]
    kinds = {it.path: media(it.path) or "" for it in entries}
    pictures = [path for path, kind in kinds.items() if kind.startswith("image/")][: MOST["pictures"]]
    sounds = [path for path, kind in kinds.items() if kind.startswith("audio/")][: MOST["sounds"]]
    said = {path: _transcript(path, small, read) for path in sounds}
    tables = [it for path in small if _ending(path) in TABLES and (it := _table(path, read)) is not None]
    texts = [path for path in small if _ending(path) in TEXTS]
    return Previews(
        pictures,
        list(said.items()),
        tables[: MOST["tables"]],
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


def _table(path: str, read: Callable[[str], bytes]) -> Shown | None:
    """None for what cannot be read as what it says that it is."""
    try:
        rows, count = _parquet(read(path)) if _ending(path) == "parquet" else _lines(path, read(path))
    except (ValueError, csv.Error, ImportError, Problem, OSError):
        return None
    if not rows:
        return None
    columns = list(rows[0])[:COLUMNS]
    cells = [[_cell(row.get(name)) for name in columns] for row in rows[:ROWS]]
    return Shown(path, columns, cells, count, _track(rows))


def _lines(path: str, data: bytes) -> tuple[list[Mapping[str, Any]], int]:
    text = data.decode("utf-8-sig")
    if _ending(path) in ("jsonl", "ndjson"):
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
        if not all(isinstance(it, dict) for it in found):
            raise ValueError("not a row on each line")
        return found, len(found)
    reader = csv.DictReader(io.StringIO(text), delimiter="\t" if _ending(path) == "tsv" else ",", restkey="…")
    rows: list[Mapping[str, Any]] = list(reader)
    return rows, len(rows)


def _parquet(data: bytes) -> tuple[list[Mapping[str, Any]], int]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(io.BytesIO(data))
        batch = next(file.iter_batches(batch_size=20_000), None)
        return ([] if batch is None else batch.to_pylist()), file.metadata.num_rows
    except ArrowException as error:
        raise ValueError(str(error)) from None


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
