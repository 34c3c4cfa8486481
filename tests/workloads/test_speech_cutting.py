"""Every second of a file in one window, and in one only."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from baygrid.workloads.speech import cutting
from baygrid.workloads.speech.cutting import Piece
from baygrid.workloads.speech.sound import RATE, Sound
from baygrid.workloads.speech.sources import Source
from baygrid.workloads.speech.voice import Voice, quietest
from tests.workloads import sounds
from tests.workloads.test_speech_sound import wav


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice()


@pytest.fixture
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of 20 s, so that 2 minutes are many."""
    monkeypatch.setattr(cutting, "WINDOW", 20.0)
    monkeypatch.setattr(cutting, "REACH", 6.0)
    monkeypatch.setattr(cutting, "LONGEST", 30.0)


def talk(times: int) -> np.ndarray:
    """A sentence again and again, with 0.7 s between, at another loudness each time."""
    parts = [(sounds.clip("en") * (0.5 + 0.05 * at), sounds.silence(0.7)) for at in range(times)]
    return np.concatenate(list(itertools.chain.from_iterable(parts)))


def stretches(file: Path, voice: Voice, pieces: list[Piece] | None = None) -> list[tuple[int, np.ndarray]]:
    """What each worker would hear, each with the file opened anew."""
    source = Source(file.name, str(file), file.stat().st_size)
    found = []
    for piece in pieces or list(cutting.pieces(source)):
        with file.open("rb") as opened, Sound(opened) as sound:
            start, end = cutting.stretch(sound, piece, voice)
            for at, block in cutting.blocks(sound, start, end, voice):
                found.append((at, block.copy()))
    return found


def assert_once(found: list[tuple[int, np.ndarray]], whole: int) -> None:
    assert found[0][0] == 0
    for (at, block), (after, _) in itertools.pairwise(found):
        assert at + len(block) == after
    at, block = found[-1]
    assert abs(at + len(block) - whole) <= RATE // 500  # times in Matroska are milliseconds


@pytest.mark.parametrize("ending", sounds.FORMATS)
def test_each_second_is_in_one_window(ending: str, voice: Voice, short_windows: None, tmp_path: Path):
    file = sounds.write(talk(9), tmp_path / f"talk.{ending}")
    whole = len(sounds.read(file))
    found = stretches(file, voice)
    assert len(found) >= 4
    assert_once(found, whole)


def test_windows_meet_where_nobody_speaks(voice: Voice, short_windows: None, tmp_path: Path):
    made = talk(9)
    file = sounds.write(made, tmp_path / "talk.wav")
    borders = [at for at, _ in stretches(file, voice)][1:]
    assert borders
    for border in borders:
        assert np.abs(made[border - RATE // 10 : border + RATE // 10]).max() < 0.02


@pytest.mark.parametrize("said", [None, 0.0, 35.0, 1000.0])
def test_a_length_that_is_wrong_loses_nothing_and_doubles_nothing(
    said: float | None, voice: Voice, short_windows: None, tmp_path: Path
):
    file = sounds.write(talk(9), tmp_path / "talk.mp3")
    count = max(1, round((said or 0) / cutting.WINDOW))
    pieces = [Piece("talk.mp3", str(file), 1, number, count, said) for number in range(count)]
    found = stretches(file, voice, pieces)
    assert_once(found, len(sounds.read(file)))
    assert max(len(block) for _, block in found) <= (cutting.LONGEST + 1) * RATE


def test_a_wav_whose_header_says_too_little_is_heard_to_the_end_it_says(tmp_path: Path):
    data = (sounds.noise(30) * 2**15).astype(np.int16).tobytes()
    file = wav(tmp_path / "short.wav", 16_000, 1, data, said=len(data) // 2)
    (piece,) = cutting.pieces(Source("short.wav", str(file), 1))
    assert piece.said == pytest.approx(15, abs=0.1)


def test_the_place_to_cut_is_the_pause(voice: Voice):
    sound = np.concatenate([sounds.clip("en")[: 4 * RATE], sounds.silence(1), sounds.clip("en")[: 4 * RATE]])
    cut = quietest(sound, voice.probabilities(sound))
    assert 4 * RATE <= cut <= 5 * RATE
    assert cut == quietest(sound, voice.probabilities(sound))


def test_short_files_share_a_shard_and_long_ones_have_many():
    def piece(name: str, said: float, number: int = 0, of: int = 1) -> Piece:
        return Piece(name, name, 1, number, of, said)

    short = [piece(f"{at}", 100) for at in range(13)]
    long = [piece("long", 3600, number, 6) for number in range(6)]
    shards = list(cutting.shards([*short, *long]))
    assert [len(cutting.read(shard.work)) for shard in shards] == [6, 6, 1, 1, 1, 1, 1, 1, 1]
    assert sum(shard.units for shard in shards) == pytest.approx((1300 + 3600) / 3600)
    assert [shard.id for shard in shards] == sorted(shard.id for shard in shards)
    assert [each for shard in shards for each in cutting.read(shard.work)] == [*short, *long]
