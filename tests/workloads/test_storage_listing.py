"""What is meant by what a user names, and what of it cannot be read."""

import os
from pathlib import Path

import pytest

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.driving.recording import drives
from baygrid.workloads.images import inputs
from baygrid.workloads.images.shard import Reader
from baygrid.workloads.speech import cutting
from baygrid.workloads.speech.sources import sources
from baygrid.workloads.storage.listing import entries
from baygrid.workloads.storage.readable import NotThere
from baygrid.workloads.storage.reading import opened
from tests.workloads.tarring import tar


def test_files_of_one_name_in_several_folders_stay_two(tmp_path: Path):
    for day in (1, 2):
        (tmp_path / f"day{day}").mkdir()
        (tmp_path / f"day{day}" / "talk.wav").write_bytes(bytes(day))
    asked = f"{tmp_path}/day{{1..2}}/talk.wav"
    assert [(entry.name, entry.size) for entry in entries(asked)] == [("talk.wav", 1), ("talk (2).wav", 2)]
    assert [source.name for source in sources(asked)] == ["talk (2).wav", "talk.wav"]
    folders = f"{tmp_path}/day{{1..2}}"
    assert [entry.name for entry in entries(folders)] == ["talk.wav", "talk (2).wav"]


def test_names_that_are_shown_alike_are_two(tmp_path: Path):
    for name in (b"\xff.wav", b"\xfe.wav"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    names = {entry.name for entry in entries(str(tmp_path))}
    assert names == {"\N{REPLACEMENT CHARACTER}.wav", "\N{REPLACEMENT CHARACTER} (2).wav"}


def test_recordings_of_several_folders_are_not_one_drive(tmp_path: Path):
    for bag in (1, 2):
        folder = tmp_path / f"run{bag}" / "bag"
        folder.mkdir(parents=True)
        (folder / "metadata.yaml").write_text("")
        for part in (0, 1):
            (folder / f"bag_{part}.mcap").write_bytes(b"")
        (tmp_path / f"minute{bag}" / "processed_log" / "IMU").mkdir(parents=True)
        (tmp_path / f"minute{bag}" / "processed_log" / "IMU" / "t").write_bytes(b"")
    found = list(drives.windows(f"{tmp_path}/run{{1..2}}/bag", 1.7))
    assert [[(window.drive, Path(window.path).parts[-3]) for window in windows] for windows in found] == [
        [("bag", "run1")] * 2,
        [("bag (2)", "run2")] * 2,
    ]
    found = list(drives.windows(f"{tmp_path}/minute{{1..2}}", 1.7))
    assert [window.path for (window,) in found] == [str(tmp_path / f"minute{number}") for number in (1, 2)]
    assert [window.drive for (window,) in found] == ["minute1", "minute2"]


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one in it that may not be opened; root may open all, so it is the call that refuses."""
    folder = tmp_path / "in"
    (folder / "secret").mkdir(parents=True)
    scandir = os.scandir

    def refusing(path):
        if Path(path) == folder / "secret":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    return folder


def test_a_folder_that_cannot_be_opened_is_named_among_the_pictures(locked: Path):
    (locked / "a.jpg").write_bytes(b"a")
    for count in (None, 3):
        found = [each for shard in inputs.shards(str(locked), count, 8) for each in Reader(shard.work)]
        assert [(each.name, each.reason) for each in found if each.data is None] == [
            ("secret", "Permission denied")
        ]
        assert {each.name for each in found if each.data} == {"a.jpg"}


def test_a_folder_that_cannot_be_opened_is_named_among_recordings(locked: Path):
    (locked / "a.wav").write_bytes(b"a")
    found = sources(str(locked))
    assert [source.name for source in found] == ["a.wav", "secret"]
    (piece,) = cutting.pieces(found[1])
    assert piece.seconds == 0
    with pytest.raises(OSError, match="not a plain file"):
        found[1].open()


def test_a_folder_that_cannot_be_opened_is_named_among_drives(locked: Path):
    ((window,),) = drives.windows(str(locked), 1.7)
    assert window.notes == (("secret", "Permission denied"),)


def test_an_input_that_cannot_be_opened_itself_is_an_error(locked: Path):
    with pytest.raises(ApplicationError, match=r"secret: Permission denied"):
        list(entries(str(locked / "secret")))
    with pytest.raises(ApplicationError, match="File name too long"):
        list(entries(str(locked / ("x" * 300))))


@pytest.mark.parametrize("at", ["a\0b", "\ud800", "http://[", "https://x/\x00", "s3://"])
def test_what_no_file_can_be_called_is_not_there(at: str):
    with pytest.raises(NotThere):
        opened(at)


def test_a_name_that_is_no_utf8_goes_on_to_its_worker(tmp_path: Path):
    (tmp_path / os.fsdecode(b"\xff.wav")).write_bytes(b"x")
    (tmp_path / os.fsdecode(b"\xff.jpg")).write_bytes(b"y")
    tar(tmp_path / os.fsdecode(b"\xff.tar"), {"a.jpg": b"z"})
    pieces = (piece for source in sources(str(tmp_path)) for piece in cutting.pieces(source))
    (shard,) = cutting.shards(pieces)
    assert shard.work.encode()
    (piece,) = cutting.read(shard.work)
    assert Path(piece.at).read_bytes() == b"x"
    shards = list(inputs.shards(str(tmp_path), None, 8))
    assert all(shard.work.encode() for shard in shards)
    assert {each.data for shard in shards for each in Reader(shard.work)} == {b"y", b"z"}
