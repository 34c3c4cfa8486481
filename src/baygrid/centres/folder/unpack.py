"""Unpacks a tar that a user made, without trusting it: nothing lands outside, nothing points outside, and
it may not be larger than allowed. (The standard library's own filter was bypassed several times, so this
is stricter and simpler: names are walked, links are never followed.)"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from baygrid.ports.archives import Member
from baygrid.ports.centre import StagingFailed

MAX_BYTES = 64 << 30
MAX_MEMBERS = 1_000_000


def unpack(archive: Path, into: Path, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS) -> None:
    """`into` must not exist yet. Raises StagingFailed."""
    into.mkdir(mode=0o700)
    left, links, count = max_bytes, set[PurePosixPath](), 0
    try:
        with tarfile.open(archive, "r:", tarinfo=Member) as tar:
            for member in tar:
                count += 1
                left -= member.size if member.isreg() else 0
                if count > max_members or left < 0:
                    raise StagingFailed(
                        f"the archive unpacks to more than {max_bytes} bytes or {max_members} files"
                    )
                _one(tar, member, into, links)
    except (tarfile.TarError, EOFError, OSError, ValueError, RecursionError) as error:
        raise StagingFailed(f"the archive cannot be unpacked: {error}") from None


def _one(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path, links: set[PurePosixPath]) -> None:
    path = _inside(member.name, links)
    if path == PurePosixPath():
        return
    target = into / path
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if member.isdir():
        if path in links:
            raise StagingFailed(f"{member.name!r} is a link and a directory at once")
        target.mkdir(mode=0o755, exist_ok=True)
        return
    if target.is_symlink() or target.exists():
        if target.is_dir() and not target.is_symlink():
            raise StagingFailed(f"{member.name!r} is a directory and a file at once")
        target.unlink()
        links.discard(path)
    if member.isreg():
        source = tar.extractfile(member)
        assert source is not None
        mode = 0o644 | (member.mode & 0o111)
        with source, target.open("xb") as out:
            os.fchmod(out.fileno(), mode)
            shutil.copyfileobj(source, out, 1 << 20)
        os.utime(target, (member.mtime, member.mtime))
    elif member.issym():
        _check_link(member, path)
        target.symlink_to(member.linkname)
        links.add(path)
    elif member.islnk():
        origin = into / _inside(member.linkname, links)
        if origin.is_symlink() or not origin.is_file():
            raise StagingFailed(
                f"{member.name!r} is a link to {member.linkname!r}, which is not in the archive"
            )
        target.hardlink_to(origin)
    else:
        raise StagingFailed(f"{member.name!r} is neither a file, a directory nor a link")


def _inside(name: str, links: set[PurePosixPath]) -> PurePosixPath:
    """`name` as a path below the top that passes through no link. Raises StagingFailed."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise StagingFailed(f"{name!r} leads out of its directory")
    if links and any(parent in links for parent in path.parents):
        raise StagingFailed(f"{name!r} lies behind a link")
    return path


def _check_link(member: tarfile.TarInfo, path: PurePosixPath) -> None:
    """A link may climb as far as the top and then only descend: so it stays inside whatever it passes
    through."""
    parts = PurePosixPath(member.linkname).parts
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    depth = len(path.parts) - 1
    if not parts or member.linkname.startswith("/") or climbs > depth or ".." in parts[climbs:]:
        raise StagingFailed(f"{member.name!r} is a link that leads outside: {member.linkname[:200]!r}")
