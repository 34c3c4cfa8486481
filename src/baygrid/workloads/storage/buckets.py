"""Object storage that speaks S3."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, Final

from baygrid.workloads.storage.names import words
from baygrid.workloads.storage.readable import PATIENCE, NotThere, Readable

S3: Final = "s3://"


@lru_cache(1)
def bucket() -> Any:
    """S3 as the environment says: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL."""
    from pyarrow import fs

    where = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return fs.S3FileSystem(
        endpoint_override=where, region=region, connect_timeout=PATIENCE, request_timeout=PATIENCE
    )


def opened(at: str) -> Readable:
    """Raises OSError or ValueError; its `read` NotThere."""
    file = bucket().open_input_file(at.removeprefix(S3))

    def read(offset: int, length: int) -> bytes:
        try:
            data: bytes = file.read_at(max(0, min(length, file.size() - offset)), offset)
        except OSError as error:
            raise NotThere(words(error)) from error
        return data

    return Readable(file.size(), read, file.close)
