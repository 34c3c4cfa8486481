"""Packs an output: the same files give the same tar, so that what did not change is stored once.

Names sorted, no times, no owners, two modes. Links are packed as links, never followed; a link that leads
out of the output is refused, like anything that is neither file, directory nor link.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


class PackingFailed(Exception):
    """What in the output cannot be packed."""


def pack(source: Path, archive: Path) -> str:
    """Writes the tar of `source` (a directory, or a file by its own name) and returns its SHA-256."""
    archive.unlink(missing_ok=True)  # a link that the job left there would be followed
    try:
        with tarfile.open(archive, "x", format=tarfile.PAX_FORMAT) as tar:
            if source.is_dir() and not source.is_symlink():
                for path, name in _walk(source, PurePosixPath()):
                    _add(tar, path, name)
            else:
                _add(tar, source, PurePosixPath(source.name))
    except OSError as error:
        raise PackingFailed(f"output {source.name!r} cannot be packed: {error}") from None
    with archive.open("rb") as packed:
        return hashlib.file_digest(packed, "sha256").hexdigest()


def _walk(directory: Path, name: PurePosixPath) -> Iterator[tuple[Path, PurePosixPath]]:
    for path in sorted(directory.iterdir(), key=lambda path: path.name):
        yield path, name / path.name
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, name / path.name)


def _add(tar: tarfile.TarFile, path: Path, name: PurePosixPath) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    member = tarfile.TarInfo(str(name))
    member.mode = 0o755 if stat.S_ISDIR(found.st_mode) or found.st_mode & 0o111 else 0o644
    if stat.S_ISREG(found.st_mode):
        member.size = found.st_size
        with path.open("rb") as content:
            tar.addfile(member, content)
    elif stat.S_ISDIR(found.st_mode):
        member.type = tarfile.DIRTYPE
        tar.addfile(member)
    elif stat.S_ISLNK(found.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, str(path.readlink())
        _check(name, member.linkname)
        tar.addfile(member)
    else:
        raise PackingFailed(f"{name} is neither a file, a directory nor a link")


def _check(name: PurePosixPath, target: str) -> None:
    """The same rule by which a centre unpacks."""
    parts = PurePosixPath(target).parts
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    if target.startswith("/") or climbs > len(name.parts) - 1 or ".." in parts[climbs:]:
        raise PackingFailed(f"{name} is a link that leads out of the output: {target[:200]!r}")
