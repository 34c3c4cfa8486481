"""Subtitles, the table and the page: whole, in order, and without what is not to be relied on."""

import html.parser
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from baygrid.workloads.application import Done, Failed, Shard, Totals
from baygrid.workloads.speech import outputs
from baygrid.workloads.speech.rows import SCHEMA, Row, table
from baygrid.workloads.speech.subtitles import clock, lines

GOOD = Row("a/talk.mp3", 0, 1.0, 3.5, "ja", "今日は", "Today <b>", -0.3, 0.01, 1.1, None)


class Parts:
    """Finished shards, as `finish` gets them."""

    def __init__(self, done: list[Done], failed: tuple[Failed, ...] = ()) -> None:
        self._done = done
        self.totals = Totals(1.0, 1.0, 10.0, {}, failed, len(done), 0, 1, "local")

    def __iter__(self) -> Iterator[tuple[Shard, Done]]:
        for number, done in enumerate(self._done):
            yield Shard(f"{number}", "", 1.0), done


def done(rows: list[Row], *files: str, begin: float = 0.0, end: float = 10.0) -> Done:
    pieces = [
        {"file": file, "begin": begin, "end": end, "speech": 2.0, "envelope": [0.1, 0.9]} for file in files
    ]
    return Done(table(rows), 0.1, (), {}, {"pieces": pieces, "again": 1})


def test_segments_of_a_file_are_counted_through_all_its_shards(tmp_path: Path):
    first = done([GOOD, replace(GOOD, segment=1, start=4, end=5)], "a/talk.mp3")
    second = done([replace(GOOD, start=12, end=13)], "a/talk.mp3", begin=10, end=20)
    third = done([replace(GOOD, file="b.wav")], "b.wav")
    outcome = outputs.finish(Parts([first, second, third]), tmp_path, "en")
    rows = pq.read_table(outcome.outputs["segments"])
    assert rows.schema.equals(SCHEMA)
    assert rows["segment"].to_pylist() == [0, 1, 2, 0]
    assert rows["file"].to_pylist() == ["a/talk.mp3"] * 3 + ["b.wav"]
    assert outcome.quality["segments"] == 4
    assert outcome.quality["decoded_again"] == 3
    assert outcome.quality["speech_hours"] == pytest.approx(6 / 3600, abs=1e-4)


def test_a_shard_that_was_given_up_leaves_the_rest(tmp_path: Path):
    """The frame keeps no facts of it."""
    lost = Done(SCHEMA.empty_table(), 0.0, (Failed("x", "a worker died of it, twice"),))
    outcome = outputs.finish(Parts([lost, done([GOOD], "a/talk.mp3")]), tmp_path, "en")
    assert outcome.quality["segments"] == 1


def test_subtitles_in_both_languages_and_formats(tmp_path: Path):
    english = replace(GOOD, start=5, end=6, language="en", text="Hello & goodbye", translation=None)
    outputs.finish(Parts([done([GOOD, english], "a/talk.mp3")]), tmp_path, "en")
    folder = tmp_path / "subtitles" / "a"
    assert (folder / "talk.mp3.srt").read_text() == (
        "1\n00:00:01,000 --> 00:00:03,500\n今日は\n\n2\n00:00:05,000 --> 00:00:06,000\nHello & goodbye\n\n"
    )
    assert (folder / "talk.mp3.en.vtt").read_text() == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:03.500\nToday &lt;b&gt;\n"
        "\n00:00:05.000 --> 00:00:06.000\nHello &amp; goodbye\n"
    )
    assert {file.name for file in folder.iterdir()} == {
        "talk.mp3.srt", "talk.mp3.vtt", "talk.mp3.en.srt", "talk.mp3.en.vtt",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["x" * 250 + ".wav", "語" * 80 + ".wav", "d" * 255 + "/a.wav", "/".join(["deep" * 50] * 18)]
)
def test_a_recording_of_any_name_has_its_subtitles(tmp_path: Path, name: str):
    other = name[:-1] + "!"
    parts = [done([replace(GOOD, file=each)], each) for each in (name, other)]
    outcome = outputs.finish(Parts(parts), tmp_path, "en")
    files = [path for path in outcome.outputs["subtitles"].rglob("*") if path.is_file()]
    assert len(files) == 8
    assert all(path.stat().st_size > 30 for path in files)
    assert outputs.short(name) == outputs.short(name) != outputs.short(other)
    assert outputs.short("a/talk.mp3") == "a/talk.mp3"


