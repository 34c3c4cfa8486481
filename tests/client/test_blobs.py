"""An upload survives whatever the connection does, and a download is what its name says."""

import hashlib
import io
import re
import tarfile
from pathlib import Path

import httpx2
import pytest

from baygrid.cli.errors import CliError
from baygrid.client import blobs
from baygrid.client.connection import Connection
from baygrid.client.pack import Packed


class Store:
    """Keeps one blob as the server does. `break_at`: numbers of the PUTs that are cut; `keep`: how many bytes
    of them arrived all the same."""

    def __init__(self, break_at=(), keep=0):
        self.data = b""
        self.whole = False
        self.puts = 0
        self.break_at, self.keep = break_at, keep

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "HEAD":
            if self.whole:
                return httpx2.Response(200)
            return httpx2.Response(404, headers={"Upload-Offset": str(len(self.data))})
        body = request.read()
        self.puts += 1
        if self.puts in self.break_at:
            self.data += body[: self.keep]
            raise httpx2.WriteError("gone")
        first, total = 0, len(body)
        if found := re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", request.headers.get("Content-Range", "")):
            first, total = int(found[1]), int(found[3])
            assert int(found[2]) - first + 1 == len(body)
        if first != len(self.data):
            gap = {"detail": "a gap", "code": "invalid", "problems": [{"path": "offset", "message": "a gap"}]}
            return httpx2.Response(422, json=gap)
        self.data += body
        if len(self.data) < total:
            return httpx2.Response(202, headers={"Upload-Offset": str(len(self.data))}, json={})
        self.whole = True
        return httpx2.Response(201, json={})

    def client(self) -> Connection:
        return Connection("http://test", "t", pause=lambda _: None, transport=httpx2.MockTransport(self))


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(blobs, "PIECE", 100)


def packed(tmp_path: Path, data: bytes) -> Packed:
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    return Packed(path, hashlib.sha256(data).hexdigest(), len(data), 1)


def send(store: Store, tmp_path: Path, data: bytes) -> tuple[bool, list[int]]:
    moved: list[int] = []
    sent = blobs.upload(store.client(), packed(tmp_path, data), moved.append, pause=lambda _: None)
    assert store.data == data
    return sent, moved


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 1000])
def test_every_byte_arrives_once(tmp_path: Path, size):
    sent, moved = send(Store(), tmp_path, b"ab" * (size // 2) + b"c" * (size % 2))
    assert sent
    assert moved == sorted(moved)
    assert moved[-1] == size


def test_what_is_there_is_not_sent(tmp_path: Path):
    store = Store()
    send(store, tmp_path, b"x" * 250)
    puts = store.puts
    sent, moved = send(store, tmp_path, b"x" * 250)
    assert not sent
    assert store.puts == puts
    assert moved == [250]


@pytest.mark.parametrize("keep", [0, 1, 60, 100])
@pytest.mark.parametrize("break_at", [(1,), (2,), (3,), (1, 2, 3), (2, 4, 6, 8)])
def test_a_broken_upload_goes_on_where_it_was(tmp_path: Path, break_at, keep):
    sent, _ = send(Store(break_at, keep), tmp_path, bytes(range(250)) * 2)
    assert sent


def test_an_upload_that_never_gets_on_is_given_up(tmp_path: Path):
    store = Store(break_at=range(1, 100))
    with pytest.raises(CliError, match="broke before the answer"):
        blobs.upload(store.client(), packed(tmp_path, b"x" * 250), lambda _: None, pause=lambda _: None)
    assert store.puts < 20


def result(text: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo("labels.csv")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    return file.getvalue()


def fetch(tmp_path: Path, data: bytes, answers) -> int:
    script = list(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = script.pop(0)
        if isinstance(found, Exception):
            raise found
        return httpx2.Response(200, stream=httpx2.ByteStream(found))

    client = Connection("http://test", "t", pause=lambda _: None, transport=httpx2.MockTransport(answer))
    output = {"name": "labels", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return blobs.download(client, "job-1", output, tmp_path / "out", lambda _: None)


def test_a_download_lands_in_its_folder(tmp_path: Path):
    data = result(b"cat")
    assert fetch(tmp_path, data, [data]) == 1
    assert (tmp_path / "out" / "labels.csv").read_bytes() == b"cat"


def test_damaged_content_is_never_unpacked(tmp_path: Path):
    with pytest.raises(CliError, match="came damaged"):
        fetch(tmp_path, result(b"cat"), [result(b"dog")])
    assert not (tmp_path / "out").exists()


def test_a_broken_download_starts_again(tmp_path: Path):
    data = result(b"cat")
    assert fetch(tmp_path, data, [httpx2.ReadError("gone"), data]) == 1
