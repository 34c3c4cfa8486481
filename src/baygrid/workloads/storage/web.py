"""Files behind a web server, in pieces by Range requests (RFC 9110, section 14)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baygrid.workloads.storage.names import words
from baygrid.workloads.storage.readable import PATIENCE, NotThere, Readable

WEB: Final = ("http://", "https://")


def opened(at: str) -> Readable:
    """Of a server that knows no ranges, the first bytes only. Raises NotThere, as does its `read`."""
    import httpx2

    client = httpx2.Client(follow_redirects=True, timeout=PATIENCE)

    def read(offset: int, length: int) -> bytes:
        if length <= 0 or (size is not None and offset >= size):
            return b""
        asked = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        try:
            with client.stream("GET", at, headers=asked) as answer:
                if answer.status_code == 416:
                    return b""
                answer.raise_for_status()
                if answer.status_code != 206 and offset:
                    raise NotThere("the server sends only whole files: it ignores Range")
                return _first(answer.iter_bytes(), length)
        except httpx2.HTTPError as error:
            raise NotThere(words(error)) from error

    size: int | None = None
    try:
        told = client.head(at, headers={"Accept-Encoding": "identity"})
        told.raise_for_status()
        size = int(told.headers["Content-Length"])
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        client.close()
        raise NotThere(words(error)) from error
    except (KeyError, ValueError):
        client.close()
        raise NotThere("the server does not say how large it is") from None
    return Readable(size, read, client.close)


def _first(pieces: Iterator[bytes], length: int) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) >= length:
            break
    return bytes(found[:length])
