"""Content by its SHA-256: workdirs, inputs and outputs go in and out here."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from baygrid.api import schemas
from baygrid.api.edge import Caller, Json, Route
from baygrid.app import blobs
from baygrid.app.problems import Invalid

router = APIRouter(route_class=Route, tags=["blobs"])

PIECE = 4 * 1024 * 1024
_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")


@router.head("/v1/blobs/{sha256}", response_class=Response)
def head_blob(sha256: str, call: Caller) -> Response:
    """200 when it is here whole; else 404, and the header Upload-Offset says how much has come."""
    state = blobs.state(call.platform, call.actor, sha256)
    if state.whole:
        return Response(headers={"Content-Length": str(state.size)})
    return Response(status_code=404, headers={"Upload-Offset": str(state.size)})


@router.get("/v1/blobs/{sha256}", response_class=Response)
def get_blob(sha256: str, call: Caller) -> Response:
    size, chunks = blobs.get(call.platform, call.actor, sha256)
    headers = {"Content-Length": str(size), "ETag": f'"{sha256}"'}
    return StreamingResponse(chunks, media_type="application/octet-stream", headers=headers)


@router.put(
    "/v1/blobs/{sha256}",
    status_code=201,
    response_model=schemas.BlobProgress,
    responses={
        202: {"model": schemas.BlobProgress, "description": "taken; Upload-Offset says where to go on"}
    },
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}, "required": True}},
)
async def put_blob(request: Request, sha256: str, call: Caller) -> Response:
    """Whole, or from where it broke off with `Content-Range: bytes a-b/total`."""
    offset, total = _place(request)
    put = partial(blobs.put, call.platform, call.actor, sha256)
    state = None
    async for piece, last in _pieces(request.stream()):
        if state is not None and state.whole and not piece:
            break
        state = await run_in_threadpool(put, offset, total, iter([piece]), last=last)
        offset += len(piece)
    if state is None:
        raise ClientDisconnect
    headers = {"Upload-Offset": str(state.size)}
    return Json({"whole": state.whole, "size": state.size}, 201 if state.whole else 202, headers)


def _place(request: Request) -> tuple[int, int | None]:
    """Where the body begins, and how long the whole is (None: unknown until the body ends)."""
    length, content_range = request.headers.get("content-length"), request.headers.get("content-range")
    if content_range is None:
        return 0, int(length) if length is not None and length.isdigit() else None
    match = _RANGE.fullmatch(content_range.strip())
    if match is None:
        raise Invalid.at("Content-Range", "must look like bytes 0-4194303/10485760")
    first, last, total = map(int, match.groups())
    if not first <= last < total or (length is not None and int(length) != last - first + 1):
        raise Invalid.at("Content-Range", "does not fit itself or the Content-Length")
    return first, total


async def _pieces(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[bytes, bool]]:
    """The body in pieces of about PIECE bytes; True with the last one, which may be empty. A sender that goes
    away leaves what it has sent: the upload goes on there."""
    piece = bytearray()
    try:
        async for chunk in stream:
            piece += chunk
            if len(piece) >= PIECE:
                yield bytes(piece), False
                piece.clear()
    except ClientDisconnect:
        yield bytes(piece), False
        raise
    yield bytes(piece), True
