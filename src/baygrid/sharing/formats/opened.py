"""A source's table, whatever its format, wherever it lies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from baygrid.ports.reader import Format, ReadFailed, Source
from baygrid.sharing.formats.delta import Delta
from baygrid.sharing.formats.parquet import Parquet
from baygrid.sharing.formats.table import Table
from baygrid.sharing.places.folders import folder
from baygrid.sharing.places.place import Place

_FILE: Final = re.compile(r"file://(/[^?#]+)")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator lets be read. `roots`: folders of this machine, all below them."""

    roots: tuple[Path, ...] = ()


def opened(source: Source, allowed: Allowed, scratch: Path, version: int | None = None) -> Table:
    """`scratch`: an empty folder of the reader's. Raises ReadFailed."""
    if version is not None and source.format is not Format.DELTA:
        raise ReadFailed(f"only a Delta table has versions, this is {source.format}")
    place = _place(source, allowed)
    if source.format is Format.DELTA:
        return Delta(place, scratch, version)
    return Parquet(place)


def _place(source: Source, allowed: Allowed) -> Place:
    if match := _FILE.fullmatch(source.uri):
        return folder(unquote(match[1]), allowed.roots)
    raise ReadFailed(f"{source.uri.partition('?')[0][:200]} is no address of a table")
