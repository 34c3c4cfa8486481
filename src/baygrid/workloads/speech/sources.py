"""The files to listen to: one, a folder of them, or an address that fsspec knows (s3://, https://, ...)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, cast

import fsspec
from fsspec.core import url_to_fs

from baygrid.workloads.application import ApplicationError

SUFFIXES: Final = frozenset({
    ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".amr", ".ape", ".asf", ".au", ".avi", ".caf", ".flac", ".flv",
    ".m4a", ".m4b", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".oga", ".ogg",
    ".opus", ".spx", ".ts", ".tta", ".w64", ".wav", ".weba", ".webm", ".wma", ".wmv", ".wv",
})  # fmt: skip
"""Endings by which files in a folder are taken for sound. A file that is named itself may end in anything."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file: `name` is what people see, relative to the folder; `url` is for fsspec; `size` in bytes."""

    name: str
    url: str
    size: int

    def open(self) -> BinaryIO:
        """Raises OSError and what the file system's library raises."""
        return cast(BinaryIO, fsspec.open(self.url, "rb").open())


def sources(where: str) -> list[Source]:
    """By name. Raises ApplicationError where there is nothing to listen to."""
    try:
        system, path = url_to_fs(where)
        found = list(_found(system, path))
    except ImportError as missing:
        raise ApplicationError(f"{where} cannot be read here: {missing}") from missing
    except (OSError, ValueError) as error:
        raise ApplicationError(f"{where} cannot be read: {error}") from error
    if not found:
        raise ApplicationError(f"no sound in {where} (looked for {' '.join(sorted(SUFFIXES))})")
    return sorted(found, key=lambda source: source.name)


def clean(name: str) -> str:
    """Without characters that act on a terminal or turn the reading around."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in name)


def _found(system: Any, path: str) -> Iterator[Source]:
    if not system.exists(path):
        raise ApplicationError(f"{path} is not there")
    if system.isfile(path):
        yield Source(clean(PurePosixPath(path).name), system.unstrip_protocol(path), system.size(path) or 0)
        return
    for file, about in system.find(path, detail=True).items():
        if Path(file).suffix.lower() in SUFFIXES:
            name = clean(PurePosixPath(file).relative_to(path).as_posix())
            yield Source(name, system.unstrip_protocol(file), about.get("size") or 0)
