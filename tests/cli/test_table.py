"""Tables fit the terminal, and lose nothing in a pipe."""

from hypothesis import given
from hypothesis import strategies as st

from baygrid.cli.table import cells, clean, cut, table, wrap

TEXT = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Mn", "Me", "Cf")), max_size=60
)


def test_a_table():
    lines = table(("id", "cost"), [["a", "1.00"], ["long", "20.00"]], right=("cost",))
    assert lines == ["id     cost", "a      1.00", "long  20.00"]


def test_a_chinese_character_takes_two_places():
    assert cells("前海 centre") == 11
    lines = table(("centre", "state"), [["前海", "open"], ["hk", "open"]])
    assert lines[1:] == ["前海    open", "hk      open"]


def test_the_last_column_wraps_and_the_others_stay_put():
    lines = table(("id", "reason"), [["a", "one two three four five six"]], width=20)
    assert lines == ["id  reason", "a   one two three", "    four five six"]


def test_control_characters_cannot_move_the_cursor():
    assert clean("a\x1b[2Jb\nc") == "a [2Jb c"
    assert clean(None) == clean("") == "-"


def test_bold_only_the_heading():
    lines = table(("a",), [["x"]], bold=True)
    assert lines[0].startswith("\x1b[1m")
    assert "\x1b" not in lines[1]


@given(TEXT, st.integers(2, 40))
def test_a_cut_fits(text, width):
    assert cells(cut(text, width)) <= width


@given(TEXT, st.integers(2, 40))
def test_wrapping_fits_and_loses_only_spaces(text, width):
    lines = wrap(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5), st.integers(40, 120))
def test_a_table_fits_a_terminal(rows, width):
    assert all(cells(line) <= width for line in table(("one", "two", "three"), rows, width=width))
