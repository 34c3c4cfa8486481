"""What goes into a tar at one centre comes out the same at another, and nothing that a user made leads
outside."""

import io
import os
import tarfile

import pytest

from baygrid.centres.folder.unpack import unpack
from baygrid.centres.outputs import PackingFailed, pack
from baygrid.ports.centre import StagingFailed


def tree(root):
    """All of it, as values."""
    return {
        str(path.relative_to(root)): (
            ("link", str(path.readlink()))
            if path.is_symlink()
            else ("directory",)
            if path.is_dir()
            else ("file", path.read_bytes(), bool(path.stat().st_mode & 0o100))
        )
        for path in sorted(root.rglob("*"))
    }


def build(root, order):
    root.mkdir()
    for name in order:
        (root / name).mkdir()
        (root / name / "data").write_bytes(name.encode() * 1_000)
    (root / "tool").write_text("#!/bin/sh\n")
    (root / "tool").chmod(0o750)
    (root / "latest").symlink_to("a/data")
    (root / "b" / "up").symlink_to("../a/data")
    (root / "empty").mkdir()
    (root / "名字").write_text("数据")
    return root


def test_the_same_files_give_the_same_tar(tmp_path):
    one = build(tmp_path / "one", ["a", "b", "c"])
    other = build(tmp_path / "other", ["c", "b", "a"])
    os.utime(other / "tool", (1, 1))
    assert pack(one, tmp_path / "1.tar") == pack(other, tmp_path / "2.tar")
    (other / "tool").chmod(0o640)
    assert pack(one, tmp_path / "1.tar") != pack(other, tmp_path / "2.tar")


def test_an_output_becomes_the_same_input(tmp_path):
    source = build(tmp_path / "one", ["a", "b"])
    pack(source, tmp_path / "one.tar")
    unpack(tmp_path / "one.tar", tmp_path / "two")
    assert tree(tmp_path / "two") == tree(source)


def test_a_single_file_is_an_output_too(tmp_path):
    (tmp_path / "model").write_bytes(b"weights")
    pack(tmp_path / "model", tmp_path / "model.tar")
    unpack(tmp_path / "model.tar", tmp_path / "out")
    assert tree(tmp_path / "out") == {"model": ("file", b"weights", False)}


@pytest.mark.parametrize("target", ["/etc/passwd", "..", "../../x", "a/../../.."])
def test_a_link_out_of_an_output_is_left_out_and_named(tmp_path, target):
    source = build(tmp_path / "one", ["a", "b"])
    (source / "a" / "link").symlink_to(target if target != ".." else "../..")
    packed = pack(source, tmp_path / "o.tar")
    assert len(packed.left_out) == 1
    assert packed.note.startswith("left out of its outputs: a/link (a link that leads out of the output: ")
    unpack(tmp_path / "o.tar", tmp_path / "two")
    (source / "a" / "link").unlink()
    assert tree(tmp_path / "two") == tree(source)


def test_a_pipe_is_left_out_and_not_waited_for(tmp_path):
    (tmp_path / "o").mkdir()
    for number in range(7):
        os.mkfifo(tmp_path / "o" / f"pipe{number}")
    packed = pack(tmp_path / "o", tmp_path / "o.tar")
    assert packed.note.startswith(
        "left out of its outputs: pipe0 (neither a file, a directory nor a link), pipe1"
    )
    assert packed.note.endswith(", and 2 more")


def test_an_output_that_is_gone_cannot_be_packed(tmp_path):
    with pytest.raises(PackingFailed):
        pack(tmp_path / "gone", tmp_path / "o.tar")


def member(name, kind=tarfile.REGTYPE, link="", content=b"x"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    if kind == tarfile.REGTYPE:
        info.size = len(content)
    return info, content


def write(path, *members):
    with tarfile.open(path, "w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)


LINK, HARD, DIRECTORY = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


@pytest.mark.parametrize(
    "members",
    [
        [member("/absolute")],
        [member("../outside")],
        [member("a/../../outside")],
        [member("link", LINK, "/etc"), member("link/passwd")],
        [member("link", LINK, ".."), member("link/outside")],
        [member("d", DIRECTORY), member("d/link", LINK, "../.."), member("d/link/outside")],
        [member("link", LINK, "/etc/passwd")],
        [member("link", LINK, "../secret")],
        [member("d", DIRECTORY), member("d/link", LINK, "x/../../../secret")],
        [member("self", LINK, "."), member("self/deep", LINK, "..")],
        [member("inside", LINK, "d"), member("d", DIRECTORY), member("inside/file")],
        [member("hard", HARD, "/etc/passwd")],
        [member("hard", HARD, "../secret")],
        [member("link", LINK, "x"), member("hard", HARD, "link")],
        [member("link", LINK, "d"), member("link", DIRECTORY), member("link/file")],
        [member("device", tarfile.CHRTYPE)],
        [member("pipe", tarfile.FIFOTYPE)],
        [member("x"), member("x/y")],
        [member("big", content=b"x" * 2_000)],
        [member(f"many{n}") for n in range(30)],
    ],
    ids=lambda members: " ".join(f"{info.name}>{info.linkname}" for info, _ in members)[:40],
)
def test_a_hostile_tar_is_refused_and_writes_nothing_outside(tmp_path, members):
    write(tmp_path / "evil.tar", *members)
    (tmp_path / "secret").write_text("safe")
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(StagingFailed):
        unpack(tmp_path / "evil.tar", tmp_path / "out", max_bytes=1_000, max_members=20)
    assert {path.name for path in tmp_path.iterdir()} == before | {"out"}
    assert (tmp_path / "secret").read_text() == "safe"


def test_a_link_that_was_replaced_by_a_file_is_not_written_through(tmp_path):
    write(tmp_path / "t.tar", member("d", DIRECTORY), member("x", LINK, "d/f"), member("x", content=b"new"))
    unpack(tmp_path / "t.tar", tmp_path / "out")
    assert tree(tmp_path / "out") == {"d": ("directory",), "x": ("file", b"new", False)}


def test_what_may_be_in_a_tar(tmp_path):
    write(
        tmp_path / "t.tar",
        member("./"),
        member("./a/b", content=b"1"),
        member("a/hard", HARD, "a/b"),
        member("a/link", LINK, "../a/b"),
    )
    unpack(tmp_path / "t.tar", tmp_path / "out")
    assert (tmp_path / "out/a/hard").read_bytes() == b"1"
    assert (tmp_path / "out/a/link").read_bytes() == b"1"


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\x1f\x8b\x08"])
def test_what_is_no_tar_is_refused(tmp_path, content):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(StagingFailed):
        unpack(tmp_path / "t", tmp_path / "out")


def test_set_user_id_is_not_kept(tmp_path):
    info, content = member("tool")
    info.mode = 0o6755
    write(tmp_path / "t.tar", (info, content))
    unpack(tmp_path / "t.tar", tmp_path / "out")
    assert (tmp_path / "out/tool").stat().st_mode & 0o7777 == 0o755
