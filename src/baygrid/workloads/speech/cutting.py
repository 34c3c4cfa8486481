"""Files cut into shards: long ones into windows that end at pauses, short ones together.

The plan knows only how long a file says it is. Where exactly two windows meet is found later, by both of them
in the same way from the same sound, so that each second is in one window and in one only. The last window of
a file is open: it goes on to where the file really ends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from baygrid.workloads.application import Shard
from baygrid.workloads.speech.sound import RATE, Samples, Sound, Unreadable
from baygrid.workloads.speech.sources import Source
from baygrid.workloads.speech.voice import Voice, quietest

WINDOW: Final = 600.0
"""Seconds between two nominal borders: half a minute to a minute of work on one core."""

REACH: Final = 15.0
"""Seconds to either side of a nominal border in which the true one is looked for."""

LONGEST: Final = 1.5 * WINDOW
"""A stretch longer than this, of a file whose length was not known, is cut on the way."""

MOST_FILES: Final = 64
"""Files in one shard."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Window `number` of `of` of a file, which says it is `said` seconds long (None: it does not say)."""

    name: str
    at: str
    size: int
    number: int
    of: int
    said: float | None

    @property
    def last(self) -> bool:
        return self.number == self.of - 1

    @property
    def seconds(self) -> float:
        """As far as is known before it is read."""
        if self.said is None:
            return WINDOW
        return max(0.0, self.said - self.number * WINDOW) if self.last else WINDOW


def pieces(source: Source) -> Iterator[Piece]:
    """Reads the file's header. A file that cannot be read is a piece too: its worker says what is wrong."""
    said, count = None, 1
    try:
        with source.open() as file, Sound(file) as sound:
            said = sound.header.said
            if said is not None and sound.header.seekable:
                count = max(1, round(said / WINDOW))
    except (Unreadable, OSError):
        said = 0.0
    for number in range(count):
        yield Piece(source.name, source.at, source.size, number, count, said)


def shards(all_pieces: Iterable[Piece]) -> Iterator[Shard]:
    """In the order of the pieces; no more than a window together, or one piece."""
    held: list[Piece] = []
    count = 0
    for piece in all_pieces:
        full = len(held) == MOST_FILES or sum(each.seconds for each in held) + piece.seconds > WINDOW
        if held and full:
            yield _shard(count, held)
            held, count = [], count + 1
        held.append(piece)
    if held:
        yield _shard(count, held)


def read(work: str) -> list[Piece]:
    """The pieces of a shard's work."""
    return [Piece(**piece) for piece in json.loads(work)]


def stretch(sound: Sound, piece: Piece, voice: Voice) -> tuple[int, int | None]:
    """The first sample of the piece, and the one after its last (None: the end of the file)."""
    start = 0 if piece.number == 0 else _border(sound, piece.number, voice)
    end = None if piece.last else _border(sound, piece.number + 1, voice)
    return start, end


def blocks(sound: Sound, start: int, end: int | None, voice: Voice) -> Iterator[tuple[int, Samples]]:
    """The stretch in blocks that fit into memory, each with the number of its first sample. One block as a
    rule; what proves much longer than a window is cut at pauses. A block is good until the next is taken."""
    most, border, reach = int(LONGEST * RATE), int(WINDOW * RATE), int(REACH * RATE)
    held, filled = np.empty(most + 120 * RATE, np.float32), 0
    for part in sound.read(start, end):
        if filled + len(part) > len(held):
            raise Unreadable(f"a frame of {len(part) / RATE:.0f} seconds")
        held[filled : filled + len(part)] = part
        filled += len(part)
        while filled > most:
            around = held[border - reach : border + reach]
            cut = border - reach + quietest(around, voice.probabilities(around))
            yield start, held[:cut]
            held[: filled - cut] = held[cut:filled].copy()
            start, filled = start + cut, filled - cut
    if filled:
        yield start, held[:filled]


def _border(sound: Sound, number: int, voice: Voice) -> int:
    """Where windows `number - 1` and `number` meet."""
    begin = round((number * WINDOW - REACH) * RATE)
    parts = list(sound.read(begin, begin + round(2 * REACH * RATE)))
    if not parts:
        return round(number * WINDOW * RATE)
    around = np.concatenate(parts)
    return begin + quietest(around, voice.probabilities(around))


def _shard(number: int, held: list[Piece]) -> Shard:
    work = json.dumps([asdict(piece) for piece in held])  # a path need not be UTF-8, what is handed on must
    return Shard(f"{number:07}", work, sum(piece.seconds for piece in held) / 3600)
