"""Content to and from the server's store: sent in pieces that a broken connection does not lose."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx2

from baygrid.client.errors import BaygridError
from baygrid.client.telling import Moved
from baygrid.client.unpack import unpack

if TYPE_CHECKING:
    from baygrid.client.connection import Connection
    from baygrid.client.pack import Packed

PIECE: Final = 4 * 1024 * 1024
_FRUITLESS: Final = 6
"""So many pieces in a row may fail before it is given up."""


def upload(
    client: Connection, packed: Packed, moved: Moved, pause: Callable[[float], None] = time.sleep
) -> bool:
    """Puts a tar into the store; False if it was there already. Goes on where a connection broke."""
    path = f"/v1/blobs/{packed.sha256}"
    offset = _offset(client, path)
    if offset is None:
        moved(packed.size)
        return False
    failures = 0
    with packed.path.open("rb") as file:
        while offset is not None:
            moved(offset)
            file.seek(offset)
            try:
                offset = _put(client, path, file.read(PIECE), offset, packed.size)
                failures = 0
            except BaygridError as error:
                # Lost on the way, or the server counts otherwise than we: ask it where it is.
                gap = any(flaw.path == "offset" for flaw in error.flaws)
                if not gap and error.code not in ("unreachable", "answer-lost") and error.status != 503:
                    raise
                failures += 1
                if failures >= _FRUITLESS:
                    raise
                pause(min(8.0, 0.1 * 2**failures))
                offset = _offset(client, path)
    moved(packed.size)
    return True


def _offset(client: Connection, path: str) -> int | None:
    """How many bytes the server has; None when it has all."""
    answer = client.send("HEAD", path, accept=(404,))
    return None if answer.is_success else int(answer.headers.get("Upload-Offset", "0"))


def _put(client: Connection, path: str, piece: bytes, offset: int, total: int) -> int | None:
    headers = {"Content-Type": "application/octet-stream"}
    if offset or len(piece) < total:
        headers["Content-Range"] = f"bytes {offset}-{offset + len(piece) - 1}/{total}"
    answer = client.send("PUT", path, content=piece, headers=headers)
    return int(answer.headers["Upload-Offset"]) if answer.status_code == 202 else None


def download(client: Connection, job: str, output: dict[str, Any], into: Path, moved: Moved) -> int:
    """Fetches one output of a job, checks that it is what its name says, and unpacks it; counts the files."""
    for tries_left in (2, 1, 0):
        try:
            with tempfile.TemporaryFile() as file:
                sha256, size = hashlib.sha256(), 0
                with client.stream(f"/v1/jobs/{job}/outputs/{output['name']}") as response:
                    for data in response.iter_raw(1 << 20):
                        file.write(data)
                        sha256.update(data)
                        size += len(data)
                        moved(size)
                if sha256.hexdigest() != output["sha256"]:
                    raise BaygridError(
                        f"the output {output['name']} came damaged", code="damaged", cure="fetch it again"
                    )
                file.seek(0)
                return unpack(file, into)
        except httpx2.TransportError as broken:
            if not tries_left:
                raise BaygridError(
                    f"the connection broke while the output {output['name']} was fetched: {broken}",
                    code="unreachable",
                    cure=f"fetch it again with `baygrid outputs {job}`",
                ) from broken
    raise AssertionError("unreachable")
