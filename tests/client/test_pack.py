"""What is packed is the same bytes each time, and nothing of it lies outside the folder."""

import hashlib
import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from baygrid.cli.errors import CliError
from baygrid.client.pack import pack
from baygrid.client.unpack import unpack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "work"
    (home / "sub" / "deep").mkdir(parents=True)
    (home / "run.py").write_text("print(1)\n")
    (home / "run.py").chmod(0o755)
    (home / "sub" / "deep" / "数据.txt").write_text("x" * 100_000)
    (home / "sub" / "link").symlink_to("../run.py")
    (home / "empty").mkdir()
    return home


def members(tar: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(tar) as opened:
        return {member.name: member for member in opened.getmembers()}


def test_packing_twice_gives_the_same_bytes(folder: Path, tmp_path: Path):
    first = pack(folder, tmp_path)
    for path in folder.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    (folder / "run.py").chmod(0o700)  # whether it can be executed is kept, who else may read it is not
    second = pack(folder, tmp_path)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256 == hashlib.sha256(first.path.read_bytes()).hexdigest()
    assert first.size == first.path.stat().st_size
    assert first.address == f"blob:{first.sha256}"


def test_the_order_of_the_file_system_does_not_matter(tmp_path: Path):
    names = ["b", "a-", "a", "a/x", "c"]
    hashes = set()
    for number, order in enumerate([names, names[::-1]]):
        home = tmp_path / str(number)
        (home / "a").mkdir(parents=True)
        for name in order:
            if name != "a":
                (home / name).write_text(name)
        hashes.add(pack(home, tmp_path).sha256)
    assert len(hashes) == 1


def test_nobody_and_no_time_is_in_the_tar(folder: Path, tmp_path: Path):
    for member in members(pack(folder, tmp_path).path).values():
        assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
        assert member.mtime == 315_532_800
    packed = members(pack(folder, tmp_path).path)
    assert packed["run.py"].mode == 0o755
    assert packed["sub/deep/数据.txt"].mode == 0o644
    assert packed["sub/link"].linkname == "../run.py"
    assert "empty" in packed


def test_what_is_named_in_the_ignore_file_stays_at_home(folder: Path, tmp_path: Path):
    (folder / ".baygridignore").write_text("sub/deep/\n*.py\n")
    (folder / ".git").mkdir()
    assert set(members(pack(folder, tmp_path, ["/empty"]).path)) == {".baygridignore", "sub"} | {"sub/link"}


def test_a_file_is_packed_under_its_own_name(folder: Path, tmp_path: Path):
    packed = pack(folder / "run.py", tmp_path)
    assert list(members(packed.path)) == ["run.py"]
    assert packed.files == 1


def test_an_input_that_is_a_link_is_the_file_it_points_to(folder: Path, tmp_path: Path):
    packed = members(pack(folder / "sub" / "link", tmp_path).path)
    assert packed["link"].isreg()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "sub/../../../outside"])
def test_a_link_that_leaves_the_folder_is_refused(folder: Path, tmp_path: Path, target: str):
    (folder / "bad").symlink_to(target)
    with pytest.raises(CliError, match="the link bad leaves the folder") as refused:
        pack(folder, tmp_path)
    assert ".baygridignore" in refused.value.cure


def test_a_link_that_leaves_through_another_is_refused(folder: Path, tmp_path: Path):
    (folder / "sub" / "up").symlink_to("../empty")
    (folder / "sub" / "bad").symlink_to("up/../../secret")
    with pytest.raises(CliError, match="sub/bad leaves the folder"):
        pack(folder, tmp_path)


def test_a_link_in_a_folder_that_is_itself_reached_by_a_link_is_fine(folder: Path, tmp_path: Path):
    (tmp_path / "alias").symlink_to(folder)
    assert pack(tmp_path / "alias", tmp_path).sha256 == pack(folder, tmp_path).sha256


def test_a_link_that_leaves_may_stay_at_home(folder: Path, tmp_path: Path):
    (folder / "bad").symlink_to("/etc/passwd")
    (folder / ".baygridignore").write_text("/bad\n")
    assert "bad" not in members(pack(folder, tmp_path).path)


def test_a_socket_is_refused_and_no_tar_is_left_behind(folder: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(folder)  # the address of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(CliError, match="s is a socket, a pipe or a device"):
            pack(folder, tmp_path)
    assert not list(tmp_path.glob("*.tar"))


def test_a_path_that_is_not_there(tmp_path: Path):
    with pytest.raises(CliError, match="there is no"):
        pack(tmp_path / "nothing", tmp_path)


def test_what_was_packed_is_unpacked_again(folder: Path, tmp_path: Path):
    with pack(folder, tmp_path).path.open("rb") as file:
        assert unpack(file, tmp_path / "out") == 3
    out = tmp_path / "out"
    assert (out / "sub" / "deep" / "数据.txt").read_text() == "x" * 100_000
    assert (out / "sub" / "link").readlink() == Path("../run.py")
    assert (out / "run.py").stat().st_mode & 0o777 == 0o755


def tar(*items: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        for item in items:
            member, data = item if isinstance(item, tuple) else (item, b"")
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    file.seek(0)
    return file


def entry(name: str, type: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = type, link
    return member


@pytest.mark.parametrize(
    "items",
    [
        [entry("../evil")],
        [entry("/evil")],
        [entry("a/../../evil")],
        [entry("l", tarfile.SYMTYPE, "/"), entry("l/evil")],
        [entry("l", tarfile.SYMTYPE, "..")],
        [entry("l", tarfile.SYMTYPE, "../out-of")],
        [entry("h", tarfile.LNKTYPE, "../secret")],
        [entry("p/q", tarfile.DIRTYPE), entry("p/q/l", tarfile.SYMTYPE, "b/../../../secret"),
         entry("p/q/b", tarfile.SYMTYPE, "../../top"), entry("top", tarfile.DIRTYPE)],
        [entry("d", tarfile.CHRTYPE)],
        [entry("f", tarfile.FIFOTYPE)],
    ],
)  # fmt: skip
def test_a_hostile_tar_is_refused(tmp_path: Path, items):
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(CliError) as refused:
        unpack(tar(*items), tmp_path / "out")
    assert refused.value.code == "bad-output"
    assert not (tmp_path / "evil").exists()
    assert {path.name for path in tmp_path.iterdir()} <= {"out", "secret"}
    assert not [
        path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.read_text() == "secret"
    ]


def test_an_older_result_is_replaced_and_never_written_through(tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "mine").write_text("mine")
    (out / "result").symlink_to(tmp_path / "mine")
    (out / "other").write_text("old")
    assert unpack(tar((entry("result"), b"new"), (entry("other"), b"newer")), out) == 2
    assert (tmp_path / "mine").read_text() == "mine"
    assert (out / "result").read_text() == "new"
    assert (out / "other").read_text() == "newer"


def test_a_hard_link_inside_is_a_copy(tmp_path: Path):
    unpack(tar((entry("a"), b"data"), entry("b", tarfile.LNKTYPE, "a")), tmp_path / "out")
    assert (tmp_path / "out" / "b").read_bytes() == b"data"


def test_a_broken_tar_is_told(tmp_path: Path):
    whole = tar((entry("a"), b"x" * 100_000)).read()
    with pytest.raises(CliError, match="no whole tar"):
        unpack(io.BytesIO(whole[:50_000]), tmp_path / "out")
    with pytest.raises(CliError, match="no whole tar"):
        unpack(io.BytesIO(b"this is no tar at all" * 100), tmp_path / "out")
