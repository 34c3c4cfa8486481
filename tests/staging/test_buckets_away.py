"""Buckets that cannot be used: whatever is wrong is one sentence about one source. No server is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from baygrid.ports.centre import StagingFailed
from baygrid.ports.messages import Source
from baygrid.staging.rules import Bucket
from tests.services import S3_KEYS
from tests.staging.site import Listening, stager

NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in S3_KEYS.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


@pytest.mark.parametrize("uri", ["s3://bay/set/", "s3://bay/x"])
@pytest.mark.parametrize(
    ("bucket", "why"),
    [
        (Bucket("bay", NOBODY, "us-east-1"), "store of bay cannot be reached"),
        (Bucket("bay", NOBODY, "us-east-1", profile="absent"), r"profile \(absent\) could not be found"),
        (Bucket("bay", "no address", "us-east-1"), "Invalid endpoint: no address"),
    ],
    ids=["away", "profile", "endpoint"],
)
def test_a_store_that_cannot_be_used(tmp_path: Path, uri: str, bucket: Bucket, why: str):
    with pytest.raises(StagingFailed, match=why):
        stager(tmp_path, buckets=(bucket,)).place(Source(uri, "demo"), tmp_path / "into", Listening())


@pytest.mark.parametrize("uri", ["s3://bay/set/", "s3://bay/x"])
@pytest.mark.parametrize("missing", ["boto3", "botocore.exceptions"])
def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, missing: str):
    monkeypatch.setitem(sys.modules, missing, None)
    made = stager(tmp_path, buckets=(Bucket("bay", NOBODY, "us-east-1"),))
    with pytest.raises(StagingFailed, match=r"installs baygrid\[s3\]"):
        made.place(Source(uri, "demo"), tmp_path / "into", Listening())
