"""What the protocol of Delta Sharing says, read and written: sentence by sentence, without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.api.delta import asked, lines, pages
from baygrid.api.delta.asked import Capabilities, Query, ResponseFormat
from baygrid.app.problems import Invalid, Malformed

PARQUET, DELTA = ResponseFormat.PARQUET, ResponseFormat.DELTA


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, Capabilities()),
        ("", Capabilities()),
        ("responseformat=delta", Capabilities(DELTA)),
        ("responseFormat=Delta;readerFeatures=deletionVectors", Capabilities(DELTA)),
        ("responseformat=delta,parquet", Capabilities()),
        ("responseformat=parquet , delta; includeEndStreamAction=true", Capabilities(end=True)),
        ("includeendstreamaction=false;asyncquery=true", Capabilities()),
        ("responseformat=delta,arrow", Capabilities(DELTA)),
    ],
)
def test_capabilities_are_read_in_any_case(header: str | None, found: Capabilities) -> None:
    assert asked.capabilities(header) == found


def test_a_format_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid, match="parquet or delta"):
        asked.capabilities("responseformat=arrow")


def test_a_file_id_scheme_is_echoed_in_lower_case_or_refused() -> None:
    assert asked.file_id_hash(None) == {}
    assert asked.file_id_hash("Parquet") == {"fileidhash": "parquet"}
    assert asked.file_id_hash("DELTA") == {"fileidhash": "delta"}
    with pytest.raises(Invalid):
        asked.file_id_hash("sha1")


def test_an_empty_question_asks_for_everything() -> None:
    assert asked.query_of({}) == Query()
    assert asked.query_of(dict.fromkeys(["predicateHints", "limitHint", "version", "pageToken"])) == Query()


def test_what_the_protocol_does_not_know_is_passed_over() -> None:
    said = {"limitHint": 3, "includeHistoricalProtocol": True, "idempotencyKey": "k", "tomorrow": [1]}
    assert asked.query_of(said) == Query(limit=3)


def test_all_that_a_question_may_say_is_read() -> None:
    said: dict[str, Any] = {
        "predicateHints": ["a = 1", "b = 2"],
        "jsonPredicateHints": "{}",
        "limitHint": 0,
        "startingVersion": 2,
        "endingVersion": 5,
        "maxFiles": 10,
        "pageToken": "t",
    }
    assert asked.query_of(said) == Query(("a = 1", "b = 2"), "{}", 0, None, None, 2, 5, 10, "t")
    assert asked.query_of({"version": 2**63 - 1}).version == 2**63 - 1
    assert asked.query_of({"timestamp": "1970-01-01T00:00:01.5Z"}).at == 1500
    assert asked.query_of({"timestamp": "1970-01-01T00:00:01+00:00"}).at == 1000


@pytest.mark.parametrize(
    "said",
    [
        {"limitHint": -1},
        {"limitHint": 2**31},
        {"limitHint": "5"},
        {"limitHint": True},
        {"limitHint": 1.5},
        {"version": -1},
        {"version": 2**63},
        {"maxFiles": 0},
        {"predicateHints": "a = 1"},
        {"predicateHints": [1]},
        {"jsonPredicateHints": {"op": "and"}},
        {"timestamp": 5},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-01-01T00:00:00"},
        {"timestamp": "2026-01-01T00:00:00+08:00"},
        {"version": 1, "timestamp": "2026-01-01T00:00:00Z"},
        {"version": 1, "startingVersion": 1},
    ],
)
def test_a_field_that_is_not_as_the_protocol_says_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        asked.query_of(said)


@pytest.mark.parametrize("said", [[], "x", 5, None])
def test_a_body_that_is_no_object_is_malformed(said: Any) -> None:
    with pytest.raises(Malformed):
        asked.query_of(said)


def test_changes_begin_somewhere_and_end_once() -> None:
    found = asked.changes_of(
        {"startingVersion": "0", "endingTimestamp": "1970-01-01T00:00:00Z", "maxFiles": "2"}
    )
    assert (found.first, found.since, found.last, found.until, found.most) == (0, None, None, 0, 2)
    for said in (
        {},
        {"endingVersion": "1"},
        {"startingVersion": "0", "startingTimestamp": "1970-01-01T00:00:00Z"},
        {"startingVersion": "0", "endingVersion": "1", "endingTimestamp": "1970-01-01T00:00:00Z"},
        {"startingVersion": "x"},
        {"startingVersion": "-1"},
        {"startingVersion": "9" * 30},
        {"startingVersion": "²"},
        {"startingTimestamp": "soon"},
    ):
        with pytest.raises(Invalid):
            asked.changes_of(said)


def test_metadata_is_of_a_version_or_of_a_time() -> None:
    assert asked.version_of({}) == (None, None)
    assert asked.version_of({"version": "3"}) == (3, None)
    with pytest.raises(Invalid, match="together"):
        asked.version_of({"version": "3", "timestamp": "1970-01-01T00:00:00Z"})


@given(st.lists(st.text(max_size=3), unique=True).map(sorted), st.integers(1, 4))
def test_pages_of_a_list_are_the_list(names: list[str], most: int) -> None:
    found, token = [], None
    while True:
        page, token = pages.listed(names, lambda name: f"k{name}", pages.Asked(most, token))
        assert len(page) <= most
        found += page
        if token is None:
            break
        assert page
    assert found == names


def test_a_page_of_nothing_says_whether_there_is_something() -> None:
    page, token = pages.listed(["a", "b"], str, pages.Asked(0))
    assert page == []
    assert token is not None
    assert pages.listed(["a", "b"], str, pages.Asked(None, token)) == (["a", "b"], None)
    assert pages.listed([], str, pages.Asked(0)) == ([], None)
    assert pages.listed(["a"], str, pages.Asked(None, "")) == (["a"], None)


def test_a_list_may_change_between_its_pages() -> None:
    _, token = pages.listed(["a", "b", "c"], str, pages.Asked(2))
    assert token is not None
    assert pages.listed(["a", "c", "d"], str, pages.Asked(None, token)) == (["c", "d"], None)


@pytest.mark.parametrize(
    "token", ["x", "?", "W10", "WzFd", "e30", "bnVsbA", "W1tdLC0xLCJhc2tlZCJd", "\u4e2d"]
)
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(Invalid, match="begin again"):
        pages.place_of(token, "asked")
    with pytest.raises(Invalid, match="begin again"):
        pages.listed(["a"], str, pages.Asked(None, token))


@pytest.mark.parametrize("most", ["-1", "x", str(2**31), "1.5", ""])
def test_a_size_of_pages_that_is_none_is_refused(most: str) -> None:
    with pytest.raises(Invalid):
        pages.asked_page(most)


def test_the_token_of_a_place_fits_its_question_only() -> None:
    place = pages.Place(("snp-1", "snp-2"), 7, pages.digest(Query(limit=5)))
    token = pages.token_of(place)
    assert pages.place_of(token, pages.digest(Query(limit=5))) == place
    with pytest.raises(Invalid, match="another question"):
        pages.place_of(token, pages.digest(Query(limit=6)))


META = lines.Metadata("grn-1", "patients", '{"type":"struct","fields":[]}', True, 3, 100, 2)
LINE = lines.FileLine("file", "http://h/v1/files/f", "fil-1", 573, {"numRecords": 1}, 99, 3, 7)


def test_a_table_is_described_in_either_format() -> None:
    assert lines.protocol(PARQUET) == {"protocol": {"minReaderVersion": 1}}
    assert lines.metadata(META, PARQUET) == {
        "metaData": {
            "id": "grn-1",
            "name": "patients",
            "format": {"provider": "parquet"},
            "schemaString": META.schema_string,
            "partitionColumns": [],
            "configuration": {"enableChangeDataFeed": "true"},
            "accessModes": ["url"],
            "version": 3,
            "size": 100,
            "numFiles": 2,
        }
    }
    inner = lines.metadata(META, DELTA)["metaData"]
    assert inner["deltaMetadata"]["schemaString"] == META.schema_string
    assert (inner["version"], inner["size"], inner["numFiles"]) == (3, 100, 2)


def test_a_file_is_told_in_either_format() -> None:
    told = lines.file(LINE, PARQUET)["file"]
    assert json.loads(told.pop("stats")) == {"numRecords": 1}
    assert told == {
        "url": LINE.url,
        "id": "fil-1",
        "partitionValues": {},
        "size": 573,
        "version": 3,
        "timestamp": 7,
        "expirationTimestamp": 99,
    }
    wrapped = lines.file(LINE, DELTA)["file"]
    assert wrapped["deltaSingleAction"]["add"]["path"] == LINE.url
    assert (wrapped["id"], wrapped["version"], wrapped["expirationTimestamp"]) == ("fil-1", 3, 99)


def test_each_line_has_one_thing_and_ends() -> None:
    answer = lines.ndjson(
        [
            lines.protocol(PARQUET),
            lines.metadata(META, PARQUET),
            lines.file(LINE, PARQUET),
            lines.end("t", 99),
        ],
        12,
        {"fileidhash": "parquet"},
    )
    assert answer.headers["delta-table-version"] == "12"
    assert answer.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    body = bytes(answer.body)
    assert body.endswith(b"\n")
    found = [json.loads(line) for line in body.splitlines()]
    assert [list(line) for line in found] == [["protocol"], ["metaData"], ["file"], ["endStreamAction"]]
    assert found[3] == {"endStreamAction": {"nextPageToken": "t", "minUrlExpirationTimestamp": 99}}
