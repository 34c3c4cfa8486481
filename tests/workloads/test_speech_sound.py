"""Any container, any second of it; and files that are made to harm."""

import contextlib
import struct
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from baygrid.workloads.speech.sound import RATE, Sound, Unreadable
from tests.workloads import sounds


def soft_noise(seconds: float) -> np.ndarray:
    """Noise below 4 kHz, which every codec keeps in its place."""
    window = np.hanning(9) / np.hanning(9).sum()
    return np.convolve(sounds.noise(seconds), window, "same").astype(np.float32)


def late_by(one: np.ndarray, other: np.ndarray, most: int = 800) -> int:
    """By how many samples `other` is later than `one`."""
    length = min(len(one), len(other)) - 2 * most
    middle = one[most : most + length]
    return max(range(-most, most), key=lambda at: float(middle @ other[most + at : most + at + length]))


@pytest.mark.parametrize("ending", sounds.FORMATS)
def test_a_part_is_the_same_sound_as_in_the_whole(ending: str, tmp_path: Path):
    made = soft_noise(40)
    file = sounds.write(made, tmp_path / f"noise.{ending}")
    whole = sounds.read(file)
    assert abs(len(whole) - len(made)) < 0.1 * RATE
    assert abs(late_by(made[10 * RATE : 13 * RATE], whole[10 * RATE : 13 * RATE])) < 0.03 * RATE
    for second in (0.5, 7.3, 33.33):
        begin = round(second * RATE)
        part = sounds.read(file, begin, begin + 2 * RATE)
        assert len(part) == 2 * RATE
        assert late_by(whole[begin : begin + 2 * RATE], part) == 0


@pytest.mark.parametrize("ending", ["wav", "flac", "m4a"])
def test_two_parts_that_meet_are_the_whole(ending: str, tmp_path: Path):
    file = sounds.write(soft_noise(20), tmp_path / f"noise.{ending}")
    whole = sounds.read(file)
    border = 123_457
    together = len(sounds.read(file, 0, border)) + len(sounds.read(file, border))
    assert abs(together - len(whole)) <= 1  # of two rates, one that is no multiple of the other


def test_nothing_is_beyond_the_end(tmp_path: Path):
    file = sounds.write(soft_noise(3), tmp_path / "noise.flac")
    assert len(sounds.read(file, 10 * RATE, 20 * RATE)) == 0
    assert abs(len(sounds.read(file, 2 * RATE, 20 * RATE)) - RATE) <= 1


def test_several_channels_become_one(tmp_path: Path):
    file = sounds.write(soft_noise(3), tmp_path / "noise.flac", layout="5.1")
    assert len(sounds.read(file)) == 3 * RATE


def test_sound_of_a_film_is_found(tmp_path: Path):
    file = tmp_path / "film.mkv"
    with av.open(str(file), mode="w") as film:
        picture = film.add_stream("mpeg4", rate=10, width=64, height=48)
        speech = film.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for at in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), at * 10, np.uint8), format="rgb24")
            film.mux(picture.encode(frame))
        sound = av.AudioFrame.from_ndarray(
            (soft_noise(2)[np.newaxis] * 2**15).astype(np.int16), format="s16", layout="mono"
        )
        sound.sample_rate = RATE
        film.mux(speech.encode(sound))
        film.mux(picture.encode(None))
    assert len(sounds.read(file)) == 2 * RATE


def test_a_hole_in_the_packets_is_silence_and_what_comes_after_keeps_its_time(tmp_path: Path):
    file = sounds.write(soft_noise(20), tmp_path / "whole.flac")
    whole = sounds.read(file)
    data = bytearray(file.read_bytes())
    hole = slice(len(data) // 2, len(data) // 2 + 20_000)
    data[hole] = bytes(20_000)
    broken = tmp_path / "broken.flac"
    broken.write_bytes(data)
    with broken.open("rb") as opened, Sound(opened) as sound:
        heard = np.concatenate(list(sound.read()))
    assert abs(len(heard) - len(whole)) < RATE
    assert late_by(whole[18 * RATE : 20 * RATE], heard[18 * RATE : 20 * RATE]) == 0


def bytes_of(kind: str, folder: Path) -> bytes:
    match kind:
        case "empty":
            return b""
        case "picture":
            Image.new("RGB", (64, 64), "red").save(folder / "red.png")
            return (folder / "red.png").read_bytes()
        case "text":
            return b"And so, my fellow Americans, ask not\n" * 1000
        case "playlist":
            return b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
        case "playlist of files":
            return b"ffconcat version 1.0\nfile '/etc/hostname'\n"
        case "cut header":
            return sounds.write(soft_noise(1), folder / "cut.flac").read_bytes()[:30]
        case "m4a without its index":
            return sounds.write(soft_noise(5), folder / "cut.m4a").read_bytes()[:-3000]
        case _:
            return np.random.default_rng(1).bytes(100_000)


@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "picture",
        "text",
        "playlist",
        "playlist of files",
        "cut header",
        "m4a without its index",
        "dice",
    ],
)
def test_what_is_no_sound_is_refused_or_empty(kind: str, tmp_path: Path):
    file = tmp_path / "speech.wav"
    file.write_bytes(bytes_of(kind, tmp_path))
    with contextlib.suppress(Unreadable):
        assert len(sounds.read(file)) == 0


def wav(path: Path, rate: int, channels: int, data: bytes = bytes(40_000), said: int | None = None) -> Path:
    """A WAV file with any header; `said`: the bytes of sound that it says it has."""
    said = len(data) if said is None else said
    block = 2 * channels
    form = struct.pack("<HHIIHH", 1, channels, rate, min(rate * block, 2**32 - 1), block & 0xFFFF, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", said) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", min(len(body) + said, 2**32 - 1)) + body)
    return path


@pytest.mark.parametrize(
    ("rate", "channels"), [(1, 1), (2**31 - 1, 1), (16_000, 33), (16_000, 60_000), (0, 1)]
)
def test_absurd_rates_and_channels_are_refused_before_memory_is_spent(
    rate: int, channels: int, tmp_path: Path
):
    with pytest.raises(Unreadable):
        sounds.read(wav(tmp_path / "bomb.wav", rate, channels))


def test_a_length_that_is_no_length_is_not_believed(tmp_path: Path):
    file = wav(
        tmp_path / "stream.wav", 16_000, 1, sounds.silence(2).astype(np.int16).tobytes(), said=0xFFFFFFFF
    )
    with file.open("rb") as opened, Sound(opened) as sound:
        assert sound.header.said is None or sound.header.said < 2**32 / 32_000 + 1
        assert sum(len(part) for part in sound.read()) == 2 * RATE


def test_a_plain_wav_of_the_standard_library_is_read(tmp_path: Path):
    with wave.open(str(tmp_path / "tone.wav"), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(
            (np.sin(np.arange(8000) / 8000 * 2 * np.pi * 440) * 20_000).astype(np.int16).tobytes()
        )
    heard = sounds.read(tmp_path / "tone.wav")
    assert len(heard) == RATE
    assert np.abs(heard).max() == pytest.approx(20_000 / 2**15, abs=0.02)
