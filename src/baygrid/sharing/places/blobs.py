"""One of the region's own objects (`blob:SHA256`), read part by part: a file, or the folder of which it is
the tar, as `baygrid datasets create --from` sends them."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable
from typing import Final

from baygrid.ports.basics import ObjectStore
from baygrid.ports.reader import ReadFailed
from baygrid.sharing.places.parts import Parts
from baygrid.sharing.places.place import MAX_FILES, Entry, safe

BLOB: Final = re.compile(r"blob:([0-9a-f]{64})")
_MAGIC: Final = (257, b"ustar")
"""Where a tar says that it is one."""


class Blob:
    """Implements `Place`."""

    def __init__(self, sha256: str, objects: Callable[[], ObjectStore] | None) -> None:
        if objects is None:
            raise ReadFailed("this server has no objects to read")
        self._objects, self._sha256 = objects(), sha256
        size = self._objects.size(self._key)
        if size is None:
            raise ReadFailed(f"there is no blob:{sha256}")
        at, magic = _MAGIC
        tar = size > at and self._read(at, len(magic)) == magic
        self._members = self._listed(size) if tar else {sha256: (0, size)}

    @property
    def _key(self) -> str:
        return f"blobs/{self._sha256[:2]}/{self._sha256}"

    def entries(self, below: str = "") -> list[Entry]:
        inside = f"{below}/" if below else ""
        return [
            Entry(path, size, self._sha256, 0)
            for path, (_, size) in sorted(self._members.items())
            if path.startswith(inside)
        ]

    def open(self, path: str) -> Parts:
        if path not in self._members:
            raise ReadFailed(f"{path[:200]} is not part of it")
        begin, size = self._members[path]
        return Parts(size, lambda start, count: self._read(begin + start, count))

    def _read(self, start: int, size: int) -> bytes:
        return b"".join(self._objects.get(self._key, start, size))

    def _listed(self, size: int) -> dict[str, tuple[int, int]]:
        """Where each file of the tar begins, and how long it is."""
        found: dict[str, tuple[int, int]] = {}
        whole = io.BufferedReader(Parts(size, self._read))
        try:
            with tarfile.open(fileobj=whole, mode="r:") as tar:
                for member in tar:
                    if member.isreg():
                        found["/".join(safe(member.name.removeprefix("./")))] = (
                            member.offset_data,
                            member.size,
                        )
                    if len(found) > MAX_FILES:
                        raise ReadFailed(f"it has more than {MAX_FILES} files")
        except tarfile.TarError:
            raise ReadFailed("it looks like a tar and cannot be read as one") from None
        return found
