"""Masking: whatever is read of a log, whenever, shows no secret, and its offsets stay true."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.centres.folder import secrets
from baygrid.centres.folder.files import Files
from baygrid.ports.centre import StagingFailed

VALUE = "hf_0123456789"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "root/key").mkdir(parents=True)
    return Files(str(tmp_path / "root/key"))


def left(folder: Path, value: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and value.encode() in path.read_bytes()]


def test_files_of_the_job_alone_that_go_with_its_end(files: Files, tmp_path: Path):
    secrets.keep(files, ["TOKEN"], {"TOKEN": VALUE, "NOT_ASKED_FOR": "x"})
    assert [path.name for path in Path(files.path("secrets")).iterdir()] == ["TOKEN"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in left(tmp_path, VALUE))
    files.write("log", f"a {VALUE} b\n".encode())
    before = Path(files.path("log")).stat().st_ino
    secrets.settle(files)
    assert left(tmp_path, VALUE) == []
    assert Path(files.path("log")).read_bytes() == b"a " + b"*" * len(VALUE) + b" b\n"
    assert Path(files.path("log")).stat().st_ino == before
    secrets.settle(files)


def test_what_did_not_come_is_said(files: Files):
    with pytest.raises(StagingFailed, match="did not send secret TOKEN"):
        secrets.keep(files, ["TOKEN"], {})


def test_a_job_that_removes_its_files_shows_nothing(files: Files):
    secrets.keep(files, ["TOKEN"], {"TOKEN": VALUE})
    Path(files.path("secrets/TOKEN")).unlink()
    files.write("log", VALUE.encode() + b"\n")
    assert VALUE.encode() not in secrets.read_log(files, 0, 100)
    secrets.settle(files)
    assert VALUE.encode() not in files.log(0, 100)


def test_the_lines_of_a_long_value_are_masked_alone(files: Files):
    value = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n-----END KEY-----\n"
    secrets.keep(files, ["KEY"], {"KEY": value})
    files.write("log", b"  MIIEvQIBADANBgkqhkiG\nshort\n")
    assert secrets.read_log(files, 0, 100) == b"  " + b"*" * 20 + b"\nshort\n"


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_log_that_leads_elsewhere_is_not_written_through(files: Files, tmp_path: Path, kind: str):
    target = tmp_path / "theirs"
    target.write_text(VALUE)
    secrets.keep(files, ["TOKEN"], {"TOKEN": VALUE})
    link = os.symlink if kind == "symbolic" else os.link
    link(target, files.path("log"))
    secrets.settle(files)
    assert target.read_text() == VALUE
    assert not Path(files.path("log")).exists()


def test_a_link_in_the_place_of_its_folder_is_not_followed(files: Files, tmp_path: Path):
    secrets.keep(files, ["TOKEN"], {"TOKEN": VALUE})
    theirs = tmp_path / "theirs"
    Path(files.path("secrets")).rename(theirs)
    Path(files.path("secrets")).symlink_to(theirs)
    secrets.settle(files)
    assert (theirs / "TOKEN").exists()
    assert not Path(files.path("secrets")).is_symlink()


SMALL = st.text("ab", min_size=1, max_size=5)


@given(
    values=st.lists(SMALL, min_size=1, max_size=3),
    parts=st.lists(st.text("ab\n", max_size=12), max_size=8),
    limits=st.lists(st.integers(1, 7), min_size=1),
)
def test_a_log_that_grows_is_read_as_if_it_had_been_masked_whole(
    tmp_path_factory: pytest.TempPathFactory, values: list[str], parts: list[str], limits: list[int]
):
    """Two readers: one follows what is written in stretches of any size, one comes when all is over."""
    folder = tmp_path_factory.mktemp("log") / "root/key"
    folder.mkdir(parents=True)
    files = Files(str(folder))
    names = [f"S{n}" for n in range(len(values))]
    secrets.keep(files, names, dict(zip(names, values, strict=True)))
    whole = "".join(parts).encode()
    expected = secrets.mask(whole, [value.encode() for value in values])
    seen, turn = b"", 0
    with (folder / "log").open("ab", buffering=0) as log:
        for part in parts:
            log.write(part.encode())
            while True:
                read = secrets.read_log(files, len(seen), limits[turn % len(limits)])
                turn += 1
                seen += read
                assert expected.startswith(seen)
                if not read:
                    break
    secrets.settle(files)
    while read := secrets.read_log(files, len(seen), 3):
        seen += read
    assert seen == expected
    assert files.log(0, len(whole) + 1) == expected
    assert not any(value.encode() in seen for value in values)


def test_a_secret_across_blocks_is_overwritten(files: Files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(secrets, "_BLOCK", 7)
    secrets.keep(files, ["TOKEN"], {"TOKEN": VALUE})
    files.write("log", f"{VALUE} {VALUE}{VALUE[3:]} {VALUE}".encode())
    expected = secrets.mask(files.log(0, 1000), [VALUE.encode()])
    secrets.settle(files)
    assert files.log(0, 1000) == expected
