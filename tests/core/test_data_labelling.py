"""Labels as people say them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.labelling import WORDS, contradiction, harmless, labels, parse, read, told
from baygrid.core.data.labels import Important, Labels, Origin
from baygrid.core.reading import Wrong

COLUMNS = ["id", "姓名", "a=b", "age"]


def said(text: str) -> dict[str, Labels]:
    return labels(parse(text), COLUMNS)


def test_words_state_facts():
    assert said("id=plain+ordinary,姓名=sensitive+domestic+subject") == {
        "id": Labels(False, False, Important.NO, False),
        "姓名": Labels(True, True, Important.UNKNOWN, None, Origin.DOMESTIC, subject=True),
    }
    assert said("a=b=personal")["a=b"] == Labels(True, False)
    assert said("id=notified")["id"] == Labels(important=Important.NOTIFIED, core=False)
    assert said("id=published")["id"] == Labels(important=Important.PUBLISHED, core=False)
    assert said("id=core")["id"] == Labels(core=True)
    assert said("id=overseas")["id"] == Labels(origin=Origin.OVERSEAS)


def test_what_holds_everywhere_gives_way_to_what_a_column_says():
    found = said("*=plain+ordinary+domestic, 姓名 = personal , id=published")
    assert found["age"] == Labels(False, False, Important.NO, False, Origin.DOMESTIC)
    assert found["姓名"] == Labels(True, False, Important.NO, False, Origin.DOMESTIC)
    assert found["id"] == Labels(False, False, Important.PUBLISHED, False, Origin.DOMESTIC)


def test_only_columns_that_are_named_are_labelled():
    assert set(said("id=plain")) == {"id"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be COLUMN=WORD"),
        ("id", "must be COLUMN=WORD"),
        ("=plain", "must be COLUMN=WORD"),
        ("id=", "says '' of 'id'"),
        ("id=secret", "the words are plain"),
        ("id=plain+personal", "both plain and personal"),
        ("id=domestic+overseas", "both domestic and overseas"),
        ("id=plain,id=personal", "has 'id' twice"),
        ("name=plain", "there is no column 'name': there are id, 姓名"),
    ],
)
def test_mistakes_say_the_cure(text: str, message: str):
    with pytest.raises(Wrong, match=None) as raised:
        said(text)
    assert message in str(raised.value)


MISTAKEN: list[object] = [[], {}, {"id": True}, {7: "plain"}]


def test_a_file_says_the_same():
    assert read({"id": "plain+ordinary", "x, y": "personal"}) == {
        "id": {"persons": "plain", "importance": "ordinary"},
        "x, y": {"persons": "personal"},
    }
    for document in MISTAKEN:
        with pytest.raises(Wrong):
            read(document)


CHOICES = st.tuples(*(st.sampled_from([None, *words]) for words in WORDS.values()))


@given(CHOICES)
def test_labels_are_told_by_the_words_that_made_them(choice: tuple[str | None, ...]):
    words = [word for word in choice if word is not None]
    if words:
        assert told(said(f"id={'+'.join(words)}")["id"]) == words
    assert told(Labels()) == []


def test_contradictions():
    assert contradiction(Labels(personal=False, sensitive=True))
    assert contradiction(Labels(personal=False, subject=True))
    assert contradiction(Labels(personal=None, sensitive=True, subject=True)) is None
    assert contradiction(Labels()) is None


@given(st.sampled_from([None, True, False]), st.sampled_from(Important), st.sampled_from([None, True, False]))
def test_only_what_somebody_said_to_be_harmless_is(
    personal: bool | None, important: Important, core: bool | None
):
    it = Labels(personal, None, important, core)
    assert harmless(it) == (personal is False and important is Important.NO and core is False)
    assert not harmless(None)
