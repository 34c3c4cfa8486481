"""Tars by their headers: what Python's own reader finds, and nothing that a hostile one wants."""

import io
import tarfile
from pathlib import Path

import pytest

from baygrid.workloads.images import tars
from baygrid.workloads.images.tars import Broken, Member, members
from tests.workloads.tarring import tar

INSIDE = {
    "a.jpg": b"first",
    "folder/b.jpg": b"x" * 1000,
    "empty.jpg": b"",
    "é猫.jpg": b"cat",
    "n" * 150 + ".jpg": b"long",
}


def listed(data: bytes) -> list[Member]:
    def read(offset: int, length: int) -> bytes:
        assert length <= tars.MOST_EXTENDED, "too much at once"
        return data[offset : offset + length]

    return list(members(read, len(data)))


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_every_file_is_found_where_it_is(tmp_path: Path, layout: int):
    data = tar(tmp_path / "a.tar", INSIDE, layout).read_bytes()
    found = listed(data)
    assert {member.name: data[member.offset : member.offset + member.size] for member in found} == INSIDE
    with tarfile.open(tmp_path / "a.tar") as file:
        assert [(each.name, each.offset_data, each.size) for each in file] == [
            (member.name, member.offset, member.size) for member in found
        ]


def test_a_long_name_of_ustar_is_put_together(tmp_path: Path):
    name = f"{'d' * 90}/{'n' * 90}.jpg"
    data = tar(tmp_path / "a.tar", {name: b"x"}).read_bytes()
    assert [member.name for member in listed(data)] == [name]


def test_only_plain_files_are_files():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            about = tarfile.TarInfo(f"{kind.decode()}.jpg")
            about.type, about.linkname = kind, "/etc/hostname"
            file.addfile(about)
    assert listed(buffer.getvalue()) == []


@pytest.mark.parametrize("cut", [10_000, 1024, 1500, 700])
def test_a_tar_that_is_cut_off_gives_what_is_before_and_says_so(tmp_path: Path, cut: int):
    data = tar(tmp_path / "a.tar", {f"{number}.jpg": b"x" * 600 for number in range(9)}).read_bytes()[:cut]
    found: list[Member] = []
    with pytest.raises(Broken, match="cut off"):
        found.extend(members(lambda offset, length: data[offset : offset + length], len(data)))
    assert [member.name for member in found] == [f"{number}.jpg" for number in range(-(-cut // 1536))]


def test_what_is_no_tar_says_so():
    with pytest.raises(Broken, match="not a tar"):
        listed(b"x" * 5000)
    with pytest.raises(Broken, match="cut off in a header"):
        listed(b"x" * 100)
    with pytest.raises(Broken, match="without its end mark"):
        listed(b"")


def test_damage_in_the_middle_ends_it(tmp_path: Path):
    data = bytearray(tar(tmp_path / "a.tar", {"a.jpg": b"1", "b.jpg": b"2"}).read_bytes())
    data[1024] ^= 1
    with pytest.raises(Broken, match="no header at byte 1,024"):
        listed(bytes(data))


def header(kind: bytes, size: bytes) -> bytes:
    plain = bytearray(tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT))
    plain[124:136] = size
    plain[156:157] = kind
    plain[148:156] = b" " * 8
    plain[148:156] = b"%06o\0 " % sum(plain)
    return bytes(plain)


def test_a_header_of_terabytes_is_not_held_in_memory():
    with pytest.raises(Broken, match=r"extended header of 1,099,511,627,776 bytes"):
        listed(header(b"x", b"\x80" + (1 << 40).to_bytes(11, "big")) + bytes(2048))


@pytest.mark.parametrize(
    "records",
    [
        b"zz path=x\n",
        b"99999 path=x\n",
        b"0 path=x\n",
        b"17 size=-1000000\n",
        b"12 size=1e9\n",
        b"5010 size=" + b"9" * 4999 + b"\n",
    ],
)
def test_damaged_records_are_refused(records: bytes):
    about = header(b"x", b"%011o\0" % len(records)) + records.ljust(-(-len(records) // 512) * 512, b"\0")
    with pytest.raises(Broken):
        listed(about + header(b"0", b"%011o\0" % 0) + bytes(1024))
