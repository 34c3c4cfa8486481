"""Where somebody speaks: silero VAD, run only where there is sound at all."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from faster_whisper.vad import SileroVADModel
from numpy.typing import NDArray

from baygrid.workloads.models import packages
from baygrid.workloads.speech.sound import RATE, Samples

FRAME: Final = 512
"""Samples for which the model gives one probability (32 ms)."""

FILE: Final = "assets/silero_vad_v6.onnx"
SHA256: Final = "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2"

FLOOR: Final = 2.0**-13
"""A frame that is nowhere louder is silence, and the model is not asked: 4 steps of 16-bit sound."""

AROUND: Final = 16
"""Silent frames that are still asked about beside loud ones (0.5 s)."""

SLICE: Final = 3750
"""Frames in one call of the model (2 minutes): bounds its memory."""

WARM: Final = 32
"""Frames before a slice from which the model's state comes; what is said of them is dropped."""

SPEECH, STILL_SPEECH = 0.5, 0.35
"""Probabilities from which speech begins, and under which it ends: silero's own defaults."""

LEAST_PAUSE, LEAST_SPEECH, PAD = 16, 4, 7
"""Frames: a shorter pause belongs to the speech (0.5 s), a shorter sound is none (0.13 s), and what is kept
on either side (0.22 s), because voices begin before the model is sure."""

Probabilities = NDArray[np.float32]
"""The probability of speech in each frame."""

Span = tuple[int, int]
"""From the first frame to the one after the last."""


class Voice:
    """The model, loaded. One thread of inference."""

    def __init__(self) -> None:
        file = packages.file("faster_whisper", FILE, SHA256, "speech")
        self._model: Any = SileroVADModel(str(file))

    def probabilities(self, samples: Samples) -> Probabilities:
        """One probability for each FRAME of the samples; the last, shorter one is filled with silence."""
        frames = -(-len(samples) // FRAME)
        probabilities = np.zeros(frames, np.float32)
        for begin, end in _loud(samples, frames):
            for first in range(begin, end, SLICE):
                last, warm = min(first + SLICE, end), max(begin, first - WARM)
                part = samples[warm * FRAME : last * FRAME]
                part = np.pad(part, (0, (last - warm) * FRAME - len(part)))
                probabilities[first:last] = self._model(part).reshape(-1)[first - warm :]
        return probabilities


def _loud(samples: Samples, frames: int) -> list[Span]:
    """The runs of frames that the model is asked about."""
    whole = len(samples) // FRAME
    peaks = np.zeros(frames, np.float32)
    grid = samples[: whole * FRAME].reshape(whole, FRAME)
    peaks[:whole] = np.maximum(grid.max(axis=1, initial=0), -grid.min(axis=1, initial=0))
    if whole < frames:
        peaks[whole] = np.abs(samples[whole * FRAME :]).max()
    return [
        (max(0, begin - AROUND), min(frames, end + AROUND))
        for begin, end in _closed(_runs(peaks > FLOOR), 2 * AROUND)
    ]


def spans(probabilities: Probabilities) -> list[Span]:
    """The runs of frames in which somebody speaks, with short pauses inside them and a margin around."""
    speaking = np.zeros(len(probabilities), bool)
    for begin, end in _runs(probabilities >= STILL_SPEECH):
        speaking[begin:end] = probabilities[begin:end].max() >= SPEECH
    kept = [
        (begin, end) for begin, end in _closed(_runs(speaking), LEAST_PAUSE) if end - begin >= LEAST_SPEECH
    ]
    return [(max(0, begin - PAD), min(len(probabilities), end + PAD)) for begin, end in kept]


def quietest(samples: Samples, probabilities: Probabilities) -> int:
    """The sample at which to cut with the least harm: the middle of the half second with the least speech, of
    equal ones the softest, of equal ones the nearest to the middle. A function of these samples alone, so
    that both who meet at a border find the same place."""
    width = round(0.5 * RATE / FRAME)
    if len(probabilities) < width:
        return len(samples) // 2
    whole = np.pad(samples, (0, len(probabilities) * FRAME - len(samples))).reshape(len(probabilities), FRAME)
    power = np.log2(np.mean(np.square(whole), axis=1) + 1e-9)
    window = np.ones(width) / width
    speech = np.round(np.convolve(probabilities, window, "valid") * 20)
    loudness = np.round(np.convolve(power, window, "valid"))
    middles = np.arange(len(speech)) + width / 2
    far = np.abs(middles - len(probabilities) / 2)
    best = int(np.lexsort((far, loudness, speech))[0])
    return min(round(float(middles[best]) * FRAME), len(samples))


def _runs(yes: NDArray[np.bool_]) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], yes, [False])).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _closed(runs: list[Span], least: int) -> list[Span]:
    """The runs, with those joined between which fewer than `least` frames lie."""
    joined: list[Span] = []
    for begin, end in runs:
        if joined and begin - joined[-1][1] < least:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined
