"""Small things that stand for very large ones, wherever a file is taken: each is refused before it bursts."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from baygrid.app import contents
from baygrid.app.contents import Entry
from baygrid.app.problems import WrongState
from baygrid.centres.folder import unpack as centre
from baygrid.client.errors import BaygridError
from baygrid.client.unpack import unpack
from baygrid.core.reading import DocumentError, Wrong
from baygrid.observatory import spreadsheets, zones
from baygrid.oidc.client import Providers
from baygrid.oidc.settings import Provider
from baygrid.portal import previews
from baygrid.ports.archives import MOST_ABOUT
from baygrid.ports.centre import StagingFailed
from baygrid.ports.identity import Refused
from baygrid.ports.reader import Head, ReadFailed
from baygrid.sharing import tables
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.process import Limits

DEEP = "[" * 100_000


def with_holes() -> bytes:
    """A tar of two kilobytes whose one file has 32 GiB."""
    member = tarfile.TarInfo("holes")
    member.type, member.size = tarfile.GNUTYPE_SPARSE, 0
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    head[483:495] = b"%011o\0" % (32 << 30)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + b"\0" * 1024


def said_at_length() -> bytes:
    """A name of more letters than anybody gives."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("x" * (MOST_ABOUT + 1)))
    return made.getvalue()


def said_of_what_is_said() -> bytes:
    """Thousands of headers, each of which is about the next."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("ü"))
    return made.getvalue()[:1024] * 3_000 + made.getvalue()[1024:]


def damaged() -> bytes:
    """What is said is of something that is no header."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("ü"))
    return made.getvalue()[:1024] + b"x" * 512 + bytes(1024)


TARS = [with_holes, said_at_length, said_of_what_is_said]


@pytest.mark.parametrize("make", [*TARS, damaged])
def test_a_tar_is_not_looked_into(make: Any):
    with pytest.raises(WrongState, match="cannot be looked into"):
        list(contents._members(iter([make()])))


@pytest.mark.parametrize("make", TARS)
def test_a_tar_is_not_unpacked_at_a_centre(tmp_path: Path, make: Any):
    path = tmp_path / "made.tar"
    path.write_bytes(make())
    with pytest.raises(StagingFailed):
        centre.unpack(path, tmp_path / "into")
    assert sum(it.stat().st_size for it in (tmp_path / "into").iterdir()) == 0


@pytest.mark.parametrize("make", TARS)
def test_a_tar_is_not_unpacked_by_the_client(tmp_path: Path, make: Any):
    with pytest.raises(BaygridError, match="no whole tar"):
        unpack(io.BytesIO(make()), tmp_path / "into")


def test_a_name_that_is_no_text_is_shown_and_found():
    member = tarfile.TarInfo("a")
    member.size = 2
    data = bytearray(member.tobuf(tarfile.GNU_FORMAT) + b"hi".ljust(512, b"\0") + bytes(1024))
    data[0:1] = b"\xff"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    (found,) = contents._members(iter([bytes(data)]))
    assert found.name.encode() == "\ufffd".encode()


def shown(path: str, data: bytes) -> previews.Previews:
    return previews.of([Entry(path, len(data))], lambda _: data, lambda *_: None)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("deep.jsonl", DEEP.encode()),
        ("deeper.jsonl", b'{"a": ' + b"[" * 900 + b"]" * 900 + b"}\n" + b'{"b": ' + DEEP.encode()),
        ("wide.csv", b"a,b\n" + b"x" * (previews.LONGEST + 1)),
        ("wide.jsonl", b'{"a": "' + b"x" * previews.LONGEST + b'"}'),
    ],
    ids=["deep", "deeper", "wide", "wide JSON"],
)
def test_a_table_that_cannot_be_shown_is_left_out(path: str, data: bytes):
    assert list(shown(path, data).tables) == []


def test_of_many_files_only_those_are_read_that_are_shown():
    asked: list[str] = []

    def read(path: str) -> bytes:
        asked.append(path)
        return b"a\n1\n"

    entries = [Entry(f"{n}.csv", 4) for n in range(100)]
    assert len(previews.of(entries, read, lambda *_: None).tables) == previews.MOST["tables"]
    assert len(asked) == previews.MOST["tables"]


def test_of_a_long_table_the_first_rows_are_kept_and_all_counted():
    text = io.StringIO("a\n" + "1\n" * (previews.LOOKED_INTO + 5))
    rows, count = previews._lines("long.csv", text)
    assert (len(rows), count) == (previews.LOOKED_INTO, previews.LOOKED_INTO + 5)


def parquet() -> bytes:
    """One long text, meant twenty thousand times: 40 KB that come to 64 GB."""
    text = pa.array(["x" * (4 << 20)])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 16_000, pa.int32()), text)
    made = io.BytesIO()
    pq.write_table(pa.table({"longitude": column, "b": column}), made, compression="zstd")
    return made.getvalue()


