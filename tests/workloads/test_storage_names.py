"""Names of files that others chose: below the output whatever they hold, and no two alike."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.workloads.storage import listing
from baygrid.workloads.storage.listing import Entry, entries
from baygrid.workloads.storage.names import below


def named(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[str]:
    def found(_: str) -> Iterator[Entry]:
        return (Entry(f"s3://bucket/{name}", name, 1) for name in names)

    monkeypatch.setattr(listing, "_in_bucket", found)
    return [entry.name for entry in entries("s3://bucket/")]


def test_a_key_of_a_bucket_leads_nowhere_else(monkeypatch):
    assert named(monkeypatch, "../../escaped.wav", "/etc/passwd", "a/./b//c.mp3", "..", "...") == [
        "escaped.wav", "etc/passwd", "a/b/c.mp3", "file", "...",
    ]  # fmt: skip


def test_files_of_one_name_are_told_apart(monkeypatch):
    assert named(monkeypatch, "talk.mp3", "../talk.mp3", "./talk.mp3", "talk (2).mp3", "none", "/none") == [
        "talk.mp3", "talk (2).mp3", "talk (3).mp3", "talk (2) (2).mp3", "none", "none (2)",
    ]  # fmt: skip


@given(st.text(max_size=40))
def test_no_name_climbs(name: str):
    parts = below(name).split("/")
    assert parts
    assert not {"", ".", ".."} & set(parts)
