"""A claim for an authority as one file: a zip or folder of a bundle and the claim as a table (CSV)."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from baygrid.core.pricing.recompute.difference import NOTHING, Difference, Place
from baygrid.papers.sheet import SHEETS, sheet
from baygrid.papers.words import LANGUAGES
from baygrid.ports.bundles import Unreadable

BUNDLE: Final = "bundle.json"
MOST_BYTES: Final = 1 << 30
"""Of each file: far more than a region's month."""
_SIGNATURE: Final = b"PK"
# Time is left out, so that the same claim is the same file.
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)


def packed(parts: Mapping[str, bytes]) -> bytes:
    """A zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def table_of(paper: Mapping[str, Any]) -> str:
    """What the file of a paper's table is called."""
    return f"{paper['kind']}-{paper.get('number', paper.get('project'))}.csv"


def differing(papers: Sequence[Mapping[str, Any]], tables: Mapping[str, bytes]) -> Difference | None:
    """The first line of a table that is not as its paper has it, in whichever language it is written."""
    of = {table_of(paper): paper for paper in papers if paper["kind"] in SHEETS}
    for name, data in tables.items():
        if name not in of:
            return Difference(Place(name), "a file", "nothing, since no paper of the bundle is called so")
        sheets = [sheet(of[name], language) for language in LANGUAGES]
        if data not in sheets:
            head = data.split(b"\n", 1)[0]
            right = next((it for it in sheets if it.split(b"\n", 1)[0] == head), sheets[0])
            return _line(name, data, right)
    return None


def _line(name: str, data: bytes, right: bytes) -> Difference:
    rows = zip_longest(data.split(b"\n"), right.split(b"\n"))
    number, (was, should) = next((n, row) for n, row in enumerate(rows, 1) if row[0] != row[1])
    told = (
        NOTHING if it is None else it.decode(errors="replace").strip() or "an empty line"
        for it in (was, should)
    )
    return Difference(Place(name, part=f"line {number}"), *told)


def parts_of(path: Path) -> dict[str, bytes]:
    """By name: of a folder or a zip what is in it, of another file itself as `BUNDLE`. Raises OSError,
    Unreadable."""
    if path.is_dir():
        return _checked({it.name: _read(it) for it in sorted(path.iterdir()) if it.is_file()})
    data = _read(path)
    return _checked(_unpacked(data)) if data.startswith(_SIGNATURE) else {BUNDLE: data}


def _checked(parts: dict[str, bytes]) -> dict[str, bytes]:
    if BUNDLE not in parts:
        raise Unreadable(f"there is no {BUNDLE} in it")
    return parts


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    return _limited(path.name, data)


def _limited(name: str, data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise Unreadable(f"{name} is larger than 1 GiB")
    return data


def _unpacked(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if name in found:
                    raise Unreadable(f"it has {name[:80]!r} twice")
                with archive.open(name) as file:
                    found[name] = _limited(name, file.read(MOST_BYTES + 1))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Unreadable(f"it is a damaged zip: {error}") from None
    return found
