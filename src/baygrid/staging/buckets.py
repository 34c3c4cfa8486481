"""S3, and servers that speak it, as the operator lists them. Needs the extra `s3` (boto3)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import unquote

from baygrid.core.jobs.addresses import Address
from baygrid.staging.errors import Broken, Failed
from baygrid.staging.guard import bucket_of
from baygrid.staging.pace import Pace
from baygrid.staging.rules import Bucket, Rules
from baygrid.staging.streams import PIECE, Stream

MAX_OBJECTS: Final = 100_000
"""In one folder."""
_ABSENT: Final = {"NoSuchKey", "NoSuchBucket", "404", "NotFound"}
_UNCHANGED: Final = {"304", "NotModified"}
_CHANGED: Final = {"412", "PreconditionFailed", "416", "InvalidRange"}


class Buckets:
    """`streams.Way` of s3. Safe for several threads."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @contextmanager
    def open(
        self, at: Address, project: str, offset: int, validator: str, pace: Pace
    ) -> Iterator[Stream | None]:
        bucket = bucket_of(self._rules, at, project)
        asked: dict[str, str] = {"Bucket": bucket.name, "Key": key_of(at)}
        if offset > 0 and validator:
            asked |= {"Range": f"bytes={offset}-", "IfMatch": validator}
        elif offset < 0 and validator:
            asked |= {"IfNoneMatch": validator}
        found = self._get(bucket, at, asked)
        if found is None:
            yield None
            return
        start = offset if "ContentRange" in found else 0
        total = start + int(found["ContentLength"])
        with closing(found["Body"]) as body:
            yield Stream(start, total, str(found.get("ETag", "")), _pieces(at, body, pace))

    def list(self, at: Address, project: str) -> list[tuple[str, int, str]]:
        """(key, bytes, validator) of all that lies below a folder, by key. Raises Broken, Failed,
        NotAllowed."""
        bucket = bucket_of(self._rules, at, project)
        prefix = key_of(at)
        found: list[tuple[str, int, str]] = []
        with _told(at):
            pages = self._client(bucket).get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=bucket.name, Prefix=prefix):
                found += [
                    (one["Key"], int(one["Size"]), str(one.get("ETag", "")))
                    for one in page.get("Contents", ())
                    if not one["Key"].endswith("/")  # what some programs put there for a folder
                ]
                if len(found) > MAX_OBJECTS:
                    raise Failed(f"{at} has more than {MAX_OBJECTS} objects: pack them")
        if not found:
            raise Failed(f"there is nothing at {at}")
        return sorted(found)

    def _get(self, bucket: Bucket, at: Address, asked: dict[str, str]) -> Any:
        """None: it is unchanged. What has changed is asked for anew."""
        with _told(at):
            client = self._client(bucket)
            try:
                return client.get_object(**asked)
            except client.exceptions.ClientError as error:
                if _code(error) in _UNCHANGED:
                    return None
                if _code(error) not in _CHANGED:
                    raise
            return client.get_object(Bucket=asked["Bucket"], Key=asked["Key"])

    def _client(self, bucket: Bucket) -> Any:
        with self._lock:
            if bucket.name not in self._clients:
                self._clients[bucket.name] = _connect(bucket)
            return self._clients[bucket.name]


def key_of(at: Address) -> str:
    return unquote(at.path[1:])


def _connect(bucket: Bucket) -> Any:
    import boto3
    from boto3.session import Config

    session = boto3.Session(profile_name=bucket.profile, region_name=bucket.region)
    config = Config(
        # Many servers other than Amazon's do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 3},
        s3={"addressing_style": "path" if bucket.endpoint else "auto"},
    )
    try:
        return session.client("s3", endpoint_url=bucket.endpoint, config=config)
    except ValueError as error:
        raise Failed(f"this centre's entry for bucket {bucket.name} cannot be used: {error}") from None


def _pieces(at: Address, body: Any, pace: Pace) -> Iterator[bytes]:
    pace.body()
    with _told(at):
        for piece in body.iter_chunks(PIECE):
            pace.left()
            pace.took(len(piece))
            yield piece


@contextmanager
def _told(at: Address) -> Iterator[None]:
    """Their errors in our words, and that they are not installed; around all that is done with them."""
    try:
        import boto3  # noqa: F401 - botocore may be there without it
        from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError, ReadTimeoutError
    except ImportError:
        raise Failed("this centre cannot speak S3: its operator installs baygrid[s3]") from None
    try:
        yield
    except ClientError as error:
        if _code(error) in _ABSENT:
            raise Failed(f"there is nothing at {at}") from None
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise Broken(f"the store of {at.host} answered {_code(error)}") from None
        raise Failed(f"the store of {at.host} answered {_code(error)} for {at}") from None
    except (IncompleteReadError, ReadTimeoutError) as error:
        raise Broken(f"the connection to the store of {at.host} broke ({type(error).__name__})") from None
    except BotoCoreError as error:
        if "Connection" in type(error).__name__ or "Timeout" in type(error).__name__:
            raise Broken(f"the store of {at.host} cannot be reached") from None
        raise Failed(f"the store of {at.host} cannot be used: {error}") from None


def _code(error: Any) -> str:
    code: str = error.response.get("Error", {}).get("Code", "")
    return code
