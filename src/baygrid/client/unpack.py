"""Results from a centre are unpacked as if they came from a stranger: nothing lands outside the folder."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path
from typing import IO

from baygrid.client.errors import BaygridError
from baygrid.ports.archives import Member


def unpack(file: IO[bytes], into: Path) -> int:
    """Unpacks a tar over a folder and counts its files. Older files of the same name are replaced.

    Raises BaygridError for a member that would land outside, or is no file, folder or link; what came before
    it stays.
    """
    into.mkdir(parents=True, exist_ok=True)
    root = Path(os.path.realpath(into))
    links: list[Path] = []
    count = 0
    try:
        with tarfile.open(fileobj=file, mode="r|", tarinfo=Member) as tar:
            for member in tar:
                count += _extract(tar, member, root, links)
        for link in links:  # one link alone may look harmless, and leave the folder through a later one
            if not _is_inside(link, root):
                link.unlink()
                raise _outside(str(link.relative_to(root)))
    except (tarfile.TarError, EOFError, ValueError, RecursionError) as error:
        raise BaygridError(f"the result is no whole tar: {error}", code="bad-output") from error
    except OSError as error:
        raise BaygridError(
            f"the result cannot be unpacked into {into}: {error}", code="bad-output"
        ) from error
    return count


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path, links: list[Path]) -> int:
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    if member.name.startswith("/") or ".." in parts:
        raise _outside(member.name)
    if not parts:
        return 0
    path = root.joinpath(*parts)
    _inside(path.parent, root, member.name)
    if member.isdir():
        _inside(path, root, member.name)
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.is_file():
        path.unlink()  # never written through: a link could point anywhere
    if member.issym():
        target = os.path.normpath(os.path.join(os.path.realpath(path.parent), member.linkname))  # noqa: PTH118
        _inside(Path(target), root, member.name)
        path.symlink_to(member.linkname)
        links.append(path)
    elif member.islnk():
        source = root.joinpath(*member.linkname.split("/"))
        _inside(source, root, member.name)
        shutil.copyfile(source, path)
    elif member.isreg():
        content = tar.extractfile(member)
        assert content is not None  # a regular file has content
        with path.open("xb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        path.chmod(0o755 if member.mode & 0o100 else 0o644)
    else:
        raise BaygridError(
            f"the result has {member.name!r}, which is no file, folder or link", code="bad-output"
        )
    return 1


def _inside(path: Path, root: Path, name: str) -> None:
    if not _is_inside(path, root):
        raise _outside(name)


def _is_inside(path: Path, root: Path) -> bool:
    """Through whatever links are on the way."""
    real = Path(os.path.realpath(path))
    return real == root or root in real.parents


def _outside(name: str) -> BaygridError:
    return BaygridError(
        f"the result has {name!r}, which would land outside its folder",
        code="bad-output",
        cure="ask who ran the job",
    )
