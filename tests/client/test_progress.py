"""What a job says of itself is heard, whatever else is in its log."""

import json

from hypothesis import given
from hypothesis import strategies as st

from baygrid.client.progress import LogReader, Progress

REPORT = 'BAYGRID_PROGRESS {"done": 5, "total": 10, "rate_per_hour": 3600.5}\n'


def test_reports_are_heard_and_not_shown():
    reader = LogReader()
    assert reader.feed(f"start\n{REPORT}end\n".encode()) == ["start", "end"]
    assert reader.progress == Progress(5, 10, 3600.5)
    assert reader.progress.share == 0.5
    assert reader.throughput == {"images_per_hour": 3600.5, "done": 5, "total": 10, "rate_per_hour": 3600.5}


def test_the_result_has_the_last_word():
    reader = LogReader()
    reader.feed(REPORT.encode())
    reader.feed(b'BAYGRID_RESULT {"images_per_hour": 4000, "provider": "CPU"}\n')
    assert reader.throughput == {
        "images_per_hour": 4000, "done": 5, "total": 10, "rate_per_hour": 3600.5, "provider": "CPU"
    }  # fmt: skip


def test_a_sentence_is_enough():
    reader = LogReader()
    assert reader.feed(b"12,345.6 images an hour (100 in 1 s)\n") == ["12,345.6 images an hour (100 in 1 s)"]
    assert reader.throughput is not None
    assert reader.throughput["images_per_hour"] == 12345.6


def test_a_job_that_says_nothing_has_no_throughput():
    reader = LogReader()
    reader.feed(b"hello\n")
    assert reader.throughput is None


def test_what_is_no_report_is_shown_as_it_is():
    lines = [
        "BAYGRID_PROGRESS", "BAYGRID_PROGRESS {", "BAYGRID_PROGRESS []", "BAYGRID_PROGRESS 1",
        "BAYGRID_RESULT nothing", " BAYGRID_PROGRESS {}", "BAYGRID_PROGRESS " + "[" * 5000,
    ]  # fmt: skip
    reader = LogReader()
    assert reader.feed("".join(f"{line}\n" for line in lines).encode()) == lines


def test_strange_numbers_are_not_believed():
    reader = LogReader()
    reader.feed(b'BAYGRID_PROGRESS {"done": NaN, "total": true, "rate_per_hour": "fast"}\n')
    assert reader.progress == Progress(None, None, None)
    reader.feed(b'BAYGRID_PROGRESS {"done": 20, "total": 10}\n')
    assert reader.progress.share == 1.0


def test_bars_bytes_and_endless_lines():
    reader = LogReader()
    assert reader.feed(b"10%\r20%\r30%\r\n\xff\n") == ["30%", "\ufffd"]
    assert [len(line) for line in reader.feed(b"x" * 200_000)] == [200_000]
    reader.feed(b"rest")
    assert reader.finish() == ["rest"]
    assert reader.finish() == []


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=5))
def test_how_a_log_is_cut_does_not_matter(noise, cuts):
    log = noise.replace(b"\r", b"") + b"\n" + REPORT.encode() + b"tail"
    whole = LogReader()
    expected = whole.feed(log) + whole.finish()
    parts, lines, start = LogReader(), [], 0
    for cut in [*sorted(cuts), len(log)]:
        lines += parts.feed(log[start:cut])
        start = max(start, cut)
    assert lines + parts.finish() == expected
    assert parts.progress == whole.progress
    json.dumps(parts.throughput)
