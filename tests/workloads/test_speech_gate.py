"""What such models write when they fail is caught; what people say is not."""

import pytest

from baygrid.workloads.speech import gate

GOOD = [
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of",
    "No, no, no, no! I said no.",
    "Ha ha ha ha.",
    "今日は天気がいいので、友達と公園へ行きました。",
    "はい、はい、はい、わかりました。",
    "one two three four five six seven eight nine ten",
    "1, 2, 3, 4, 5, 6, 7, 8",
    "",
]
LOOPS = [
    "the car of the car of the car of the car of the car of the car of the car",
    "I'm sorry. I'm sorry. I'm sorry. I'm sorry. I'm sorry. I'm sorry.",
    "ご視聴ありがとうございましたご視聴ありがとうございましたご視聴ありがとうございましたご視聴ありがとうございましたご視聴ありがとうございました",
    "啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊",
    "So we went to the the the the the the the the the house",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_people_say_is_no_loop(text: str):
    assert gate.heard(text, -0.3) is None


@pytest.mark.parametrize("text", LOOPS)
def test_loops_are_caught(text: str):
    assert gate.heard(text, -0.3) == gate.REPEATS


def test_a_text_of_little_chance_is_unsure():
    assert gate.heard("Please come in.", -1.2) == gate.UNSURE


@pytest.mark.parametrize(
    ("text", "source", "translation", "target", "caught"),
    [
        ("今日は天気がいい", "ja", "The weather is good today.", "en", False),
        ("今日は天気がいい", "ja", "今日は天気がいい", "en", True),
        ("今日は天気がいい", "ja", "Today 天気がいい です", "en", True),
        ("他叫王小明", "zh", "His name is Wang Xiaoming (王小明), as his father's was.", "en", False),
        ("Et c'est la dictée numéro un.", "fr", "Et c'est la dictée numéro un.", "en", True),
        ("Et c'est la dictée numéro un.", "fr", "And that is dictation number one.", "en", False),
        ("Nokia, Helsinki", "fi", "Nokia, Helsinki", "en", False),
        ("The weather is good.", "en", "今天天气很好。", "zh", False),
        ("The weather is good.", "en", "The weather is good.", "zh", True),
        ("今日は天気がいいので公園へ行きました", "ja", "今日は天気がいいので公園へ行きました", "zh", True),
        ("今日は天気がいいので公園へ行きました", "ja", "今天天气好所以去了公园", "zh", False),
    ],
)
def test_a_translation_that_is_none_is_caught(
    text: str, source: str, translation: str, target: str, caught: bool
):
    assert gate.untranslated(text, source, translation, target) is caught


def test_a_segment_in_which_nobody_speaks_is_flagged():
    assert gate.segment("Hello there.", "en", 2.0, 0.9, 0.1) == []
    assert gate.segment("Hello there.", "en", 2.0, 0.02, 0.1) == [gate.NO_VOICE]


def test_a_sentence_out_of_subtitles_counts_where_there_is_little_voice():
    thanks = "ご視聴ありがとうございました"
    assert gate.segment(thanks, "ja", 3.0, 0.9, 0.05) == []
    assert gate.INVENTED in gate.segment(thanks, "ja", 3.0, 0.3, 0.05)
    assert gate.INVENTED in gate.segment("Thank you for watching!", "en", 3.0, 0.9, 0.5)


def test_more_words_than_can_be_spoken_are_flagged():
    assert gate.segment("a" * 200, "en", 1.0, 0.9, 0.1) != []
    text = "The quick brown fox jumps over the lazy dog. " * 3
    assert gate.RUSHED in gate.segment(text, "en", 1.0, 0.9, 0.1)
    assert gate.RUSHED not in gate.segment(text, "en", 9.0, 0.9, 0.1)


def test_every_reason_has_words():
    assert all(gate.REASONS.values())
