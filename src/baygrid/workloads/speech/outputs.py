"""What a run leaves: all segments in Parquet, subtitles for each file, and a page to look at."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from baygrid.workloads.application import Outcome, Results
from baygrid.workloads.parquet import parquet
from baygrid.workloads.speech import gate, page
from baygrid.workloads.speech.rows import SCHEMA
from baygrid.workloads.speech.subtitles import Subtitles
from baygrid.workloads.whole import whole

SEGMENTS, PAGE, SUBTITLES = "segments.parquet", "page.html", "subtitles"

LONGEST_PART, LONGEST_NAME = 200, 1000
"""Bytes of a file's name without its ending, and of it with its folders: file systems take 255 and 4,096."""


@dataclass
class Summary:
    """A run in figures, counted as its segments come."""

    segments: int = 0
    gated: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    """Seconds of speech by language."""
    speech: float = 0.0
    again: int = 0

    def count(self, row: Mapping[str, Any]) -> None:
        self.segments += 1
        self.gated += row["flags"] is not None
        self.reasons.update(row["flags"].split(", ") if row["flags"] else ())
        self.languages[row["language"]] += row["end"] - row["start"]

    def quality(self) -> dict[str, Any]:
        """`gated`: segments that are not to be relied on; `languages`, `speech`: hours; `decoded_again`: half
        minutes on which the first search failed."""
        return {
            "segments": self.segments,
            "gated": self.gated,
            "gated_share": round(self.gated / self.segments, 4) if self.segments else None,
            "reasons": dict(self.reasons.most_common()),
            "languages": {code: round(seconds / 3600, 4) for code, seconds in self.languages.most_common()},
            "speech_hours": round(self.speech / 3600, 4),
            "decoded_again": self.again,
        }


def finish(results: Results, output: Path, target: str | None) -> Outcome:
    """Writes everything. `target`: the language of the translations, None where there are none."""
    summary = Summary()
    segments, shown, folder = output / SEGMENTS, output / PAGE, output / SUBTITLES
    with ExitStack() as stack:
        table = stack.enter_context(parquet(segments, SCHEMA))
        paper = page.Page(stack.enter_context(_text(shown)), target)
        for name, parts in groupby(_by_file(results, summary), key=lambda part: part[0]):
            with _subtitles(folder, name, target) as write:
                number = 0
                paper.begin(name)
                for _, fact, rows in parts:
                    rows = rows.set_column(
                        1, "segment", pa.array(range(number, number + len(rows)), pa.int64())
                    )
                    number += len(rows)
                    table.write_table(rows)
                    if fact:
                        paper.sound(fact["begin"], fact["end"], fact["envelope"])
                    for row in rows.to_pylist():
                        summary.count(row)
                        paper.row(row)
                        write(row)
                paper.end()
        paper.close(summary.quality(), results.totals)
    return Outcome({"segments": segments, "page": shown, "subtitles": folder}, summary.quality())


def good(row: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the transcript is to be relied on, and whether the translation is."""
    reasons = row["flags"].split(", ") if row["flags"] else []
    text = all(reason.startswith("translation ") or reason in gate.OF_TRANSLATION for reason in reasons)
    return text, not reasons


def _by_file(results: Results, summary: Summary) -> Iterator[tuple[str, Mapping[str, Any], pa.Table]]:
    """Each piece's file, facts and rows, in the order of the input."""
    for _, done in results:
        summary.again += done.facts.get("again", 0)
        names = done.rows["file"].to_pylist()
        runs = {name: (names.index(name), names.count(name)) for name in dict.fromkeys(names)}
        for fact in done.facts.get("pieces", ()):  # none of a shard that was given up
            summary.speech += fact["speech"]
            yield fact["file"], fact, done.rows.slice(*runs.get(fact["file"], (0, 0)))


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    with whole(path) as part, part.open("w", encoding="utf-8") as file:
        yield file


@contextmanager
def _subtitles(folder: Path, name: str, target: str | None) -> Iterator[Any]:
    """A function that writes a row into the file's subtitles, in the source language and in the target's."""
    with ExitStack() as stack:

        def pair(stem: str) -> Subtitles:
            srt, vtt = (stack.enter_context(_text(folder / f"{stem}.{ending}")) for ending in ("srt", "vtt"))
            return Subtitles(srt, vtt)

        stem = short(name)
        source = pair(stem)
        translated = pair(f"{stem}.{target}") if target else None

        def write(row: Mapping[str, Any]) -> None:
            text, translation = good(row)
            if text:
                source.write(row["start"], row["end"], row["text"])
            if translated is not None and translation and (shown := in_target(row, target)):
                translated.write(row["start"], row["end"], shown)

        yield write


def short(name: str) -> str:
    """The name of a recording, below the folder of the subtitles, as a file system takes it: some 20 bytes
    are for what is written behind it. What is cut off is told apart by its hash."""
    if len(name.encode()) > LONGEST_NAME:
        return _cut(name).replace("/", "_")
    return "/".join(map(_cut, name.split("/")))


def _cut(name: str) -> str:
    whole = name.encode()
    if len(whole) <= LONGEST_PART:
        return name
    digest = hashlib.sha256(whole).hexdigest()[:16]
    return f"{whole[: LONGEST_PART - 17].decode(errors='ignore')}~{digest}"


def in_target(row: Mapping[str, Any], target: str | None) -> str | None:
    """The segment in the target language: its translation, or itself where it was spoken in it."""
    translation: str | None = row["text"] if row["language"] == target else row["translation"]
    return translation
