"""The files to listen to: one, all below a folder or a prefix, or some that a web server has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.storage.listing import entries
from baygrid.workloads.storage.reading import file

SUFFIXES: Final = frozenset({
    ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".amr", ".ape", ".asf", ".au", ".avi", ".caf", ".flac", ".flv",
    ".m4a", ".m4b", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".oga", ".ogg",
    ".opus", ".spx", ".ts", ".tta", ".w64", ".wav", ".weba", ".webm", ".wma", ".wmv", ".wv",
})  # fmt: skip
"""Endings by which files in a folder are taken for sound. A file that is named itself may end in anything."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file: `name` is what people see, relative to the folder; `at` is its path or URL; `size` in bytes."""

    name: str
    at: str
    size: int

    def open(self) -> BinaryIO:
        """Raises OSError, as does reading what comes back."""
        return file(self.at)


def sources(asked: str) -> list[Source]:
    """By name. Raises ApplicationError where there is nothing to listen to."""
    found = [
        Source(entry.name, entry.at, entry.size)
        for entry in entries(asked)
        if entry.named or entry.unreadable or PurePosixPath(entry.name).suffix.lower() in SUFFIXES
    ]
    if not found:
        raise ApplicationError(f"no sound in {asked} (looked for {' '.join(sorted(SUFFIXES))})")
    return sorted(found, key=lambda source: source.name)
