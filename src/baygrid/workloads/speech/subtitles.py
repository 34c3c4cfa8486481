"""Subtitles as SubRip (SRT) and WebVTT (https://www.w3.org/TR/webvtt1/), written as the segments come."""

from __future__ import annotations

import html
from typing import Final, TextIO

from baygrid.workloads.speech import writing

LINE: Final = {"CJK": 20, "HANGUL": 20}
LINE_ELSE: Final = 42
"""Characters in a line, as broadcasters have them; longer texts go into two and more lines."""


class Subtitles:
    """One file's subtitles in both formats. `srt` and `vtt` are open for writing."""

    def __init__(self, srt: TextIO, vtt: TextIO) -> None:
        self._srt, self._vtt = srt, vtt
        self._number = 0
        vtt.write("WEBVTT\n")

    def write(self, start: float, end: float, text: str) -> None:
        """One more, later than those before; times in seconds."""
        self._number += 1
        shown = "\n".join(lines(text))
        self._srt.write(f"{self._number}\n{clock(start, ',')} --> {clock(end, ',')}\n{shown}\n\n")
        safe = html.escape(shown, quote=False)
        self._vtt.write(f"\n{clock(start, '.')} --> {clock(end, '.')}\n{safe}\n")


def clock(seconds: float, point: str) -> str:
    """01:02:03,456 for SRT (point ","), 01:02:03.456 for WebVTT."""
    whole = round(seconds * 1000)
    hours, rest = divmod(whole, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def lines(text: str) -> list[str]:
    """The text in lines of a length that can be read, cut at spaces where there are any."""
    text = " ".join(text.split())
    scripts = writing.letters(text)
    most = LINE.get(max(scripts, key=lambda script: (scripts[script], script), default=""), LINE_ELSE)
    found: list[str] = []
    while len(text) > most:
        cut = text.rfind(" ", most // 2, most + 1)
        cut = cut if cut > 0 else most
        found.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*found, text]
