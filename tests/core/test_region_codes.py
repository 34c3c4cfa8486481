"""Codes of bodies: what a check digit catches is caught, and what has none is not claimed to have one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.reading import Wrong
from baygrid.core.region.codes import ALPHABET, Scheme, check_character, read_code

FIRST17 = st.builds(
    lambda head, district, rest: head + district + rest,
    st.text(ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(ALPHABET, min_size=9, max_size=9),
)


# As published: GB 32100-2015, annex; Tencent's and Huawei's own web pages.
@pytest.mark.parametrize("code", ["91350100M000100Y43", "9144030071526726XG", "914403001922038216"])
def test_published_codes_hold(code: str):
    assert read_code(Scheme.USCC, code) == code


@given(FIRST17)
def test_a_code_with_its_check_character_is_read(first17: str):
    code = first17 + check_character(first17)
    assert read_code(Scheme.USCC, code) == code
    assert read_code(Scheme.USCC, f" {code.lower()[:8]} {code[8:]} ") == code


@given(FIRST17, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_caught(first17: str, place: int, other: str):
    code = first17 + check_character(first17)
    wrong = code[:place] + other + code[place + 1 :]
    if wrong != code:
        with pytest.raises(Wrong):
            read_code(Scheme.USCC, wrong)


@given(FIRST17, st.integers(0, 16))
def test_any_two_swapped_neighbours_are_caught(first17: str, place: int):
    code = first17 + check_character(first17)
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if wrong != code:
        with pytest.raises(Wrong):
            read_code(Scheme.USCC, wrong)


@pytest.mark.parametrize(
    ("scheme", "text", "said"),
    [
        (Scheme.USCC, "91350100M000100Y44", "character 18, is '4' and the other 17 ask for '3'"),
        (Scheme.USCC, "91350100M0001O0Y43", "character 14 is 'O'.*is it '0'"),
        (Scheme.USCC, "913501A0M000100Y43", "character 7 is 'A'.*district"),
        (Scheme.USCC, "91350100M000100Y4", "has 17 characters"),
        (Scheme.USCC, "9.14403E+17", "spreadsheet.*last digits are lost"),
        (Scheme.HK_BR, "1234567", "8: a spreadsheet drops leading zeros; is it 01234567"),
        (Scheme.HK_BR, "123456789", "write 8 digits"),
        (Scheme.HK_CR, "12345678", "write up to 7 digits"),
    ],
)
def test_an_error_names_the_character_and_the_cure(scheme: Scheme, text: str, said: str):
    with pytest.raises(Wrong, match=said):
        read_code(scheme, text)


@pytest.mark.parametrize(
    ("scheme", "text", "kept"),
    [
        (Scheme.HK_BR, "１２３４５６７８", "12345678"),
        (Scheme.HK_BR, "12345678-000-01-24-1", "12345678"),
        (Scheme.HK_BR, "C0012345", "C0012345"),
        (Scheme.HK_CR, "12345", "0012345"),
        (Scheme.HK_CR, "F1234", "F0001234"),
    ],
)
def test_codes_are_kept_in_one_form(scheme: Scheme, text: str, kept: str):
    assert read_code(scheme, text) == kept


@given(st.text(max_size=40), st.sampled_from(Scheme))
def test_whatever_comes_is_read_or_refused(text: str, scheme: Scheme):
    try:
        code = read_code(scheme, text)
    except Wrong:
        return
    assert read_code(scheme, code) == code
