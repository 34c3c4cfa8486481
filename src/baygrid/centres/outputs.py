"""Packs an output: the same files give the same tar, so that what did not change is stored once.

Names sorted, no times, no owners, two modes. Links are packed as links, never followed; a link that leads
out of the output is left out, like anything that is neither file, directory nor link, and that is said.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOST_TOLD = 5


class PackingFailed(Exception):
    """What in the output cannot be packed."""


@dataclass(frozen=True, slots=True)
class Packed:
    """`left_out`: a sentence for each thing that could not travel."""

    sha256: str
    left_out: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """The same in one sentence; "" if nothing was left out."""
        more = len(self.left_out) - MOST_TOLD
        told = list(self.left_out[:MOST_TOLD]) + ([f"and {more} more"] if more > 0 else [])
        return f"left out of its outputs: {', '.join(told)}" if told else ""


def pack(source: Path, archive: Path) -> Packed:
    """Writes the tar of `source` (a directory, or a file by its own name)."""
    left_out: list[str] = []
    archive.unlink(missing_ok=True)  # a link that the job left there would be followed
    try:
        with tarfile.open(archive, "x", format=tarfile.PAX_FORMAT) as tar:
            if source.is_dir() and not source.is_symlink():
                for path, name in _walk(source, PurePosixPath()):
                    left_out += _add(tar, path, name)
            else:
                left_out += _add(tar, source, PurePosixPath(source.name))
    except OSError as error:
        raise PackingFailed(f"output {source.name!r} cannot be packed: {error}") from None
    with archive.open("rb") as packed:
        return Packed(hashlib.file_digest(packed, "sha256").hexdigest(), tuple(left_out))


def _walk(directory: Path, name: PurePosixPath) -> Iterator[tuple[Path, PurePosixPath]]:
    for path in sorted(directory.iterdir(), key=lambda path: path.name):
        yield path, name / path.name
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, name / path.name)


def _add(tar: tarfile.TarFile, path: Path, name: PurePosixPath) -> list[str]:
    """Why it was left out, if it was."""
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
        if _leads_out(name, member.linkname):
            return [f"{name} (a link that leads out of the output: {member.linkname[:200]!r})"]
        tar.addfile(member)
    else:
        return [f"{name} (neither a file, a directory nor a link)"]
    return []


def _leads_out(name: PurePosixPath, target: str) -> bool:
    """The same rule by which a centre unpacks."""
    parts = PurePosixPath(target).parts
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    return target.startswith("/") or climbs > len(name.parts) - 1 or ".." in parts[climbs:]
