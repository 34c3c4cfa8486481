"""Objects in a folder and in S3, and uploads on their way in."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from baygrid.ports.basics import ObjectStore
from baygrid.store import FolderUploads, open_objects
from baygrid.store.objects import PIECE


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def objects(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    if request.param == "folder":
        return open_objects(str(tmp_path / "objects"))
    endpoint = request.getfixturevalue("s3_endpoint")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "baygrid")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    return open_objects(f"s3://bay/{tmp_path.name}?endpoint={endpoint}&region=us-east-1")


def whole(objects: ObjectStore, key: str, offset: int = 0, length: int | None = None) -> bytes:
    return b"".join(objects.get(key, offset, length))


def test_an_object_comes_back(objects: ObjectStore):
    assert objects.put("a/b/c.tar", iter([b"hello", b"", b" world"])) == 11
    assert whole(objects, "a/b/c.tar") == b"hello world"
    assert objects.size("a/b/c.tar") == 11
    assert whole(objects, "a/b/c.tar", 6) == b"world"
    assert whole(objects, "a/b/c.tar", 0, 5) == b"hello"
    assert whole(objects, "a/b/c.tar", 4, 3) == b"o w"
    assert whole(objects, "a/b/c.tar", 6, 99) == b"world"
    assert whole(objects, "a/b/c.tar", 6, 0) == b""
    assert whole(objects, "a/b/c.tar", 11) == b""
    assert whole(objects, "a/b/c.tar", 99, 5) == b""


def test_an_empty_object_is_an_object(objects: ObjectStore):
    assert objects.put("empty", iter([])) == 0
    assert objects.size("empty") == 0
    assert whole(objects, "empty") == b""
    assert whole(objects, "empty", 0, 5) == b""


def test_what_is_not_there(objects: ObjectStore):
    objects.put("a/b", iter([b"x"]))
    for key in ("none", "a/c", "a/b/c", "a"):
        assert objects.size(key) is None
        for asked in ((), (3,), (0, 0), (1, 2)):
            with pytest.raises(KeyError):
                objects.get(key, *asked)
    assert whole(objects, "a/b") == b"x"


def test_a_put_may_be_repeated_and_replaces(objects: ObjectStore):
    objects.put("k", iter([b"first, and longer"]))
    objects.put("k", iter([b"second"]))
    assert whole(objects, "k") == b"second"


def test_an_object_that_is_deleted_is_not_there(objects: ObjectStore):
    objects.put("a/b", iter([b"x"]))
    objects.put("a/c", iter([b"y"]))
    for key in ("a/b", "a/b", "a", "none/at/all"):
        objects.delete(key)
    assert objects.size("a/b") is None
    assert whole(objects, "a/c") == b"y"
    objects.put("a/b", iter([b"anew"]))
    assert whole(objects, "a/b") == b"anew"


def test_a_large_object_is_streamed(objects: ObjectStore):
    piece = bytes(range(256)) * 4096  # 1 MiB
    assert objects.put("large", (piece for _ in range(40))) == 40 * len(piece)
    assert objects.size("large") == 40 * len(piece)
    pieces = list(objects.get("large"))
    assert max(len(one) for one in pieces) <= PIECE
    assert b"".join(pieces) == piece * 40
    assert whole(objects, "large", 33 * len(piece) + 5, 10) == piece[5:15]


def test_a_put_that_breaks_off_leaves_what_was_there(objects: ObjectStore):
    def broken(size: int) -> Iterator[bytes]:
        yield b"x" * size
        raise LookupError("the sender is gone")

    objects.put("old", iter([b"old"]))
    for key in ("old", "new"):
        for size in (10, 20 * 2**20):
            with pytest.raises(LookupError, match="sender"):
                objects.put(key, broken(size))
    assert whole(objects, "old") == b"old"
    assert objects.size("new") is None


def test_a_reader_may_stop_early(objects: ObjectStore):
    objects.put("large", iter([b"x" * (4 * PIECE)]))
    objects.get("large")
    assert len(next(objects.get("large"))) == PIECE


BAD_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "a/../b",
    "../a",
    "a/..",
    ".",
    "./a",
    "a//b",
    "a/",
    ".incoming/x",
    "a/.b",
]
BAD_KEYS += ["a\\b", "a\0b", "a\nb", "a b", "é", "a" * 201, "/".join("a" * 17), "%2e%2e/a", "~/a", "a\n"]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_stays_inside(objects: ObjectStore, key: str):
    for call in (lambda: objects.put(key, iter([b""])), lambda: objects.get(key), lambda: objects.size(key)):
        with pytest.raises(ValueError, match="not a key"):
            call()


def test_many_put_the_same_key(objects: ObjectStore):
    def put(letter: int) -> None:
        objects.put("same", iter([bytes([letter]) * 50_000] * 4))

    threads = [threading.Thread(target=put, args=(letter,)) for letter in range(65, 71)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    found = whole(objects, "same")
    assert len(found) == 200_000
    assert len(set(found)) == 1


def test_a_folder_forgets_what_crashes_left(tmp_path: Path):
    open_objects(str(tmp_path))
    old, new = tmp_path / ".incoming/old", tmp_path / ".incoming/new"
    for left in (old, new):
        left.write_bytes(b"half")
    os.utime(old, (1, 1))
    open_objects(f"file://{tmp_path}")
    assert [left.name for left in (tmp_path / ".incoming").iterdir()] == ["new"]


@pytest.mark.parametrize(
    "url", ["http://x/y", "s3://", "s3:///prefix", "s3://bucket/p?colour=red", "file://host/x"]
)
def test_another_address_is_refused(url: str):
    with pytest.raises(ValueError, match=r"s3"):
        open_objects(url)


def test_an_upload_goes_on_where_it_stopped(tmp_path: Path):
    uploads = FolderUploads(tmp_path / "uploads")
    key = "demo-" + "a" * 64
    assert uploads.size(key) == 0
    with pytest.raises(KeyError):
        list(uploads.read(key))

    def breaking() -> Iterator[bytes]:
        yield b"0123"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        uploads.append(key, 0, breaking(), 100)
    assert uploads.size(key) == 4
    assert uploads.append(key, 4, iter([b"45", b"67"]), 100) == 8
    assert uploads.append(key, 0, iter([b"0123"]), 100) == 8  # late, and said before
    assert b"".join(uploads.read(key)) == b"01234567"
    with pytest.raises(ValueError, match="beyond"):
        uploads.append(key, 9, iter([b"x"]), 100)
    with pytest.raises(ValueError, match="more than 10"):
        uploads.append(key, 8, iter([b"8", b"9x"]), 10)
    assert uploads.append(key, 9, iter([b"9"]), 10) == 10
    uploads.drop(key)
    uploads.drop(key)
    assert uploads.size(key) == 0


def test_uploads_stay_inside(tmp_path: Path):
    uploads = FolderUploads(tmp_path / "uploads")
    for key in ("../x", "", "/etc/passwd"):
        with pytest.raises(ValueError, match="not a key"):
            uploads.append(key, 0, iter([b""]), 1)
    uploads.append("team/x", 0, iter([b"1"]), 1)
    uploads.append("team-x", 0, iter([b"2"]), 1)
    assert b"".join(uploads.read("team/x")) == b"1"
