"""s3: addresses against a real server that speaks it (SeaweedFS)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from baygrid.core.jobs.addresses import address
from baygrid.ports.centre import StagingFailed
from baygrid.ports.messages import Source
from baygrid.staging.rules import Bucket
from baygrid.staging.stager import Stager, listing_digest
from tests.services import S3_KEYS
from tests.staging.site import Listening, stager

pytestmark = pytest.mark.slow

CONTENT = os.urandom(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in S3_KEYS.items():
        monkeypatch.setenv(name.upper(), value)
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="bay"):
        for one in page.get("Contents", ()):
            client.delete_object(Bucket="bay", Key=one["Key"])
    yield client
    client.close()


@pytest.fixture
def made(tmp_path: Path, s3_endpoint: str) -> Stager:
    return stager(tmp_path, buckets=(Bucket("bay", s3_endpoint, "us-east-1", projects=("demo",)),))


def fetch(
    tmp_path: Path, made: Stager, uri: str, name: str = "into", sha256=None, project="demo"
) -> Listening:
    heard = Listening()
    made.place(Source(uri, project, sha256), tmp_path / name, heard)
    return heard


def put(bucket: Any, key: str, content: bytes) -> str:
    return str(bucket.put_object(Bucket="bay", Key=key, Body=content)["ETag"])


def test_an_object(tmp_path: Path, made: Stager, bucket: Any):
    put(bucket, "photos/a b.tar", CONTENT)
    heard = fetch(tmp_path, made, "s3://bay/photos/a%20b.tar", sha256=DIGEST)
    assert (tmp_path / "into/a b.tar").read_bytes() == CONTENT
    assert heard.heard[-1] == (len(CONTENT), len(CONTENT))
    with pytest.raises(StagingFailed, match="not " + "0" * 64):
        fetch(tmp_path, made, "s3://bay/photos/a%20b.tar", "two", "0" * 64)


def test_a_half_goes_on_and_a_changed_one_begins_anew(tmp_path: Path, made: Stager, bucket: Any):
    etag = put(bucket, "x", CONTENT)
    for name, validator, notes in (("same", etag, 0), ("changed", '"other"', 1)):
        half = made._cache.partial(address("s3://bay/x"))
        half.begin(validator)
        half.write(iter([CONTENT[:1_000_000]]), lambda _: None)
        heard = fetch(tmp_path, made, "s3://bay/x", name, sha256=DIGEST if name == "same" else None)
        assert (tmp_path / name / "x").read_bytes() == CONTENT
        assert heard.notes == ["it changed meanwhile: begun anew"] * notes
        assert (heard.heard[0][0] > 1_000_000) == (name == "same")
        for path in (tmp_path / "cache/known").iterdir():
            path.unlink()


def test_an_object_that_is_the_same_is_not_fetched_again(tmp_path: Path, made: Stager, bucket: Any):
    put(bucket, "x", CONTENT)
    fetch(tmp_path, made, "s3://bay/x", "one")
    assert len(fetch(tmp_path, made, "s3://bay/x", "two").heard) == 1
    put(bucket, "x", b"new")
    fetch(tmp_path, made, "s3://bay/x", "three")
    assert (tmp_path / "three/x").read_bytes() == b"new"


def test_a_folder(tmp_path: Path, made: Stager, bucket: Any):
    files = {"a.txt": b"a", "deep/er/b.txt": CONTENT, "z": b""}
    for name, content in files.items():
        put(bucket, f"set/{name}", content)
    put(bucket, "settings", b"not of it")
    digest = listing_digest(
        [f"{hashlib.sha256(c).hexdigest()}  {name}\n" for name, c in sorted(files.items())]
    )
    heard = fetch(tmp_path, made, "s3://bay/set/", sha256=digest)
    found = {path.relative_to(tmp_path / "into").as_posix(): path for path in (tmp_path / "into").rglob("*")}
    assert {name: path.read_bytes() for name, path in found.items() if path.is_file()} == files
    total = sum(map(len, files.values()))
    assert heard.heard[-1] == (total, total)
    put(bucket, "set/a.txt", b"b")
    with pytest.raises(StagingFailed, match=f"not {digest}"):
        fetch(tmp_path, made, "s3://bay/set/", "two", digest)


def test_keys_that_lead_out_are_no_files(
    tmp_path: Path, made: Stager, bucket: Any, monkeypatch: pytest.MonkeyPatch
):
    for key in ("set/../../x", "set//x", "set/./x", "set/a\0b"):
        monkeypatch.setattr(made._buckets, "list", lambda at, project, key=key: [(key, 1, '"x"')])
        with pytest.raises(StagingFailed, match="cannot be the name of a file"):
            fetch(tmp_path, made, "s3://bay/set/", f"into-{hash(key)}")


def test_only_listed_buckets_and_for_their_projects(tmp_path: Path, made: Stager, bucket: Any):
    put(bucket, "x", CONTENT)
    fetch(tmp_path, made, "s3://bay/x", "mine", DIGEST)
    for number, (path, project) in enumerate(
        (("other/x", "demo"), ("bay/x", "rival"), ("bay/set/", "rival"))
    ):
        with pytest.raises(StagingFailed, match="this centre fetches nothing from bucket"):
            fetch(tmp_path, made, f"s3://{path}", str(number), DIGEST, project)


def test_what_is_not_there(tmp_path: Path, made: Stager, bucket: Any):
    for number, uri in enumerate(("s3://bay/absent", "s3://bay/absent/")):
        with pytest.raises(StagingFailed, match=f"there is nothing at {uri}"):
            fetch(tmp_path, made, uri, str(number))
