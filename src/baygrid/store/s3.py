"""Objects in S3 or a server that speaks it. Needs the extra `s3` (boto3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from boto3.session import Config

from baygrid.store.objects import PIECE, check_key

_ABSENT = {"NoSuchKey", "404", "NotFound"}
_BEYOND = {"InvalidRange", "416"}


class S3Objects:
    """Implements `ports.basics.ObjectStore`. An upload becomes visible as a whole or not at all."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        # No threads: an upload is one stream, read once, at most two parts of it in memory.
        self._transfer = TransferConfig(multipart_chunksize=16 * 2**20, use_threads=False)

    @classmethod
    def open(cls, url: str) -> S3Objects:
        """`s3://BUCKET/PREFIX?endpoint=URL&region=NAME`; the options, and the keys, may also come from where
        boto3 looks for them (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, profiles)."""
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        unknown = options.keys() - {"endpoint", "region"}
        if parts.scheme != "s3" or not parts.hostname or unknown:
            raise ValueError(f"not s3://BUCKET/PREFIX?endpoint=URL&region=NAME: {url!r}")
        client = boto3.client(
            "s3",
            endpoint_url=options.get("endpoint"),
            region_name=options.get("region"),
            config=Config(
                # Many servers other than Amazon's do not know the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"mode": "standard", "max_attempts": 5},
                s3={"addressing_style": "path" if "endpoint" in options else "auto"},
            ),
        )
        return cls(client, parts.netloc, parts.path)

    def put(self, key: str, chunks: Iterator[bytes]) -> int:
        body = _Body(chunks)
        self._client.upload_fileobj(body, self._bucket, self._name(key), Config=self._transfer)
        return body.size

    def get(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """From `offset` on, nothing when that is beyond the end."""
        name = self._name(key)
        if length == 0:
            if self.size(key) is None:
                raise KeyError(key)
            return iter(())
        end = "" if length is None else offset + length - 1
        asked = {"Range": f"bytes={offset}-{end}"} if offset or length is not None else {}
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=name, **asked)
        except self._client.exceptions.ClientError as error:
            if _code(error) in _ABSENT:
                raise KeyError(key) from None
            if _code(error) in _BEYOND:
                return iter(())
            raise
        pieces = _pieces(found["Body"])
        next(pieces)  # now the generator owns the connection, and closes it even if nobody reads
        return pieces

    def size(self, key: str) -> int | None:
        name = self._name(key)
        try:
            size: int = self._client.head_object(Bucket=self._bucket, Key=name)["ContentLength"]
        except self._client.exceptions.ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise
        return size

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._name(key))

    def keys(self) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
            yield from (it["Key"].removeprefix(self._prefix) for it in page.get("Contents", ()))

    def _name(self, key: str) -> str:
        return self._prefix + check_key(key)


class _Body:
    """An iterator of bytes as the file that boto3 wants to read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = bytearray()
        self.size = 0

    def read(self, amount: int = -1) -> bytes:
        while amount < 0 or len(self._left) < amount:
            try:
                self._left += next(self._chunks)
            except StopIteration:
                break
        end = len(self._left) if amount < 0 else amount
        taken = bytes(self._left[:end])
        del self._left[:end]
        self.size += len(taken)
        return taken


def _pieces(body: Any) -> Iterator[bytes]:
    """First nothing, then the body."""
    try:
        yield b""
        yield from body.iter_chunks(PIECE)
    finally:
        body.close()


def _code(error: Any) -> str:
    code: str = error.response.get("Error", {}).get("Code", "")
    return code
