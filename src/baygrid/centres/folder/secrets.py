"""The secrets of an attempt at a centre: files that only its job reads, and a log that does not show them.

`secrets/NAME` in its directory is the job's. What is to be masked is kept beside the directories, where no
job reaches, so that a job which removes its own files hides nothing less. A value is masked by as many `*`
as it has bytes: a log's offsets stay what they are, whoever reads which stretch of it, and after any restart.
When the attempt has ended, its log is overwritten in the same way and all the rest is removed.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import orjson

from baygrid.centres.folder.files import Files
from baygrid.ports.centre import StagingFailed

FOLDER: Final = "secrets"
VARIABLE: Final = "BAYGRID_SECRETS"
_LINE: Final = 16
"""Bytes of a line of a value (a private key, say) from which on it is masked by itself, too."""
_BLOCK: Final = 1 << 20


def keep(files: Files, names: Sequence[str], values: Mapping[str, str]) -> None:
    """Before the job starts. Repeatable. Raises StagingFailed, OSError."""
    missing = sorted({*names} - values.keys())
    if missing:
        raise StagingFailed(f"the server did not send secret {missing[0]}")
    masks = _masks_path(files)
    masks.parent.mkdir(mode=0o700, exist_ok=True)
    masks.unlink(missing_ok=True)
    secret = _patterns([values[name] for name in names])
    Files(str(masks.parent)).write(masks.name, orjson.dumps([one.decode() for one in secret]))
    with suppress(FileExistsError):
        os.mkdir(files.path(FOLDER), 0o700)  # noqa: PTH102 - paths are texts here
    for name in names:
        files.replace(f"{FOLDER}/{name}", values[name].encode())


def exports(names: Sequence[str]) -> str:
    """Shell commands that put each into the environment of what follows. They name files, no values."""
    read = '{0}=$(cat "${1}/{0}" && echo x) || exit 74\nexport {0}="${{{0}%x}}"\n'
    return "".join(read.format(name, VARIABLE) for name in names)


def read_log(files: Files, offset: int, limit: int) -> bytes:
    """As `Files.log`, masked. What may yet become a secret waits until more has come, or the
    attempt has ended."""
    secret = _load(files)
    if not secret:
        return files.log(offset, limit)
    reach = max(map(len, secret)) - 1
    begin = max(0, offset - reach)
    wanted = offset - begin + limit
    raw = files.log(begin, wanted + reach)
    if len(raw) < wanted + reach:
        wanted = min(wanted, len(raw) - _unfinished(raw, secret))
    return mask(raw, secret)[offset - begin : max(wanted, 0)]


def mask(data: bytes, secret: Sequence[bytes]) -> bytes:
    """`data` with a `*` in the place of each byte of each occurrence."""
    shown = bytearray(data)
    for start, end in _hits(data, secret):
        shown[start:end] = b"*" * (end - start)
    return bytes(shown)


def settle(files: Files) -> None:
    """The attempt has ended, or never will begin: nothing of its secrets stays. Where the disk refuses that,
    what is read goes on being masked."""
    masks = _masks_path(files)
    if not os.path.lexists(masks):
        return
    with suppress(OSError):
        _scrub(files, _load(files))
        _remove(files.path(FOLDER))
        masks.unlink(missing_ok=True)


def forget(files: Files) -> None:
    """Nobody reads its log any more."""
    with suppress(FileNotFoundError):
        _masks_path(files).unlink()


def _masks_path(files: Files) -> Path:
    folder = Path(files.dir)
    return folder.parent / ".masks" / folder.name


def _patterns(values: Sequence[str]) -> list[bytes]:
    """What is masked: each value, without the line break at its end, and its long lines."""
    found: set[bytes] = set()
    for value in values:
        text = value.strip("\r\n").encode()
        found |= {text} | {line for line in text.splitlines() if len(line) >= _LINE}
    return sorted(found - {b""})


def _load(files: Files) -> list[bytes]:
    try:
        return [text.encode() for text in orjson.loads(_masks_path(files).read_bytes())]
    except FileNotFoundError:
        return []


def _hits(data: bytes, secret: Sequence[bytes]) -> list[tuple[int, int]]:
    found = []
    for one in secret:
        at = data.find(one)
        while at >= 0:
            found.append((at, at + len(one)))
            at = data.find(one, at + 1)
    return found


def _unfinished(data: bytes, secret: Sequence[bytes]) -> int:
    """How many bytes at the end are the beginning of a secret."""
    longest = 0
    for one in secret:
        for size in range(min(len(one) - 1, len(data)), longest, -1):
            if data.endswith(one[:size]):
                longest = size
                break
    return longest


def _scrub(files: Files, secret: Sequence[bytes]) -> None:
    """Overwrites them in the log, in its place. A log that is not a file of its own (the job put a link
    there) is removed: writing to it could be writing to anything."""
    path = files.path("log")
    if not secret or not os.path.lexists(path):
        return
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        _remove(path)
        return
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            _remove(path)
            return
        _overwrite(descriptor, secret)
    finally:
        os.close(descriptor)


def _overwrite(descriptor: int, secret: Sequence[bytes]) -> None:
    reach = max(map(len, secret)) - 1
    at, tail = 0, b""
    while block := os.pread(descriptor, _BLOCK, at + len(tail)):
        data = tail + block
        for start, end in _hits(data, secret):
            os.pwrite(descriptor, b"*" * (end - start), at + start)
        tail = data[-reach:] if reach else b""
        at += len(data) - len(tail)


def _remove(path: str) -> None:
    """A file, a link or a folder; links are not followed."""
    if Path(path).is_dir() and not Path(path).is_symlink():
        shutil.rmtree(path)
    else:
        Path(path).unlink(missing_ok=True)
