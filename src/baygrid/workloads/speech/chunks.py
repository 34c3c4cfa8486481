"""Speech packed into what Whisper hears at once, half a minute, with the silence between left out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np

from baygrid.workloads.speech.sound import RATE, Samples
from baygrid.workloads.speech.voice import FRAME, Probabilities, Span, spans

MOST: Final = 30 * RATE // FRAME
"""Frames in a chunk; Whisper knows no longer ones."""

LEAST_CUT: Final = MOST // 2
"""Speech without a pause is cut no sooner than this."""

BLUR: Final = 0.5
"""Seconds by which Whisper's times are off without meaning anything."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Spans of a block's frames, one after another; together at most half a minute."""

    spans: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        return _seconds(sum(end - begin for begin, end in self.spans))

    def sound(self, samples: Samples) -> Samples:
        """Its spans out of the block's samples, joined."""
        return np.concatenate([samples[begin * FRAME : end * FRAME] for begin, end in self.spans])

    def probabilities(self, probabilities: Probabilities) -> Probabilities:
        return np.concatenate([probabilities[begin:end] for begin, end in self.spans])

    def place(self, start: float, end: float) -> tuple[float, float]:
        """A stretch of the chunk as a stretch of the block, all in seconds. One that reaches over a joint by
        no more than BLUR is taken to begin, or to end, there: the marks of time are no sharper."""
        starts, ends = self._joints()
        first = bisect_right(starts, start) - 1
        last = max(bisect_left(ends, end), first)
        last = min(last, len(ends) - 1)
        while first < last and ends[first] - start <= BLUR:
            first, start = first + 1, ends[first]
        while first < last and end - starts[last] <= BLUR:
            last, end = last - 1, starts[last]
        begin, finish = self.spans[first][0], self.spans[last][0]
        return (
            _seconds(begin) + max(0.0, start - starts[first]),
            _seconds(finish) + min(end, ends[last]) - starts[last],
        )

    def _joints(self) -> tuple[list[float], list[float]]:
        """Where each span begins and ends in the chunk."""
        ends = list(accumulate(_seconds(end - begin) for begin, end in self.spans))
        return [0.0, *ends[:-1]], ends


def chunks(probabilities: Probabilities) -> list[Chunk]:
    """All speech of a block, packed in order."""
    packed: list[Chunk] = []
    held: list[Span] = []
    frames = 0
    for begin, end in _short(spans(probabilities), probabilities):
        if held and frames + end - begin > MOST:
            packed.append(Chunk(tuple(held)))
            held, frames = [], 0
        held.append((begin, end))
        frames += end - begin
    if held:
        packed.append(Chunk(tuple(held)))
    return packed


def _short(found: Sequence[Span], probabilities: Probabilities) -> Iterator[Span]:
    """The spans, those too long cut where speech is least likely, of equal places at the last."""
    for begin, end in found:
        while end - begin > MOST:
            near = probabilities[begin + LEAST_CUT - 2 : begin + MOST + 2]
            smooth = np.round(np.convolve(near, np.ones(5) / 5, "valid"), 2)
            cut = begin + LEAST_CUT + len(smooth) - 1 - int(np.argmin(smooth[::-1]))
            yield begin, cut
            begin = cut
        yield begin, end


def _seconds(frames: int) -> float:
    return frames * FRAME / RATE