def test_what_is_flagged_is_in_the_table_and_on_the_page_but_in_no_subtitle(tmp_path: Path):
    loop = replace(GOOD, text="はい" * 30, flags="repeats", start=4, end=5)
    half = replace(GOOD, text="公園", translation="公園", flags="untranslated", start=6, end=7)
    outcome = outputs.finish(Parts([done([GOOD, loop, half], "a/talk.mp3")]), tmp_path, "en")
    spoken = (tmp_path / "subtitles/a/talk.mp3.srt").read_text()
    assert "公園" in spoken
    assert "はいはい" not in spoken
    assert "公園" not in (tmp_path / "subtitles/a/talk.mp3.en.srt").read_text()
    assert outcome.quality["gated"] == 2
    assert outcome.quality["gated_share"] == pytest.approx(2 / 3, abs=1e-4)
    assert outcome.quality["reasons"] == {"repeats": 1, "untranslated": 1}
    page = outcome.outputs["page"].read_text()
    assert page.count("<tr class=bad>") == 2
    assert "a phrase comes again and again" in page


def test_the_page_stands_alone_and_holds_what_was_said_as_text(tmp_path: Path):
    evil = replace(GOOD, text="<script>alert(1)</script>", file='x"><img src=x>.wav')
    failed = (Failed("bad.wav", "no sound of a known format"),)
    outcome = outputs.finish(Parts([done([evil], evil.file)], failed), tmp_path, "en")
    page = outcome.outputs["page"].read_text()
    tags: list[tuple[str, dict[str, Any]]] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, dict(attrs)))

    Reader().feed(page)
    assert {"script", "img", "link", "iframe"}.isdisjoint(tag for tag, _ in tags)
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:|//|data:)", page.replace("src=x", ""))
    assert [tag for tag, _ in tags].count("rect") == 1
    assert "bad.wav" in page
    assert "no sound of a known format" in page


def test_a_page_of_many_files_stays_small(tmp_path: Path):
    many = [done([replace(GOOD, file=f"{number:04}.wav")] * 30, f"{number:04}.wav") for number in range(200)]
    outcome = outputs.finish(Parts(many), tmp_path, "en")
    assert outcome.outputs["page"].stat().st_size < 2_000_000
    assert "150 more files are in segments.parquet" in outcome.outputs["page"].read_text()
    assert len(list((tmp_path / "subtitles").iterdir())) == 800


def test_nothing_heard_is_a_result_too(tmp_path: Path):
    outcome = outputs.finish(Parts([done([], "silence.wav")]), tmp_path, None)
    assert pq.read_table(outcome.outputs["segments"]).num_rows == 0
    assert outcome.quality["gated_share"] is None
    assert "Nobody speaks in it." in outcome.outputs["page"].read_text()
    assert {file.name for file in (tmp_path / "subtitles").iterdir()} == {
        "silence.wav.srt",
        "silence.wav.vtt",
    }


def test_times_and_lines_are_as_the_formats_want_them():
    assert clock(3723.4567, ",") == "01:02:03,457"
    assert clock(0.9996, ".") == "00:00:01.000"
    assert lines("short") == ["short"]
    assert max(len(line) for line in lines("ask not what your country can do for you " * 4)) <= 42
    assert all(len(line) <= 20 for line in lines("今日は天気がいいので、友達と公園へ行きました。" * 2))
    assert (
        "".join(lines("今日は天気がいいので、友達と公園へ行きました。"))
        == "今日は天気がいいので、友達と公園へ行きました。"
    )
