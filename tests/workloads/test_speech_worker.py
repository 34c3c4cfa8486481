"""Real and synthetic speech through a worker: the text itself, and what becomes of bad input."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baygrid.workloads.application import Done
from baygrid.workloads.speech import cutting, model
from baygrid.workloads.speech.clip import clips
from baygrid.workloads.speech.scoring import cer, chrf
from baygrid.workloads.speech.sound import RATE
from baygrid.workloads.speech.sources import sources
from baygrid.workloads.speech.worker import Load, Worker
from tests.workloads import sounds

RECORDING = Path(__file__).parents[2].parent / "shared" / "data" / "speech" / "jfk.flac"

Hear = Callable[[Path], list[Done]]


@pytest.fixture(scope="session")
def worker(model_cache: Path) -> Worker:
    return Load(str(model.directory(None)))()


@pytest.fixture
def hear(worker: Worker) -> Hear:
    """A file or a folder, all shards in order."""

    def heard(path: Path) -> list[Done]:
        pieces = (piece for source in sources(str(path)) for piece in cutting.pieces(source))
        return [worker(shard) for shard in cutting.shards(pieces)]

    return heard


def rows(done: list[Done]) -> list[dict[str, Any]]:
    return [row for each in done for row in each.rows.to_pylist()]


def test_a_real_recording_is_written_down(hear: Hear):
    if not RECORDING.exists():
        pytest.skip("needs ../shared")
    done = hear(RECORDING)
    text = " ".join(row["text"] for row in rows(done))
    assert text == (
        "And so my fellow Americans, ask not what your country can do for you, "
        "ask what you can do for your country."
    )
    english = next(clip for clip in clips() if clip.language == "en")
    assert cer([text], [english.text]) == 0
    assert {row["language"] for row in rows(done)} == {"en"}
    assert all(row["flags"] is None and row["translation"] is None for row in rows(done))
    assert sum(each.units for each in done) == pytest.approx(11.0 / 3600, rel=1e-3)


def test_japanese_is_written_down_and_translated(hear: Hear):
    clip = next(each for each in clips() if each.language == "ja")
    found = rows(hear(clip.file))
    assert {row["language"] for row in found} == {"ja"}
    text = "".join(row["text"] for row in found)
    assert text.startswith("今日は天気がいいので、友達と公園へ行きました。")
    assert cer([text], [clip.text]) < 0.12
    translation = " ".join(row["translation"] for row in found)
    assert "The weather is good today" in translation
    assert chrf([translation], [clip.english]) > 45
    assert all(row["flags"] is None for row in found)


def test_times_are_those_of_the_file(hear: Hear, tmp_path: Path):
    quiet, spoken = sounds.silence(20), sounds.clip("en")
    pause = int(7.8 * RATE)
    parts = [quiet, spoken[:pause], quiet, spoken[pause:]]
    found = rows(hear(sounds.write(np.concatenate(parts), tmp_path / "halves.flac")))
    said = {row["text"][:6].lower(): row["start"] for row in found}
    assert said == {"and so": pytest.approx(20.2, abs=0.5), "ask wh": pytest.approx(47.9, abs=0.5)}
    assert all(before["end"] <= after["start"] + 1e-6 for before, after in itertools.pairwise(found))


@pytest.mark.parametrize("kind", ["silence", "noise", "tone"])
def test_nothing_is_heard_where_nobody_speaks(kind: str, hear: Hear, tmp_path: Path):
    sound = {
        "silence": sounds.silence(60),
        "noise": sounds.noise(30) * 0.3,
        "tone": (0.3 * np.sin(np.arange(30 * 16_000) * 440 * 2 * np.pi / 16_000)).astype(np.float32),
    }[kind]
    done = hear(sounds.write(sound, tmp_path / "nothing.flac"))
    assert rows(done) == []
    assert not [failed for each in done for failed in each.failed]
    assert sum(each.units for each in done) == pytest.approx(len(sound) / 16_000 / 3600, rel=1e-3)


def test_bad_files_are_named_and_the_rest_is_heard(hear: Hear, tmp_path: Path):
    sounds.write(sounds.clip("en"), tmp_path / "c.flac")
    whole = (tmp_path / "c.flac").read_bytes()
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "b.mp3").write_bytes(np.random.default_rng(1).bytes(5000))
    (tmp_path / "d.wav").write_bytes(whole)  # another ending than it should have: it is read all the same
    (tmp_path / "e.flac").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "notes.txt").write_text("not looked at")
    done = hear(tmp_path)
    failed = {each.input: each.reason for done_ in done for each in done_.failed}
    assert failed.keys() == {"a.wav", "b.mp3", "e.flac"}
    assert failed["a.wav"] == "empty"
    assert "though it says it is 11.0 s long" in failed["e.flac"]
    texts = {
        name: "".join(row["text"] for row in rows(done) if row["file"] == name)
        for name in ("c.flac", "d.wav")
    }
    assert texts["c.flac"] == texts["d.wav"]
    assert "your country" in texts["c.flac"]
    assert "fellow Americans" in "".join(row["text"] for row in rows(done) if row["file"] == "e.flac")


def test_minutes_that_cannot_be_read_any_more_are_told(worker: Worker, tmp_path: Path):
    file = sounds.write(sounds.silence(1300), tmp_path / "long.flac")
    shards = list(cutting.shards(piece for each in sources(str(file)) for piece in cutting.pieces(each)))
    assert not worker(shards[0]).failed
    file.unlink()
    (failed,) = worker(shards[1]).failed
    assert failed.input == "long.flac"
    assert failed.reason.startswith("nothing could be read from 600 s on: ")


@pytest.mark.slow
def test_where_a_file_lies_changes_nothing(hear: Hear, tmp_path: Path):
    repeated = np.concatenate([sounds.clip("en")] * 2)  # is tried again, with what is drawn at random
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        sounds.write(repeated, tmp_path / folder / "twice.flac")
    (here,), (there,) = hear(tmp_path / "here"), hear(tmp_path / "there")
    assert here.facts["again"], "nothing was drawn"
    assert here.rows == there.rows


def test_what_a_worker_did_before_changes_nothing(hear: Hear):
    files = [clip.file for clip in clips()]
    once = [hear(file)[0].rows for file in files]
    again = [hear(file)[0].rows for file in reversed(files)][::-1]
    assert once == again
