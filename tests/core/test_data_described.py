"""What a table's description may be."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.described import duplicates, folded, line, matches, source, wish
from baygrid.core.reading import Wrong

BLOB = "blob:" + "0" * 64


@pytest.mark.parametrize(
    ("format", "uri", "table"),
    [
        ("parquet", "s3://bay/rides/2026/", ""),
        ("delta", "s3://bay/rides", ""),
        ("csv", "file:///data/rides.csv", ""),
        ("parquet", "file:///data/病人/a.parquet", ""),
        ("parquet", BLOB, ""),
        ("postgresql", "postgresql://db.example.org:5432/clinic", "public.patients"),
        ("postgresql", "postgresql://127.0.0.1/clinic", "public.Patients 2"),
        ("postgresql", "postgresql://[::1]:5432/clinic", "a.b"),
    ],
)
def test_sources(format: str, uri: str, table: str):
    assert source(format, uri, table) == uri


@pytest.mark.parametrize(
    ("format", "uri", "table", "message"),
    [
        ("orc", "s3://bay/x", "", "must be one of parquet"),
        ("parquet", "", "", "printable"),
        ("parquet", "s3://bay/\n", "", "printable"),
        ("parquet", "s3://bay/" + "x" * 1000, "", "at most 1000"),
        ("parquet", "s3://key:secret@bay/x", "", "secret of the project"),
        ("parquet", "s3://bay/x?versionId=1", "", "secret of the project"),
        ("parquet", "s3://bay", "", "must be s3://BUCKET/PREFIX"),
        ("parquet", "s3://B/x", "", "must be s3://BUCKET/PREFIX"),
        ("parquet", "file://host/x", "", "must be s3://BUCKET/PREFIX"),
        ("parquet", "file:///data/../etc/passwd", "", ". or .. in its path"),
        ("parquet", "s3://bay/./x", "", ". or .. in its path"),
        ("parquet", "https://example.org/x", "", "must be s3://BUCKET/PREFIX"),
        ("parquet", "/data/x", "", "must be s3://BUCKET/PREFIX"),
        ("parquet", "blob:12", "", "must be s3://BUCKET/PREFIX"),
        ("csv", "s3://bay/x.csv", "public.x", "only of postgresql"),
        ("postgresql", "postgresql://user:pw@db/clinic", "a.b", "secret of the project"),
        ("postgresql", "postgresql://db/clinic?sslmode=disable", "a.b", "secret of the project"),
        ("postgresql", "postgresql:///clinic", "a.b", "must look like postgresql://"),
        ("postgresql", "postgresql://db:0/clinic", "a.b", "must look like postgresql://"),
        ("postgresql", "postgresql://db", "a.b", "must look like postgresql://"),
        ("postgresql", "postgresql://db/a/b", "a.b", "must look like postgresql://"),
        ("postgresql", "s3://bay/x", "a.b", "must look like postgresql://"),
        ("postgresql", "postgresql://db/clinic", "patients", "SCHEMA.NAME"),
        ("postgresql", "postgresql://db/clinic", "a.b.c", "SCHEMA.NAME"),
    ],
)
def test_what_can_be_no_source_says_why(format: str, uri: str, table: str, message: str):
    with pytest.raises(Wrong) as raised:
        source(format, uri, table)
    assert message in str(raised.value)
    assert "pw" not in str(raised.value)


@given(st.sampled_from(["parquet", "postgresql"]), st.text(max_size=60), st.text(max_size=9))
def test_any_text_is_a_source_or_a_mistake(format: str, uri: str, table: str):
    with suppress(Wrong):
        assert source(format, uri, table)


def test_titles_are_one_line():
    assert line("  Patients　病人 ") == "Patients　病人"
    for bad in ("", "  ", "a\nb", "x" * 201, "\u202egnp.exe", "a\u2028b", 7, None):
        with pytest.raises(Wrong):
            line(bad)


def test_wishes_that_mean_the_same_are_one():
    assert wish(" Taxi  Rides ") == ("taxi rides", "Taxi  Rides")
    assert wish("ＴＡＸＩ　rides")[0] == "taxi rides"
    assert wish("clinic/patients")[0] == "clinic/patients"
    with pytest.raises(Wrong):
        wish(" ")


@given(st.text(max_size=30))
def test_what_is_folded_stays_folded(text: str):
    assert folded(folded(text)) == folded(text) or not text.isprintable()


def test_each_word_of_a_search_is_found_somewhere():
    texts = ["clinic/patients", "深圳病人登记", "CN-QH", "birth_date", "personal"]
    for words in ("patients", "病人", "病人 登记", "Birth Date", "cn-qh PERSONAL", "ＰＡＴＩＥＮＴＳ"):
        assert matches(words, texts), words
    for words in ("patients rides", "香港", "birth-date"):
        assert not matches(words, texts), words


def test_columns_that_differ_by_case_only():
    assert duplicates(["a", "b"]) == []
    assert duplicates(["a", "A", "b"]) == ["A"]
    assert duplicates(["a", "a"]) == ["a", "a"]
