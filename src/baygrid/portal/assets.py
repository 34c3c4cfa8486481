"""Style sheets, scripts and pictures of the pages, each at an address that has its content's hash in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

KINDS: Final[Mapping[str, str]] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
FOR_EVER: Final = "public, max-age=31536000, immutable"


@cache
def _files() -> Mapping[str, bytes]:
    def walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
        for item in folder.iterdir():
            if item.is_dir():
                yield from walk(item, f"{prefix}{item.name}/")
            else:
                yield f"{prefix}{item.name}", item.read_bytes()

    return dict(walk(files("baygrid.portal").joinpath("static"), ""))


@cache
def hashed(name: str) -> str:
    """The name of a file as it stands in addresses: `portal.0123abcd.css`. KeyError: there is none."""
    stem, _, kind = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(_files()[name]).hexdigest()[:12]}.{kind}"


@cache
def _by_hashed() -> Mapping[str, str]:
    return {hashed(name): name for name in _files()}


async def serve(request: Request) -> Response:
    """Only what there is, under the name that it has now."""
    name = _by_hashed().get(request.path_params["name"])
    if name is None:
        raise HTTPException(404)
    kind = KINDS[name.rpartition(".")[2]]
    return Response(_files()[name], media_type=kind, headers={"Cache-Control": FOR_EVER})
