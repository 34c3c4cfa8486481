"""A page that a person can look at: each recording's wave with its segments, and what was said beside what it
means. One file without scripts or anything from elsewhere; written as the segments come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any, Final, TextIO

from baygrid.workloads.application import Totals
from baygrid.workloads.speech import gate, languages
from baygrid.workloads.speech.subtitles import clock

MOST_FILES, MOST_ROWS = 50, 400
"""Files on the page, and segments of each; the others are in the Parquet file and in the subtitles."""

POINTS: Final = 600
"""Of a wave, from left to right."""

WIDTH, HEIGHT, BAND = 1200, 90, 12
"""Of a file's picture, and of the band of segments under its wave."""

STYLE: Final = resources.files("baygrid.workloads.speech").joinpath("page.css").read_text(encoding="utf-8")


class Page:
    """Written into `out`, a file at a time: `begin`, `sound` and `row` as often as there are, `end`; `close`
    at last, which writes the figures under them."""

    def __init__(self, out: TextIO, target: str | None) -> None:
        self._out, self._target = out, target
        self._files = 0
        self._name = ""
        self._waves: list[tuple[float, float, Sequence[float]]] = []
        self._rows: list[Mapping[str, Any]] = []
        self._more = 0
        out.write(
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>Speech</title><style>{STYLE}</style><main><h1>Speech, heard and translated</h1>"
        )

    def begin(self, name: str) -> None:
        self._files += 1
        self._name, self._waves, self._rows, self._more = name, [], [], 0

    def sound(self, begin: float, end: float, envelope: Sequence[float]) -> None:
        """The loudness (0 to 1) of the file from `begin` to `end` seconds, at even steps."""
        if self._files <= MOST_FILES:
            self._waves.append((begin, end, envelope))

    def row(self, row: Mapping[str, Any]) -> None:
        if self._files <= MOST_FILES and len(self._rows) < MOST_ROWS:
            self._rows.append(row)
        else:
            self._more += 1

    def end(self) -> None:
        if self._files > MOST_FILES:
            return
        write = self._out.write
        length = max((end for _, end, _ in self._waves), default=0.0)
        write(f"<section><h2>{escape(self._name)} <span class=lang>{clock(length, '.')}</span></h2>")
        write(_picture(self._waves, self._rows, length))
        if not self._rows:
            write("<p class=note>Nobody speaks in it.</p></section>")
            return
        into = f"<th>{escape(languages.name(self._target))}" if self._target else ""
        write(f"<table><tr><th>Time<th>Spoken{into}")
        for row in self._rows:
            write(_line(row, self._target))
        write("</table>")
        if self._more:
            write(
                f"<p class=note>{self._more:,} more segments are in segments.parquet and the subtitles.</p>"
            )
        write("</section>")

    def close(self, quality: Mapping[str, Any], totals: Totals) -> None:
        write = self._out.write
        if self._files > MOST_FILES:
            write(f"<p class=note>{self._files - MOST_FILES:,} more files are in segments.parquet.</p>")
        if totals.failed:
            write("<section><h2>Not heard, or not whole</h2><table>")
            for failed in totals.failed[:MOST_ROWS]:
                write(f"<tr class=bad><td>{escape(failed.input)}<td class=why>{escape(failed.reason)}")
            write("</table></section>")
        spoken = ", ".join(
            f"{languages.name(code)} {hours:.3g} h" for code, hours in quality["languages"].items()
        )
        write(
            f"<section><h2>In figures</h2><p>{totals.units:.4g} hours of sound, "
            f"{quality['speech_hours']:.4g} of speech ({escape(spoken) or 'none'}); "
            f"{quality['segments']:,} segments, {quality['gated']:,} of them flagged.</p>"
        )
        if quality["reasons"]:
            write("<table><tr><th>Flag<th>Segments<th>Meaning")
            for reason, count in quality["reasons"].items():
                meaning = gate.REASONS[reason.removeprefix("translation ")]
                write(f"<tr><td class=why>{escape(reason)}<td>{count:,}<td>{escape(meaning)}")
            write("</table>")
        write(
            "<p class=note>Made by machine. Flagged segments are left out of the subtitles.</p>"
            "</section></main></html>\n"
        )


def _picture(
    waves: Sequence[tuple[float, float, Sequence[float]]], rows: Sequence[Mapping[str, Any]], length: float
) -> str:
    """The wave, mirrored, and under it a mark for each segment, red where it is flagged."""
    if not length:
        return ""
    loud = [0.0] * POINTS
    for begin, end, envelope in waves:
        for at, value in enumerate(envelope):
            first = int((begin + (end - begin) * at / len(envelope)) / length * POINTS)
            last = int((begin + (end - begin) * (at + 1) / len(envelope)) / length * POINTS)
            for point in range(first, min(max(last, first + 1), POINTS)):
                loud[point] = max(loud[point], value)
    middle, step = (HEIGHT - BAND - 6) / 2, WIDTH / POINTS
    up = [f"{point * step:.0f},{middle - value * middle:.1f}" for point, value in enumerate(loud)]
    down = [
        f"{point * step:.0f},{middle + value * middle:.1f}"
        for point, value in reversed(list(enumerate(loud)))
    ]
    marks = "".join(_mark(row, length) for row in rows)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img">'
        f'<polygon points="{" ".join(up + down)}" fill="var(--grey)"/>{marks}</svg>'
    )


def _mark(row: Mapping[str, Any], length: float) -> str:
    left = row["start"] / length * WIDTH
    wide = max(1.0, (row["end"] - row["start"]) / length * WIDTH - 1)
    colour = "bad" if row["flags"] else "good"
    place = f'x="{left:.1f}" y="{HEIGHT - BAND}" width="{wide:.1f}" height="{BAND}"'
    return f'<rect {place} fill="var(--{colour})"/>'


def _line(row: Mapping[str, Any], target: str | None) -> str:
    why = f"<div class=why>{escape(row['flags'])}</div>" if row["flags"] else ""
    code = escape(row["language"])
    other = ""
    if target:
        same = row["language"] == target
        other = f'<td dir="auto" lang="{escape(target)}">{"" if same else escape(row["translation"] or "")}'
    flagged = " class=bad" if row["flags"] else ""
    return (
        f"<tr{flagged}><td>{clock(row['start'], '.')[:-2]}"
        f'<td dir="auto" lang="{code}">{escape(row["text"])} <span class=lang>{code}</span>{why}{other}'
    )
