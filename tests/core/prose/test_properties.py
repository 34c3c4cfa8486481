"""What holds of every text: numbers are read back as they were written, and nothing makes the reader fail or
take its time."""

import re
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.prose.found import LANGUAGES, decimal
from baygrid.core.prose.gazetteer import names
from baygrid.core.prose.language import guess
from baygrid.core.prose.numbers import PLAIN
from baygrid.core.prose.reader import read
from baygrid.core.units import Money
from baygrid.papers.capitals import in_capitals

PLAIN_FIGURES = str.maketrans("壹贰叁肆伍陆柒捌玖貳參陸拾佰仟", "一二三四五六七八九二三六十百千")
WHOLE = st.integers(1, 10**12 - 1)
ENGLISH = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
PIECES = st.sampled_from([
    *"019,.-+一十百千万亿億兆京垓点零成割%元円社家回次第年月余多数@〔▲２，％ \n\u3000\u0300\ud800𝟙",
    "3〜5", "点五", "分之", "分の", "人民币", "RMB", "每秒", "1秒間に", "10^", "×10", "2024年",
    "1/", "www.", "前海市", "Qianhai City", "City of ", "one ", "hundred ", "and ", "million ", "half",
    " to ",
])  # fmt: skip


def only(text: str, language: str) -> str:
    """The one figure of a text, which is the whole of it."""
    (found,) = read(text, language)
    assert found.text == text
    return f"{found.value} {found.unit}"


def words(number: int) -> str:
    """Of English."""
    for power, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= power:
            many, rest = divmod(number, power)
            joint = " and " if rest < 100 else " "
            return f"{words(many)} {name}" + (f"{joint}{words(rest)}" if rest else "")
    if number < 20:
        return ENGLISH.split()[number - 1]
    tens, ones = divmod(number, 10)
    return TENS.split()[tens - 2] + (f"-{words(ones)}" if ones else "")


def scaled(number: int, scales: str) -> str:
    """As newspapers do: 1億2,345万6,789."""
    parts = [(number // 10**8, scales[0]), (number // 10**4 % 10**4, scales[1]), (number % 10**4, "")]
    return "".join(f"{many:,}{scale}" for many, scale in parts if many)


@given(number=WHOLE, traditional=st.booleans())
def test_amounts_of_papers_are_read_back(number: int, traditional: bool):
    language = "zh-Hant" if traditional else "zh-Hans"
    written = in_capitals(Money(number * 100, "CNY"), traditional=traditional).removesuffix("整")
    assert only(written, language) == f"{number} CNY"
    assert only(written.translate(PLAIN_FIGURES), language) == f"{number} CNY"


@given(number=WHOLE)
def test_numbers_in_words_of_japanese_are_read_back(number: int):
    written = in_capitals(Money(number * 100, "CNY"), traditional=True).translate(PLAIN_FIGURES)
    written = written.removeprefix("人民幣").removesuffix("圓整").replace("零", "")
    assert only(f"{written}円", "ja") == f"{number} JPY"


@given(number=WHOLE)
def test_numbers_in_words_of_english_are_read_back(number: int):
    assert only(f"{words(number + 1)} yuan", "en") == f"{number + 1} CNY"


@given(number=WHOLE, language=st.sampled_from(["ja", "zh-Hans", "zh-Hant"]))
def test_numbers_with_scale_words_are_read_back(number: int, language: str):
    written = scaled(number, "亿万" if language == "zh-Hans" else "億萬" if language == "zh-Hant" else "億万")
    assert only(f"{written}人民元", language) == f"{number} CNY"


@given(value=st.decimals(0, 10**6, places=3), language=st.sampled_from(LANGUAGES), wide=st.booleans())
def test_decimals_are_read_back_exactly(value, language: str, wide: bool):
    written = f"{value:,}%"
    if wide:
        written = "".join(chr(ord(character) + 0xFEE0) for character in written)
    (found,) = read(written, language)
    assert (found.text, found.value, found.unit) == (written, Fraction(value), "%")
    assert Fraction(decimal(found.value)) == Fraction(value)


@given(st.fractions())
def test_a_value_is_always_a_decimal_string(value: Fraction):
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(E[+-][0-9]+)?", decimal(value))
    assert abs(Fraction(decimal(value)) - value) <= abs(value) / 10**27


@given(
    text=st.lists(PIECES | st.text(max_size=20), max_size=500).map("".join),
    language=st.sampled_from(LANGUAGES),
)
def test_no_text_makes_it_fail(text: str, language: str):
    text = text[:10_000]
    guess(text)
    place = 0
    for found in read(text, language):
        assert found.text == text[found.start : found.end] != ""
        assert found.readings[0].value == found.value
        assert (found.flag is None) == (found.why is None)
        assert found.start >= place or found.part == "to"
        place = found.start
    for name in names(text):
        assert name.text == text[name.start : name.end]
        assert (name.flag is None) == (name.right is None)


HOSTILE = [
    *"万一9〇亿a ", "1,", "1.", "1 万", "一点", "1亿", "one ", "one and ", "million ", "a@", "http://",
    "每秒", "1〜", "百分之", "５，０００", "前海", "City of ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hundred_thousand_of_anything_are_read(piece: str):
    """What took time by the square of the length would not end before the timeout."""
    for language in ("ja", "en"):
        read(piece * (100_000 if len(piece) == 1 else 10_000), language)
    names(piece * 10_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["前海のAI企業は289社で、収入は2,213億人民元(+51.5 %)だった。", "1-", "3〜5億〜"]
)
def test_time_grows_with_the_length(piece: str):
    """Of the processor, since the machine may be busy."""
    took = []
    for count in (2_000, 16_000):
        began = time.process_time()
        read(piece * count, "ja")
        took.append(time.process_time() - began)
    assert took[1] < 8 * 3 * took[0]


def test_another_language_is_refused():
    with pytest.raises(ValueError, match="use one of ja, zh-Hans, zh-Hant, en"):
        read("289", "fr")


def test_a_number_without_a_scale_word_that_differs_has_one_reading():
    (found,) = read("2,213億元", "ja")
    assert [it.rule for it in found.readings] == [PLAIN]
