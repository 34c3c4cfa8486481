"""Makes an attempt's directory ready: its work directory, its inputs, empty places for its outputs.

`work` is put in place last and at once, so whoever sees it sees everything, and repeating does nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from baygrid.centres.folder.files import Files
from baygrid.centres.folder.unpack import MAX_BYTES, unpack
from baygrid.ports.centre import Fetch, Places, StagingFailed
from baygrid.ports.messages import Order, Source

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def nothing_to_fetch(sha256: str) -> Iterator[bytes]:
    """`Fetch` where what the order needs should be here already."""
    raise StagingFailed(f"nothing was to be fetched, but {sha256} is asked for")


def prepare(files: Files, order: Order, fetch: Fetch, max_bytes: int = MAX_BYTES) -> None:
    """Raises StagingFailed, or whatever `fetch` raises."""
    if files.has("work"):
        return
    for name in (*order.inputs, *order.outputs):
        if not _NAME.fullmatch(name):
            raise StagingFailed(f"{name[:80]!r} cannot be the name of an input or output")
    rooms = [""]  # making a directory is the dearest part of a start, so only what is needed
    rooms += ["inputs"] if order.inputs else []
    rooms += ["outputs", *(f"outputs/{name}" for name in order.outputs)] if order.outputs else []
    for room in rooms:
        with suppress(FileExistsError):
            os.mkdir(files.path(room), 0o700)  # noqa: PTH102 - paths are texts here
    for name, sha256 in order.inputs.items():
        if name in order.sources:
            _place(files, order.sources[name], f"inputs/{name}", fetch)
        else:
            _fetch_and_unpack(files, sha256, f"inputs/{name}", fetch, max_bytes)
    room = "work" if order.restore is None else "fresh"
    if order.workdir is not None:
        _fetch_and_unpack(files, order.workdir, room, fetch, max_bytes)
    else:
        with suppress(FileExistsError):
            os.mkdir(files.path(room), 0o700)  # noqa: PTH102
    if order.restore is not None:
        _fetch_and_unpack(files, order.restore, "restored", fetch, max_bytes)
        _put_back(Path(files.path("restored")), Path(files.path(room)), order.checkpoint)
        Path(files.path(room)).rename(files.path("work"))


def _put_back(restored: Path, work: Path, path: str) -> None:
    """In the place of what the workdir has there, whatever that is. A link on the way is replaced, too."""
    target = work
    *parents, last = PurePosixPath(path).parts
    if ".." in path or PurePosixPath(path).is_absolute():
        raise StagingFailed(f"{path[:80]!r} cannot be the folder of a checkpoint")
    for part in parents:
        target /= part
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            target.unlink()
        target.mkdir(mode=0o755, exist_ok=True)
    target /= last
    if target.is_symlink() or target.is_file():
        target.unlink()
    shutil.rmtree(target, ignore_errors=True)
    restored.rename(target)


def _place(files: Files, source: Source, name: str, fetch: Fetch) -> None:
    target = Path(files.path(name))
    if target.exists():
        return
    if not isinstance(fetch, Places):
        raise StagingFailed("this centre fetches nothing from datasets and URIs")
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        fetch.place(source, part)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fetch_and_unpack(files: Files, sha256: str, name: str, fetch: Fetch, max_bytes: int) -> None:
    target = Path(files.path(name))
    if target.exists():
        return
    if not _SHA256.fullmatch(sha256):
        raise StagingFailed(f"{sha256[:80]!r} cannot be fetched by this centre")
    archive, part = target.with_name(f"{target.name}.tar"), target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        digest, left = hashlib.sha256(), max_bytes
        with archive.open("wb") as out:
            for chunk in fetch(sha256):
                digest.update(chunk)
                out.write(chunk)
                left -= len(chunk)
                if left < 0:
                    raise StagingFailed(f"{name} is larger than {max_bytes} bytes")
        if digest.hexdigest() != sha256:
            raise StagingFailed(f"what came for {name} is not what was asked for: its SHA-256 differs")
        unpack(archive, part, max_bytes)
        part.rename(target)
    finally:
        archive.unlink(missing_ok=True)
        shutil.rmtree(part, ignore_errors=True)
