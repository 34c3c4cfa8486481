"""Inputs for the applications, made from what their packages bring: the same at every run."""

from __future__ import annotations

import os
import wave
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np

from baygrid.workloads.images.inputs import photographs
from baygrid.workloads.speech.clip import Clip, clips
from baygrid.workloads.speech.sound import RATE, Samples, Sound

SHAPES = ((375, 500), (500, 375), (500, 500))
"""Rows and columns of the pictures, in turn: photographs from the web."""

QUALITY = 90
NOISE = 2e-4
"""Of a quiet room, beside a full scale of 1."""

SPARSE = 120
"""Seconds from clip to clip in a long recording."""

_HEADER = 44
"""Bytes of a WAV file before its samples."""


def pictures(folder: Path, count: int) -> None:
    """So many JPEGs cut from scikit-image's photographs."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    sources = [image for entry in photographs() if (image := cv2.imread(entry.at)) is not None]
    for number in range(count):
        image = sources[number % len(sources)]
        height, width = SHAPES[int(rng.integers(len(SHAPES)))]
        share = rng.uniform(0.5, 1.0) * min(image.shape[0] / height, image.shape[1] / width)
        rows, columns = int(height * share), int(width * share)
        top = int(rng.integers(image.shape[0] - rows + 1))
        left = int(rng.integers(image.shape[1] - columns + 1))
        cut = cv2.resize(image[top : top + rows, left : left + columns], (width, height))
        cv2.imwrite(str(folder / f"{number:06}.jpg"), cut, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def some(folder: Path, count: int, beside: Path) -> None:
    """The first so many files of a folder, again in another."""
    beside.mkdir()
    for path in sorted(folder.iterdir())[:count]:
        os.link(path, beside / path.name)


def recordings(folder: Path, counts: Mapping[str, int]) -> dict[str, str]:
    """WAV files in which somebody says one clip, so many of each language, at speeds and loudnesses of their
    own; what is said in each file. One clip several times in a file would be taken for a model that loops."""
    folder.mkdir()
    rng = np.random.default_rng(7)
    said = {}
    for clip in clips():
        for number in range(counts.get(clip.language, 0)):
            path = folder / f"{clip.language}-{number:03}.wav"
            _wav(path, [_again(_voice(clip), rng)])
            said[path.name] = clip.text
    return said


def recorded_seconds(folder: Path) -> float:
    return sum((path.stat().st_size - _HEADER) / 2 / RATE for path in folder.iterdir())


def long_recording(path: Path, seconds: int) -> None:
    """A WAV file in which somebody says a clip every two minutes, in turn, and nothing for the rest."""
    rng = np.random.default_rng(9)
    voices = [_voice(clip) for clip in clips()]
    parts = range(-(-seconds // SPARSE))
    _wav(path, (_filled(_again(voices[part % len(voices)], rng), rng) for part in parts))


def _voice(clip: Clip) -> Samples:
    with clip.file.open("rb") as file, Sound(file) as sound:
        return np.concatenate([part.copy() for part in sound.read()])


def _again(voice: Samples, rng: np.random.Generator) -> Samples:
    """At another speed and loudness."""
    places = np.arange(0, len(voice) - 1, rng.uniform(0.94, 1.06))
    again: Samples = np.interp(places, np.arange(len(voice)), voice).astype(np.float32)
    return again * np.float32(rng.uniform(0.5, 1.0))


def _filled(voice: Samples, rng: np.random.Generator) -> Samples:
    """SPARSE seconds, in which the voice comes first."""
    filled = rng.normal(0, NOISE, SPARSE * RATE).astype(np.float32)
    filled[: len(voice)] += voice
    return filled


def _wav(path: Path, parts: Iterable[Samples]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for samples in parts:
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
