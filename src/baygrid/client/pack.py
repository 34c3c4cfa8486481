"""A folder or a file as one tar that is the same, byte for byte, whenever and wherever it is packed.

So its sha256 names it, and a workdir that did not change is never sent twice.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from baygrid.client.errors import BaygridError
from baygrid.client.ignore import FILE, Ignore

_MTIME: Final = 315_532_800
"""1980-01-01: a fixed time for every file, and the first that zip knows."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A tar on the disk, with its name in the server's store. The file is the packer's to delete."""

    path: Path
    sha256: str
    size: int
    files: int

    @property
    def address(self) -> str:
        return f"blob:{self.sha256}"


def pack(source: Path, into: Path, leave_out: Iterable[str] = ()) -> Packed:
    """Packs a folder's content, or one file under its own name. `into` is a folder for the tar.

    Raises BaygridError for what cannot travel: a link that leaves the folder, a socket, an unreadable file.
    """
    source = Path(os.path.abspath(source))  # noqa: PTH100 - resolve() would follow the link that must be judged
    if not source.exists():
        raise BaygridError(f"there is no {source}", code="no-file", cure="correct the path in the job file")
    handle, name = tempfile.mkstemp(dir=into, suffix=".tar")
    files = 0
    try:
        with os.fdopen(handle, "wb") as raw:
            hashing = _Hashing(raw)
            with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
                for path, inside in _members(source, leave_out):
                    _add(tar, path, inside, source)
                    files += 1
        return Packed(Path(name), hashing.sha256.hexdigest(), Path(name).stat().st_size, files)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class _Hashing:
    """A file that is hashed as it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return self._file.write(data)


def _members(source: Path, leave_out: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Every path to pack with its name inside, parents first, in an order that no file system changes."""
    if not source.is_dir():
        yield source.resolve(), source.name
        return
    ignore = Ignore.of(source, leave_out)
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(source / folder), key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            raise BaygridError(
                f"{source / folder} cannot be read: {error.strerror}", code="unreadable"
            ) from None
        below = []
        for entry in entries:
            inside = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if ignore.leaves_out(inside, is_folder=is_folder):
                continue
            yield Path(entry.path), inside
            if is_folder:
                below.append(inside)
        waiting += reversed(below)


def _add(tar: tarfile.TarFile, path: Path, inside: str, root: Path) -> None:
    """Adds one member with nothing in it but name, content, link and whether it can be executed."""
    try:
        found = path.lstat()
        member = tarfile.TarInfo(inside)
        member.mtime = _MTIME
        member.mode = 0o755 if found.st_mode & 0o100 else 0o644
        if stat.S_ISLNK(found.st_mode):
            member.type, member.linkname, member.mode = tarfile.SYMTYPE, _target(path, inside, root), 0o777
            tar.addfile(member)
        elif stat.S_ISDIR(found.st_mode):
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        elif stat.S_ISREG(found.st_mode):
            with path.open("rb") as file:
                member.size = os.fstat(file.fileno()).st_size
                tar.addfile(member, file)
        else:
            raise BaygridError(
                f"{inside} is a socket, a pipe or a device and cannot travel",
                code="unpackable",
                cure=f"name it in {FILE}",
            )
    except OSError as error:
        why = error.strerror or "it changed while it was packed"
        raise BaygridError(
            f"{path} cannot be packed: {why}", code="unreadable", cure=f"repair it, or name it in {FILE}"
        ) from None


def _target(path: Path, inside: str, root: Path) -> str:
    """Where a link points, if that is inside the folder: what it leaves for is not at the centre."""
    target = str(path.readlink())
    lexical = os.path.normpath(os.path.join(os.path.dirname(inside), target))  # noqa: PTH118, PTH120
    home = os.path.realpath(root)
    real = os.path.realpath(path)
    outside = lexical == ".." or lexical.startswith("../") or os.path.commonpath([home, real]) != home
    if os.path.isabs(target) or outside:  # noqa: PTH117
        raise BaygridError(
            f"the link {inside} leaves the folder: it points to {target}",
            code="link-leaves",
            cure=f"replace it by what it points to, or name it in {FILE}",
        )
    return target
