"""Files that are there whole or not at all, and what of a run outlives its parts."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from baygrid.workloads.parts import Parts
from baygrid.workloads.whole import whole
from tests.workloads.counting import Counting
from tests.workloads.inline import run_here


def test_what_ends_well_is_there_and_nothing_else(tmp_path: Path):
    with whole(tmp_path / "new" / "a.txt") as part:
        part.write_text("all of it")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]
    assert (tmp_path / "new" / "a.txt").read_text() == "all of it"


@pytest.mark.parametrize("alone", [True, False])
def test_what_ends_badly_leaves_the_file_as_it_was(tmp_path: Path, alone: bool):
    (tmp_path / "a.txt").write_text("before")

    def write() -> None:
        with whole(tmp_path / "a.txt", alone=alone) as part:
            part.write_text("half of")
            raise LookupError

    with pytest.raises(LookupError):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "before"


def test_two_that_write_at_once_do_not_meet(tmp_path: Path):
    with whole(tmp_path / "a", alone=False) as one, whole(tmp_path / "a", alone=False) as other:
        one.write_text("same")
        other.write_text("same")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    return Counting(str(tmp_path / "in.txt"), str(tmp_path / "journal"))


def opened() -> Iterator[str]:
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            yield str(each.readlink())


def named(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def test_on_nfs_too_nothing_is_left_of_the_parts(
    tmp_path: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
):
    """There a file that is open keeps its folder: it gets another name until it is closed."""
    unlink = os.unlink

    def as_nfs(path, *, dir_fd=None):
        where = named(dir_fd) / path if dir_fd is not None else Path(path)
        if str(where) in opened():
            renamed.append(where.with_name(".nfs0001"))
            where.rename(renamed[-1])
        else:
            unlink(path, dir_fd=dir_fd)

    def close(descriptor: int) -> None:
        name = named(descriptor)
        really_close(descriptor)
        if name in renamed:
            unlink(name)

    renamed: list[Path] = []
    really_close = os.close
    monkeypatch.setattr(os, "unlink", as_nfs)
    monkeypatch.setattr(os, "close", close)
    run_here(counting, tmp_path / "out")
    assert renamed
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["letters.parquet", "result.json"]


def test_what_a_run_leaves_is_on_the_disk_before_its_parts_go(
    tmp_path: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
):
    fsync, synced = os.fsync, set()

    def noted(descriptor: int) -> None:
        if (tmp_path / "out" / "unfinished").exists():
            synced.add(named(descriptor))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    run_here(counting, tmp_path / "out")
    out = tmp_path / "out"
    assert synced >= {out / "letters.parquet", out / "result.json", out, tmp_path}


def test_a_lock_that_the_run_before_took_away_is_none(
    tmp_path: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
):
    """Between our opening of it and our holding it, that run ends."""
    lock = tmp_path / "out" / "unfinished" / "lock"
    really_open, taken = os.open, False

    def slowly(path, *arguments, **more):
        nonlocal taken
        opened = really_open(path, *arguments, **more)
        if Path(path) == lock and not taken:
            lock.unlink()
            taken = True
        return opened

    monkeypatch.setattr(os, "open", slowly)
    with Parts(counting, tmp_path / "out").held():
        assert taken
        assert lock.exists()
    assert list((tmp_path / "out").iterdir()) == []
