"""What is tried again, what is flagged in the end, and that neither depends on what a worker did before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baygrid.workloads.application import Shard
from baygrid.workloads.speech import cutting, gate, model
from baygrid.workloads.speech.chunks import Chunk
from baygrid.workloads.speech.cutting import Piece
from baygrid.workloads.speech.recognise import Recogniser, Window
from baygrid.workloads.speech.rows import Row
from baygrid.workloads.speech.voice import Voice
from baygrid.workloads.speech.whisper import Heard, Said, Whisper
from baygrid.workloads.speech.worker import Worker
from baygrid.workloads.stages import Stages
from tests.workloads import sounds

LOOP = "the car of " * 12
SOURCE = "今日は天気がいいので公園へ行きました"
FRAMES = 900  # of voice, nearly half a minute


@dataclass
class Scripted:
    """A Whisper that says what a test wants: by task and temperature, the text and its logprob."""

    script: dict[tuple[str, float], tuple[str, float]]
    language: Sequence[dict[str, float]] = ({"ja": 0.9, "zh": 0.1},)
    no_speech: float = 0.1
    translates: bool = True
    seeds: list[int] = field(default_factory=list)
    asked: list[tuple[str, float, int]] = field(default_factory=list)

    def seed(self, seed: int) -> None:
        self.seeds.append(seed)

    def encode(self, features: Sequence[Any]) -> list[Any]:
        return list(features)

    def detect(self, encoded: Sequence[Any]) -> list[dict[str, float]]:
        return [self.language[at % len(self.language)] for at in range(len(encoded))]

    def hear(self, encoded: Sequence[Any], spoken: Sequence[str], task: str, temperature: float = 0.0):
        self.asked.append((task, temperature, len(encoded)))
        text, logprob = self.script.get((task, temperature)) or self.script[task, 0.0]
        return [Heard((), text, logprob, self.no_speech) for _ in encoded]

    def said(self, heard: Heard, seconds: float) -> list[Said]:
        return [Said(0, seconds, heard.text)] if heard.text else []


def window(chunks: int = 1) -> Window:
    found = [Chunk(((FRAMES * at, FRAMES * (at + 1)),)) for at in range(chunks)]
    probabilities = np.full(FRAMES * chunks, 0.9, np.float32)
    return Window(
        "a.wav", 0.0, len(probabilities) * 0.032, probabilities, found, [np.zeros(1, np.float32)] * chunks
    )


def recognised(whisper: Scripted, chunks: int = 1, **how: Any) -> list[Row]:
    recogniser = Recogniser(whisper, **how)  # type: ignore[arg-type]
    recogniser.begin(seed=5)
    (rows,) = recogniser([window(chunks)], Stages())
    return rows


def test_what_is_good_at_once_is_decoded_once():
    whisper = Scripted(
        {("transcribe", 0.0): (SOURCE, -0.3), ("translate", 0.0): ("We went to the park.", -0.3)}
    )
    (row,) = recognised(whisper)
    assert (row.text, row.translation, row.flags) == (SOURCE, "We went to the park.", None)
    assert whisper.asked == [("transcribe", 0.0, 1), ("translate", 0.0, 1)]
    assert whisper.seeds == []


def test_a_loop_is_cured_by_another_temperature():
    whisper = Scripted({
        ("transcribe", 0.0): (SOURCE, -0.3),
        ("translate", 0.0): (LOOP, -0.1),
        ("translate", 0.4): ("We went to the park.", -0.5),
    })  # fmt: skip
    (row,) = recognised(whisper)
    assert (row.translation, row.flags) == ("We went to the park.", None)
    assert [temperature for task, temperature, _ in whisper.asked if task == "translate"] == [0.0, 0.2, 0.4]


def test_a_loop_that_nothing_cures_is_flagged_and_not_returned_as_good():
    whisper = Scripted({("transcribe", 0.0): (SOURCE, -0.3), ("translate", 0.0): (LOOP, -0.1)})
    (row,) = recognised(whisper)
    assert row.flags == "translation repeats"
    assert len(whisper.asked) == 1 + 6


def test_a_translation_that_stays_in_the_source_language_is_flagged():
    whisper = Scripted({("transcribe", 0.0): (SOURCE, -0.3), ("translate", 0.0): (SOURCE, -0.1)})
    (row,) = recognised(whisper)
    assert row.flags == gate.UNTRANSLATED
    cured = Scripted({**whisper.script, ("translate", 1.0): ("We went to the park.", -0.9)})
    assert recognised(cured)[0].flags is None


def test_a_transcript_that_loops_spoils_the_segment():
    whisper = Scripted(
        {("transcribe", 0.0): ("はい、そうです。" * 20, -0.1), ("translate", 0.0): ("Yes.", -0.2)}
    )
    (row,) = recognised(whisper)
    assert gate.REPEATS in (row.flags or "").split(", ")


def test_what_whisper_itself_takes_for_silence_is_not_tried_again():
    whisper = Scripted(
        {("transcribe", 0.0): ("ご視聴ありがとうございました", -1.4), ("translate", 0.0): ("Thanks", -1.4)}
    )
    whisper.no_speech = 0.9
    (row,) = recognised(whisper)
    assert gate.NO_VOICE in (row.flags or "")
    assert whisper.seeds == []


def test_the_generator_is_seeded_once_in_a_shard_however_much_is_tried_again():
    whisper = Scripted({("transcribe", 0.0): (SOURCE, -2.0), ("translate", 0.0): (LOOP, -0.1)})
    recognised(whisper, chunks=3)
    assert whisper.seeds == [5]


def test_most_of_a_window_decides_its_language_unless_one_is_sure():
    probabilities = [
        {"ja": 0.6, "zh": 0.4},
        {"ja": 0.7, "zh": 0.3},
        {"zh": 0.55, "ja": 0.45},
        {"en": 0.97, "ja": 0.03},
    ]
    whisper = Scripted(
        {("transcribe", 0.0): (SOURCE, -0.3), ("translate", 0.0): ("To the park.", -0.3)}, probabilities
    )
    rows = recognised(whisper, chunks=4)
    assert [row.language for row in rows] == ["ja", "ja", "ja", "en"]
    assert rows[3].translation is None
    assert [row.language for row in recognised(whisper, chunks=4, language="zh")] == ["zh"] * 4


class Chinese:
    """Knows Japanese only."""

    def can(self, source: str) -> bool:
        return source == "ja"

    def __call__(self, texts: Sequence[str], source: str) -> list[str]:
        return ["今天天气好所以去了公园"] * len(texts)


def test_a_cascade_translates_what_it_can_and_the_rest_says_that_nobody_did():
    probabilities = [{"ja": 0.99}, {"fr": 0.99}]
    whisper = Scripted({("transcribe", 0.0): (SOURCE, -0.3)}, probabilities)
    rows = recognised(whisper, chunks=2, to="zh", translator=Chinese())
    assert [(row.language, row.translation, row.flags) for row in rows] == [
        ("ja", "今天天气好所以去了公园", None),
        ("fr", None, gate.NO_MODEL),
    ]
    assert {task for task, *_ in whisper.asked} == {"transcribe"}


def test_without_a_target_nothing_is_translated():
    whisper = Scripted({("transcribe", 0.0): (SOURCE, -0.3)})
    (row,) = recognised(whisper, to=None)
    assert (row.translation, row.flags) == (None, None)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_drawn_at_random_depends_on_the_shard_alone(model_cache: Path, tmp_path: Path):
    """Real Whisper, on speech under so much noise that its first search fails."""

    def noisy(number: int) -> Shard:
        loud = sounds.clip("ja") * 0.3 + sounds.noise(20, number)[: len(sounds.clip("ja"))] * 0.9
        file = sounds.write(loud.astype(np.float32), tmp_path / f"{number}.flac")
        return next(cutting.shards([Piece(file.name, str(file), file.stat().st_size, 0, 1, 11.0)]))

    def worker() -> Worker:
        return Worker(Voice(), Recogniser(Whisper(model.directory(None)), language="ja", to=None))

    def found(by: Worker, shard: Shard) -> tuple[list[dict[str, Any]], Any]:
        done = by(shard)
        return done.rows.to_pylist(), done.facts["again"]

    old = worker()  # the CPU's arithmetic decides in which of the shards a search fails
    again = ((shard, both) for shard in map(noisy, range(8)) if (both := found(old, shard))[1])
    _, second = islice(again, 2)
    assert found(worker(), second[0]) == second[1]
