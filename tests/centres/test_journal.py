"""Whatever the tail of the journal looks like after a crash, every batch that was durable is there, whole."""

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.centres.journal import FileJournal, JournalDamaged, line, parse
from tests.centres.fakes import MemoryJournal

VALUES = st.dictionaries(
    st.text("ab\n\0é", max_size=3), st.integers(-9, 9) | st.text("x\n", max_size=5), max_size=3
)
BATCHES = st.lists(st.lists(VALUES, max_size=3), max_size=5)


@pytest.fixture(params=["file", "memory"])
def journal(request, tmp_path):
    return FileJournal(tmp_path / "journal") if request.param == "file" else MemoryJournal()


def flat(batches):
    return [entry for batch in batches for entry in batch]


def test_what_was_appended_is_read(journal):
    journal.append([{"t": "a"}, {"t": "b"}])
    journal.append([{"t": "c"}])
    assert journal.read() == [{"t": "a"}, {"t": "b"}, {"t": "c"}]
    assert journal.appended == 3


def test_a_rewrite_replaces_everything_and_goes_on(journal):
    journal.append([{"n": 1}] * 1_200)
    journal.rewrite([{"n": n} for n in range(1_100)])
    assert journal.appended == 0
    journal.append([{"n": "last"}])
    assert journal.read() == [*({"n": n} for n in range(1_100)), {"n": "last"}]
    assert journal.appended == 1


@given(BATCHES, st.lists(VALUES, min_size=1, max_size=4), st.data())
def test_a_torn_tail_is_dropped_and_nothing_else(batches, last, data):
    whole = b"".join(map(line, batches))
    torn = line(last)
    cut = data.draw(st.integers(0, len(torn) - 1))
    entries, good = parse(whole + torn[:cut])
    assert entries == flat(batches)
    assert good == len(whole)


@given(BATCHES, st.lists(VALUES, min_size=1, max_size=4), st.data())
def test_a_tail_of_the_right_length_and_the_wrong_bytes_is_dropped(batches, last, data):
    """Blocks reach the disk in any order: the end of a batch may be there and its middle not."""
    whole, torn = b"".join(map(line, batches)), bytearray(line(last))
    start = data.draw(st.integers(0, len(torn) - 2))
    end = data.draw(st.integers(start + 1, len(torn) - 1))
    before = bytes(torn)
    torn[start:end] = bytes(end - start)
    entries, _ = parse(whole + torn)
    assert entries == flat(batches) + (last if bytes(torn) == before else [])


@given(BATCHES.filter(lambda batches: len(batches) > 1), st.data())
def test_damage_in_the_middle_is_not_taken_for_a_torn_tail(batches, data):
    lines = list(map(line, batches))
    hurt = data.draw(st.integers(0, len(lines) - 2))
    position = data.draw(st.integers(0, len(lines[hurt]) - 2))
    lines[hurt] = lines[hurt][:position] + b"#" + lines[hurt][position + 1 :]
    with pytest.raises(JournalDamaged):
        parse(b"".join(lines))


def test_a_torn_tail_is_cut_off_so_that_nothing_is_written_behind_it(tmp_path):
    path = tmp_path / "journal"
    first = FileJournal(path)
    first.append([{"n": 1}])
    first.close()
    with path.open("ab") as file:
        file.write(line([{"n": 2}])[:-3])
    second = FileJournal(path)
    assert second.read() == [{"n": 1}]
    second.append([{"n": 3}])
    second.close()
    assert FileJournal(path).read() == [{"n": 1}, {"n": 3}]


def test_after_a_failed_write_nothing_more_is_promised(tmp_path, monkeypatch):
    journal = FileJournal(tmp_path / "journal")
    journal.append([{"n": 1}])

    def full(descriptor):
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", full)
        with pytest.raises(OSError, match="no space"):
            journal.append([{"n": 2}])
    with pytest.raises(OSError, match="an earlier write"):
        journal.append([{"n": 3}])
    journal.close()


def test_failpoints_stand_around_every_write(tmp_path):
    names: list[str] = []
    journal = FileJournal(tmp_path / "journal", failpoint=names.append)
    journal.append([{"n": 1}])
    journal.rewrite([{"n": 1}])
    assert names == ["journal.append.before", "journal.append.after", "journal.rewrite.before"]


def test_a_crash_during_a_rewrite_leaves_the_old_journal(tmp_path):
    class Crash(BaseException):
        pass

    def crash(name):
        if name == "journal.rewrite.before":
            raise Crash

    journal = FileJournal(tmp_path / "journal", failpoint=crash)
    journal.append([{"n": 1}])
    with pytest.raises(Crash):
        journal.rewrite([{"n": 2}])
    assert FileJournal(tmp_path / "journal").read() == [{"n": 1}]