@pytest.mark.slow
def test_a_parquet_file_bursts_in_a_process_of_its_own(tmp_path: Path):
    reader = tables.Tables(tmp_path / "scratch", Allowed())
    good = io.BytesIO()
    pq.write_table(pa.table({"longitude": [1.5, 2.5], "name": ["a", None]}), good)
    found = reader.head(good.getvalue(), ["longitude", "drive"])
    assert found == Head(
        ["longitude", "name"], [{"longitude": 1.5, "name": "a"}, {"longitude": 2.5, "name": None}], 2
    )
    reader._hasty = Limits(2 << 30, 60)
    data = parquet()
    assert len(data) < 1 << 20
    with pytest.raises(ReadFailed, match="memory"):
        reader.head(data, ["longitude"])
    with pytest.raises(ReadFailed, match="no Parquet file"):
        reader.head(b"PAR1", [])


def book(tmp_path: Path, sheet: str = "", more: dict[str, bytes] | None = None) -> Path:
    """A workbook whose sheet `companies` is this XML."""
    made = Workbook()
    assert made.active is not None
    made.active.title = "companies"
    made.save(tmp_path / "plain.xlsx")
    path = tmp_path / "made.xlsx"
    with (
        zipfile.ZipFile(tmp_path / "plain.xlsx") as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            content = old.read(part)
            if sheet and part == "xl/worksheets/sheet1.xml":
                main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
                content = f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'.encode()
            new.writestr(part, content)
        for name, content in (more or {}).items():
            new.writestr(name, content)
    return path


def test_a_workbook_that_unpacks_to_very_much_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spreadsheets, "MOST_TEXTS", 1 << 20)
    path = book(tmp_path, more={"xl/sharedStrings2.xml": bytes(2 << 20)})
    assert path.stat().st_size < 20_000
    with pytest.raises(Wrong, match="unpacks to more"):
        spreadsheets.source(path)
    monkeypatch.setattr(spreadsheets, "MOST_TEXTS", 1 << 30)
    monkeypatch.setattr(spreadsheets, "MOST_UNPACKED", 1 << 20)
    with pytest.raises(Wrong, match="unpacks to more"):
        spreadsheets.source(path)


def test_a_row_that_says_to_be_the_last_of_very_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 1000)
    sheet = '<row r="1"><c r="A1"><v>5</v></c></row><row r="9000000000"><c r="A9000000000"><v>7</v></c></row>'
    found = list(spreadsheets.source(book(tmp_path, sheet)).lines("companies"))
    assert [it.number for it in found] == [1]


def test_a_row_of_very_many_cells(tmp_path: Path):
    sheet = '<row r="1"><c r="A1"><v>5</v></c><c r="IW1"><v>5</v></c></row>'
    with pytest.raises(Wrong, match="columns"):
        list(spreadsheets.source(book(tmp_path, sheet)).lines("companies"))


def test_a_sheet_that_is_no_xml_says_so(tmp_path: Path):
    good = "".join(f'<row r="{n}"><c r="A{n}"><v>5</v></c></row>' for n in range(1, 9_000))
    path = book(tmp_path, f"{good}<row><c>")
    with pytest.raises(Wrong, match="save it anew"):
        list(spreadsheets.source(path).lines("companies"))


def test_zones_without_end():
    with pytest.raises(DocumentError, match="not JSON"):
        zones.read_zones(DEEP.encode())


@pytest.mark.parametrize("content", [b" " * (2 << 20), DEEP.encode()], ids=["long", "deep"])
def test_a_provider_that_says_too_much_is_not_listened_to(content: bytes):
    asked: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.headers.get("accept-encoding"))
        return httpx2.Response(200, stream=httpx2.ByteStream(content))

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    with pytest.raises(Refused, match="does not answer as it should"):
        Providers([Provider("r", "R", "https://id.example.org", "c", None)], lambda: 0.0, http).begin(
            "r", "b"
        )
    assert asked == ["identity"]


class Endless(httpx2.SyncByteStream):
    """As far as anybody reads."""

    def __init__(self) -> None:
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(256):
            self.read += 65_536
            yield b" " * 65_536


def test_an_answer_of_a_provider_without_end_is_not_read_to_its_end():
    stream = Endless()
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, stream=stream)))
    with pytest.raises(Refused, match="does not answer as it should"):
        Providers([Provider("r", "R", "https://id.example.org", "c", None)], lambda: 0.0, http).begin(
            "r", "b"
        )
    assert stream.read < 2 * 1024 * 1024


@pytest.mark.parametrize(
    "at",
    [
        "https://169.254.169.254/latest",
        "https://[::ffff:169.254.169.254]/",
        "https://[fd00:ec2::254]/",
        "https://2852039166/",
        "http://127.0.0.1:9/keys",
    ],
)
@pytest.mark.parametrize("name", ["jwks_uri", "authorization_endpoint"])
def test_a_provider_sends_nobody_inside(name: str, at: str):
    issuer = "https://id.example.org"
    said = {"issuer": issuer, "jwks_uri": f"{issuer}/k", "authorization_endpoint": f"{issuer}/a", name: at}
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return httpx2.Response(200, content=json.dumps(said | {"keys": []}).encode())

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    with pytest.raises(Refused):
        Providers([Provider("r", "R", issuer, "c", None)], lambda: 0.0, http).begin("r", "b")
    assert set(asked) == {"id.example.org"}
