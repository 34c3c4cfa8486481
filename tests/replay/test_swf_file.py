"""The reader of the Standard Workload Format: what it reads, and what it says of files it cannot read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from baygrid.replay.outcome import BadTrace
from baygrid.replay.swf_file import Field, read

JOB = "{} {} -1 {} {} -1 -1 -1 {} -1 1 7 1 -1 -1 3 -1 -1"


def written(folder: Path, text: str, name: str = "t.swf") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["t.swf", "t.swf.gz"])
def test_it_reads_header_and_fields(tmp_path: Path, name: str) -> None:
    text = "; MaxProcs: 64\n; Note: a: b\n" + JOB.format(1, 10, 20, 4, 30) + " more {1,2}\n\n"
    log = read(written(tmp_path, text, name))
    assert log.header == {"MaxProcs": "64", "Note": "a: b"}
    assert log.processors() == 64
    assert log.table.shape == (1, 18)
    read_back = [log[f][0] for f in (Field.SUBMIT, Field.RUNTIME, Field.PROCESSORS, Field.REQUESTED_TIME)]
    assert read_back == [10, 20, 4, 30]
    assert (log[Field.USER][0], log[Field.PARTITION][0]) == (7, 3)


def test_large_and_fractional_numbers(tmp_path: Path) -> None:
    log = read(written(tmp_path, "1 0 -1 5.9 1 0.25 -1 -1 -1 529426432000 1 7 1 -1 -1 3 -1 -1"))
    assert log[Field.RUNTIME][0] == 5
    assert log[Field.REQUESTED_MEMORY][0] == 529426432000


def test_processors_of_the_machines_beside_it(tmp_path: Path) -> None:
    path = written(tmp_path, JOB.format(1, 0, 1, 1, 1), "w.swf.gz")
    (tmp_path / "w.swf.machines").write_text("0\ta\t20\t80\t1\t5\n1\tb\t48\t12\t1\t9\n")
    assert read(path).processors() == 20 * 80 + 48 * 12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("; MaxProcs: 4\n1 2 3\n", r"t\.swf:2: 3 fields, expected 18"),
        (
            "\n" + JOB.format(1, 0, "x", 1, 1),
            r"t\.swf:2: field 4 \(runtime\) is 'x', expected a number",
        ),
        (JOB.format(1, 0, 5, 1, "nan"), r"t\.swf:1: field 9 \(requested time\) is 'nan'"),
        ("; MaxProcs: 4\n", "no jobs in it"),
    ],
)
def test_a_bad_line_is_named_with_its_cure(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadTrace, match=said):
        read(written(tmp_path, text))


@pytest.mark.parametrize("header", ["", "; MaxProcs: many\n", "; MaxProcs: 0\n"])
def test_unknown_size_asks_for_processors(tmp_path: Path, header: str) -> None:
    log = read(written(tmp_path, header + JOB.format(1, 0, 1, 1, 1)))
    with pytest.raises(BadTrace, match="--processors N"):
        log.processors()


def test_files_that_are_not_there_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(BadTrace, match="No such file"):
        read(tmp_path / "none.swf")
    path = written(tmp_path, JOB.format(1, 0, 1, 1, 1), "t.swf.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(BadTrace, match="cut short or damaged"):
        read(path)
    path.write_bytes(b"not gzip")
    with pytest.raises(BadTrace, match=r"t\.swf\.gz: "):
        read(path)
