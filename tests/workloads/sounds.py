"""Sound files made for tests, of any format, and recordings that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np

from baygrid.workloads.speech.clip import clips
from baygrid.workloads.speech.sound import RATE, Samples, Sound

FORMATS = {
    "wav": ("wav", "pcm_s16le", 16_000),
    "flac": ("flac", "flac", 44_100),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "ogg": ("ogg", "libopus", 48_000),
    "m4a": ("mp4", "aac", 48_000),
    "mkv": ("matroska", "libopus", 48_000),
    "aiff": ("aiff", "pcm_s16be", 22_050),
    "aac": ("adts", "aac", 44_100),
}
"""By ending: container, codec, samples a second."""


def write(samples: Samples, path: Path, layout: str = "mono", rate: int | None = None) -> Path:
    """The samples (at RATE) as the file's ending says."""
    container_format, codec, usual = FORMATS[path.suffix[1:]]
    rate = rate or usual
    with av.open(str(path), mode="w", format=container_format) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout=layout)
        context = stream.codec_context
        context.open()
        resampler = av.AudioResampler(
            format=context.format, layout=layout, rate=rate, frame_size=context.frame_size or 4096
        )
        parts = [samples[at : at + RATE * 60] for at in range(0, len(samples), RATE * 60)]
        frames: list[Any] = []
        for number, part in enumerate(parts):
            frame = av.AudioFrame.from_ndarray(
                part[np.newaxis].astype(np.float32), format="flt", layout="mono"
            )
            frame.sample_rate = RATE
            frame.pts = number * RATE * 60
            frames.append(frame)
        for frame in [*frames, None]:
            for resampled in resampler.resample(frame):
                container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return path


def clip(language: str) -> Samples:
    """The clip of the package in this language."""
    file = next(each.file for each in clips() if each.language == language)
    return read(file)


def read(path: Path, start: int = 0, end: int | None = None) -> Samples:
    with path.open("rb") as file, Sound(file) as sound:
        return np.concatenate([np.zeros(0, np.float32), *sound.read(start, end)])


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def noise(seconds: float, seed: int = 1) -> Samples:
    """Never the same twice, so that a place in it can be told: soft white noise."""
    drawn = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))
    return np.clip(drawn, -1, 1).astype(np.float32)
