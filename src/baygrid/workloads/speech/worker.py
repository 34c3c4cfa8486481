"""What runs in each worker's process: a shard's pieces decoded, heard and written down, in one place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from baygrid.workloads import heap
from baygrid.workloads.application import Done, Failed, Shard
from baygrid.workloads.speech import cutting
from baygrid.workloads.speech.chunks import chunks
from baygrid.workloads.speech.cutting import Piece
from baygrid.workloads.speech.recognise import ENGLISH, Recogniser, Window
from baygrid.workloads.speech.rows import Row, table
from baygrid.workloads.speech.sound import BROKEN, RATE, Samples, Sound, Unreadable
from baygrid.workloads.speech.sources import Source
from baygrid.workloads.speech.translation import Cascade, TranslationModel
from baygrid.workloads.speech.voice import FRAME, SPEECH, Voice
from baygrid.workloads.speech.whisper import Whisper
from baygrid.workloads.stages import Stages

TOGETHER: Final = 40
"""Chunks (half minutes) that are held before they are heard: those of two windows, or of many short files."""

SHORT: Final = 1.0
"""Seconds by which a file may be shorter than it says, and nobody is told."""

ENVELOPE: Final = 120
"""Points of a piece's loudness, for its picture."""


@dataclass(frozen=True, slots=True)
class Load:
    """How a worker comes to be: `model` is a folder, `translate_with` each as `TranslationModel.parse` takes
    it; for the rest see `Recogniser`."""

    model: str
    language: str | None = None
    to: str | None = ENGLISH
    translate_with: tuple[str, ...] = ()

    def __call__(self) -> Worker:
        heap.keep_all_freed_memory()
        whisper = Whisper(Path(self.model))
        cascade = None
        if self.to is not None and self.translate_with:
            models = [TranslationModel.parse(each) for each in self.translate_with]
            cascade = Cascade(models, self.to, whisper.device, whisper.compute_type)
        return Worker(Voice(), Recogniser(whisper, self.language, self.to, cascade))


@dataclass
class _Heard:
    """What came of one piece. `begin` and `samples` count at RATE."""

    piece: Piece
    begin: int = 0
    samples: int = 0
    speech: float = 0.0
    envelope: list[float] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        return {
            "file": self.piece.name,
            "begin": round(self.begin / RATE, 3),
            "end": round((self.begin + self.samples) / RATE, 3),
            "speech": round(self.speech, 2),
            "envelope": self.envelope,
        }


class Worker:
    """Voice activity and Whisper, loaded."""

    def __init__(self, voice: Voice, recogniser: Recogniser) -> None:
        self._voice = voice
        self._recogniser = recogniser

    def __call__(self, shard: Shard) -> Done:
        stages = Stages()
        heard = [_Heard(piece) for piece in cutting.read(shard.work)]
        self._recogniser.begin(_seed(heard))
        waiting: list[tuple[_Heard, Window]] = []
        for each in heard:
            for window in self._windows(each, stages):
                waiting.append((each, window))
                if sum(len(held.chunks) for _, held in waiting) >= TOGETHER:
                    self._recognise(waiting, stages)
        self._recognise(waiting, stages)
        rows = [row for each in heard for row in _numbered(each.rows)]
        return Done(
            rows=table(rows),
            units=sum(each.samples for each in heard) / RATE / 3600,
            failed=tuple(failed for each in heard for failed in each.failed),
            seconds=stages.seconds,
            facts={
                "pieces": [each.facts() for each in heard if each.samples],
                "again": self._recogniser.again,
            },
        )

    def _windows(self, heard: _Heard, stages: Stages) -> Iterator[Window]:
        """The piece's windows in which somebody speaks. What is wrong with its file is noted."""
        piece = heard.piece
        try:
            with Source(piece.name, piece.at, piece.size).open() as file, Sound(file) as sound:
                yield from self._listened(sound, heard, stages)
                if why := _wrong(sound, heard):
                    heard.failed.append(Failed(piece.name, why))
        except (Unreadable, *BROKEN) as error:
            if isinstance(error, Unreadable) or not heard.samples:
                why = "empty" if piece.size == 0 else str(error) or type(error).__name__
            else:
                why = f"broken off after {(heard.begin + heard.samples) / RATE:.1f} s: {error}"
            if piece.number > 0 and not heard.samples:
                why = f"nothing could be read from {piece.number * cutting.WINDOW:,.0f} s on: {why}"
            heard.failed.append(Failed(piece.name, why))

    def _listened(self, sound: Sound, heard: _Heard, stages: Stages) -> Iterator[Window]:
        with stages("decode"):
            start, end = cutting.stretch(sound, heard.piece, self._voice)
            blocks = cutting.blocks(sound, start, end, self._voice)
            block = next(blocks, None)
        heard.begin = start
        while block is not None:
            place, samples = block
            yield from self._window(heard, place, samples, stages)
            with stages("decode"):
                block = next(blocks, None)

    def _window(self, heard: _Heard, place: int, samples: Samples, stages: Stages) -> Iterator[Window]:
        with stages("voice"):
            probabilities = self._voice.probabilities(samples)
            found = chunks(probabilities)
        with stages("features"):
            features = [self._recogniser.whisper.features(chunk.sound(samples)) for chunk in found]
        heard.samples += len(samples)
        heard.speech += float((probabilities >= SPEECH).sum()) * FRAME / RATE
        heard.envelope.extend(_envelope(samples))
        if found:
            end = (place + len(samples)) / RATE
            yield Window(heard.piece.name, place / RATE, end, probabilities, found, features)

    def _recognise(self, waiting: list[tuple[_Heard, Window]], stages: Stages) -> None:
        """Hears what waits, and empties it."""
        if waiting:
            heap.give_back()
            rows = self._recogniser([window for _, window in waiting], stages)
            for (heard, _), of_window in zip(waiting, rows, strict=True):
                heard.rows.extend(of_window)
            waiting.clear()
            heap.give_back()


def _seed(heard: Sequence[_Heard]) -> int:
    """The same wherever the files lie: a job has the same rows at any centre."""
    what = [(each.piece.name, each.piece.size, each.piece.number) for each in heard]
    return int.from_bytes(hashlib.sha256(repr(what).encode()).digest()[:4], "big")


def _wrong(sound: Sound, heard: _Heard) -> str | None:
    """What is to be told of a file that was read to its end or to the piece's."""
    piece, at = heard.piece, (heard.begin + heard.samples) / RATE
    if not heard.samples:
        return "no sound in it" if piece.number == 0 else None
    if sound.ended and sound.header.indexed and piece.said is not None and at < piece.said - SHORT:
        return f"ends at {at:.1f} s, though it says it is {piece.said:.1f} s long; what there is was heard"
    if sound.damaged:
        return f"{sound.damaged} packets could not be decoded; the rest was heard"
    return None


def _envelope(samples: Samples) -> list[float]:
    """The loudest sample of each of ENVELOPE parts, to two digits."""
    parts = np.array_split(np.abs(samples), min(ENVELOPE, len(samples)))
    return [round(float(part.max()), 2) for part in parts]


def _numbered(rows: Sequence[Row]) -> list[Row]:
    """The segments of a piece, counted through; `finish` counts them through the file."""
    return [replace(row, segment=number) for number, row in enumerate(rows)]
