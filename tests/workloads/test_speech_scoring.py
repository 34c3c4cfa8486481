import pytest

from baygrid.workloads.speech.clip import clips
from baygrid.workloads.speech.scoring import cer, chrf, distance


def test_the_distance_of_two_words_is_the_known_one():
    assert distance("kitten", "sitting") == 3
    assert distance("", "abc") == 3
    assert distance("abc", "") == 3
    assert distance("公園へ行く", "公園に行った") == 3


def test_an_error_rate_counts_characters_not_case_width_or_punctuation():
    assert cer(["And so my FELLOW Americans"], ["And so, my fellow Americans."]) == 0
    assert cer(["１２３"], ["123"]) == 0
    assert cer(["昼ご飯を食べた"], ["昼ごはんを食べた"]) == pytest.approx(2 / 8)
    assert cer(["abcd", ""], ["abc", "xyz"]) == pytest.approx(4 / 6)
    assert cer(["anything"], [""]) == 8


@pytest.mark.parametrize(
    ("texts", "references", "known"),
    [
        # By sacrebleu 2.6.0, corpus_chrf(texts, [references]).score.
        (["The weather is good today."], ["The weather is nice today."], 65.6301553050779),
        (
            ["There is a bridge in the west of the West.", "I ate lunch."],
            [
                "There is a meeting at nine tomorrow morning.",
                "After that, we had lunch at a restaurant near the station.",
            ],
            15.78291758647602,
        ),
        (["今日は天気がいい"], ["今日は天気が良いので"], 47.809800639303766),
        (["ab"], ["abcdefgh"], 23.404255319148938),
    ],
)
def test_chrf_is_that_of_sacrebleu(texts, references, known):
    assert chrf(texts, references) == pytest.approx(known, abs=1e-9)


def test_chrf_of_nothing_is_nothing():
    assert chrf([""], ["something"]) == 0
    assert chrf(["xyz"], ["abc"]) == 0
    assert chrf(["the same"], ["the same"]) == pytest.approx(100)


def test_each_clip_has_its_file_and_its_text():
    assert {clip.language for clip in clips()} == {"en", "ja"}
    for clip in clips():
        assert clip.file.stat().st_size < 200_000
        assert clip.text
        assert clip.english
