"""Files of shared tables, at addresses that this server has signed. Nobody needs a token here: the address
says for whom it was made, and every request asks anew whether that may be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from baygrid.api.edge import Route, server_of
from baygrid.api.ranges import NotSatisfiable, Range, asked_range
from baygrid.app import downloads
from baygrid.app.downloads import Cut
from baygrid.app.platform import Platform
from baygrid.core.data.links import Link, query
from baygrid.ports.basics import Instant
from baygrid.ports.shares import SharedFile

router = APIRouter(route_class=Route, tags=["delta sharing"])
MEDIA: Final = "application/vnd.apache.parquet"
Until = Annotated[int, Query(ge=0, lt=2**62)]
Word = Annotated[str, Query(max_length=100)]


def address(
    base: str, platform: Platform, file: SharedFile, grant: str, recipient: str, until: Instant
) -> str:
    said = query(platform.link_keys, Link(file.id, grant, recipient, until))
    return f"{base}/v1/files/{file.id}?{urlencode(said)}"


class Pieces(Response):
    """Bytes as they come. Where what is sent may not be read any more the connection breaks off: the reader
    sees that bytes are missing."""

    def __init__(self, pieces: Iterator[bytes], status: int, headers: dict[str, str]) -> None:
        self._pieces = pieces
        super().__init__(None, status, headers, MEDIA)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in iterate_in_threadpool(self._pieces):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except Cut:
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@router.get("/v1/files/{file}", response_class=Response)
@router.head("/v1/files/{file}", response_class=Response)
async def get_file(
    file: str, request: Request, until: Until, grant: Word, recipient: Word, sig: Word, sp: Word = ""
) -> Response:
    """One range of bytes at most, also a suffix. 403 for an address that is not valid (any more), and where
    the contract or the law is in the way."""
    platform = server_of(request).platform
    link = Link(file, grant, recipient, until)
    download = await run_in_threadpool(downloads.judged, platform, link, sig)
    found = download.file
    headers = {
        "ETag": f'"{found.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
    }
    try:
        part = _range(request, found)
    except NotSatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{found.size}"})
    headers["Content-Length"] = str(part.length)
    if not part.whole:
        headers["Content-Range"] = part.content_range(found.size)
    status = 200 if part.whole else 206
    if request.method == "HEAD":
        return Response(None, status, headers, MEDIA)
    pieces = downloads.pieces(platform, download, part.start, part.length)
    return Pieces(pieces, status, headers)


def _range(request: Request, file: SharedFile) -> Range:
    """Raises NotSatisfiable. A HEAD is of the whole; so is a GET of a range of other bytes than these."""
    stale = request.headers.get("if-range", f'"{file.sha256}"') != f'"{file.sha256}"'
    asked = None if request.method == "HEAD" or stale else request.headers.get("range")
    return asked_range(asked, file.size)
