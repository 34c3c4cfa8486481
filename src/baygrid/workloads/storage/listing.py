"""Which files are meant by what a user names: a file, a folder, a prefix of a bucket, an address."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.storage.buckets import S3, bucket
from baygrid.workloads.storage.names import Distinct, below, clean, words
from baygrid.workloads.storage.readable import NotThere
from baygrid.workloads.storage.reading import opened
from baygrid.workloads.storage.web import WEB

BRACES: Final = re.compile(r"\{(\d+)\.\.(\d+)\}")
MOST_IN_BRACES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A file: where it is (a path or URL), its name below what was asked for, its size in bytes, and whether
    it was itself asked for. `unreadable` is why nothing of it can be read, where it is a folder that could
    not be opened: whoever lists files has to tell it as an input that failed."""

    at: str
    name: str
    size: int
    named: bool = False
    unreadable: str = ""


def entries(asked: str) -> Iterator[Entry]:
    """The file, or all files below the folder or prefix, by name. Links to folders are not followed.

    `{00..12}` in a URL or path stands for each of the numbers. Names are those of files below a folder,
    whatever a server says, can be shown, and no two of them are alike. ApplicationError where nothing is
    there."""
    distinct = Distinct()
    for entry in _found(asked):
        name = distinct(clean(below(entry.name)))
        yield entry if name == entry.name else replace(entry, name=name)


def _found(asked: str) -> Iterator[Entry]:
    if found := BRACES.search(asked):
        first, last = found.groups()
        if len(last) > 18 or int(last) - int(first) >= MOST_IN_BRACES:
            raise ApplicationError(f"{asked} stands for more than {MOST_IN_BRACES:,} files")
        for number in range(int(first), int(last) + 1):
            numbered = str(number).zfill(len(first))
            yield from _found(f"{asked[: found.start()]}{numbered}{asked[found.end() :]}")
    elif asked.startswith(WEB):
        try:
            file = opened(asked)
        except NotThere as wrong:
            raise ApplicationError(f"{asked}: {wrong}") from wrong
        file.close()
        yield Entry(asked, asked.partition("?")[0].rpartition("/")[2], file.size, named=True)
    elif asked.startswith(S3):
        yield from _in_bucket(asked)
    else:
        yield from _on_disk(Path(asked.removeprefix("file://")))


def _on_disk(path: Path) -> Iterator[Entry]:
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:
        raise ApplicationError(f"{path}: {error.strerror or words(error)}") from error
    if is_folder:
        yield from _in_folder(path)
    elif is_there:
        yield Entry(str(path), path.name, _size(str(path)), named=True)
    else:
        raise ApplicationError(f"{path} is not there")


def _in_folder(path: Path) -> Iterator[Entry]:
    found: list[str] = []
    unreadable: dict[str, str] = {}

    def note(error: OSError) -> None:
        why = error.strerror or words(error)
        if error.filename == str(path):
            raise ApplicationError(f"{path}: {why}") from error
        found.append(error.filename)
        unreadable[error.filename] = why

    for folder, _, names in os.walk(path, onerror=note):
        found += [os.path.join(folder, name) for name in names]  # noqa: PTH118 - a million of them
    beginning = len(os.path.join(path, ""))  # noqa: PTH118
    for each in sorted(found):
        yield Entry(each, each[beginning:], _size(each), unreadable=unreadable.get(each, ""))


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # a link that leads nowhere, or round in a circle: whoever opens it will say so
        return 0


def _in_bucket(asked: str) -> Iterator[Entry]:
    from pyarrow import fs

    path = asked.removeprefix(S3).rstrip("/")
    try:
        about = bucket().get_file_info(path)
        if about.type == fs.FileType.File:
            yield Entry(asked, about.base_name, about.size, named=True)
            return
        found = bucket().get_file_info(fs.FileSelector(path, recursive=True))
    except (OSError, ValueError) as error:
        raise ApplicationError(f"{asked}: {words(error)}") from error
    files = [each for each in found if each.type == fs.FileType.File]
    for each in sorted(files, key=lambda each: str(each.path)):
        yield Entry(S3 + each.path, each.path[len(path) + 1 :], each.size)
