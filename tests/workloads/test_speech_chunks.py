"""Speech packed into half minutes, its times back in the recording, and a transcript beside a translation."""

import numpy as np
import pytest

from baygrid.workloads.speech.chunks import MOST, Chunk, chunks
from baygrid.workloads.speech.pairing import Pair, pairs
from baygrid.workloads.speech.sound import RATE
from baygrid.workloads.speech.voice import FRAME
from baygrid.workloads.speech.whisper import Said

SECOND = RATE / FRAME  # frames


def probabilities(*spoken: tuple[float, float], seconds: float) -> np.ndarray:
    """Somebody speaks from .. to .. seconds."""
    found = np.zeros(round(seconds * SECOND), np.float32)
    for begin, end in spoken:
        found[round(begin * SECOND) : round(end * SECOND)] = 0.9
    return found


def test_pauses_are_left_out_and_chunks_are_full():
    found = chunks(probabilities((5, 15), (40, 50), (90, 98), (100, 110), seconds=120))
    assert [len(chunk.spans) for chunk in found] == [3, 1]
    assert all(sum(end - begin for begin, end in chunk.spans) <= MOST for chunk in found)


def test_speech_without_a_pause_is_cut_where_it_is_weakest():
    spoken = probabilities((0, 100), seconds=100)
    spoken[round(25 * SECOND) - 3 : round(25 * SECOND) + 3] = 0.6
    found = chunks(spoken)
    cuts = [chunk.spans[0][1] / SECOND for chunk in found]
    assert cuts[0] == pytest.approx(25, abs=0.2)
    assert sum(end - begin for chunk in found for begin, end in chunk.spans) == len(spoken)
    assert all(chunk.seconds <= 30 for chunk in found)


def test_silence_has_no_chunks():
    assert chunks(probabilities(seconds=60)) == []
    assert chunks(np.zeros(0, np.float32)) == []


def test_times_in_a_chunk_are_times_in_the_recording():
    chunk = Chunk(((round(10 * SECOND), round(20 * SECOND)), (round(50 * SECOND), round(60 * SECOND))))
    assert chunk.place(1, 4) == pytest.approx((11, 14), abs=0.1)
    assert chunk.place(12, 14) == pytest.approx((52, 54), abs=0.1)
    assert chunk.place(8, 12) == pytest.approx((18, 52), abs=0.1)
    assert chunk.place(0, 10) == pytest.approx((10, 20), abs=0.1)


def test_a_time_that_is_a_little_over_a_joint_is_at_the_joint():
    chunk = Chunk(((round(10 * SECOND), round(20 * SECOND)), (round(50 * SECOND), round(60 * SECOND))))
    assert chunk.place(9.7, 15) == pytest.approx((50, 55), abs=0.1)
    assert chunk.place(5, 10.3) == pytest.approx((15, 20), abs=0.1)
    assert chunk.place(19, 21) == pytest.approx((59, 60), abs=0.1)


def test_pieces_are_paired_by_their_times():
    said = [Said(0, 4, "一"), Said(4, 7, "二"), Said(7, 11, "三")]
    translated = [Said(0, 3.5, "one"), Said(3.5, 7.2, "two"), Said(7.2, 11, "three")]
    assert pairs(said, translated, "") == [
        Pair(0, 4, "一", "one"),
        Pair(4, 7, "二", "two"),
        Pair(7, 11, "三", "three"),
    ]


def test_a_piece_without_a_translation_of_its_own_joins_its_neighbour():
    said = [Said(0, 2, "一"), Said(2, 4, "二"), Said(4, 8, "三")]
    assert pairs(said, [Said(0, 8, "all")], "") == [Pair(0, 8, "一二三", "all")]
    both = [Said(1.9, 4, "two"), Said(4, 8, "three")]
    assert pairs(said, both, "") == [Pair(0, 4, "一二", "two"), Pair(4, 8, "三", "three")]
    assert pairs(said, None, "") == [Pair(0, 2, "一", None), Pair(2, 4, "二", None), Pair(4, 8, "三", None)]


def test_a_translation_that_is_empty_leaves_one_piece_without():
    assert pairs([Said(0, 2, "a"), Said(2, 4, "b")], [], " ") == [Pair(0, 4, "a b", "")]
    assert pairs([], [Said(0, 1, "x")], " ") == []
