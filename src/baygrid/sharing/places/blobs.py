"""One of the region's own objects (`blob:SHA256`), read part by part."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from baygrid.ports.basics import ObjectStore
from baygrid.ports.reader import ReadFailed
from baygrid.sharing.places.parts import Parts
from baygrid.sharing.places.place import Entry

BLOB: Final = re.compile(r"blob:([0-9a-f]{64})")


class Blob:
    """Implements `Place`, with one file."""

    def __init__(self, sha256: str, objects: Callable[[], ObjectStore] | None) -> None:
        if objects is None:
            raise ReadFailed("this server has no objects to read")
        self._objects, self._sha256 = objects(), sha256
        size = self._objects.size(self._key)
        if size is None:
            raise ReadFailed(f"there is no blob:{sha256}")
        self._size = size

    @property
    def _key(self) -> str:
        return f"blobs/{self._sha256[:2]}/{self._sha256}"

    def entries(self, below: str = "") -> list[Entry]:
        return [] if below else [Entry(self._sha256, self._size, self._sha256, 0)]

    def open(self, path: str) -> Parts:
        if path != self._sha256:
            raise ReadFailed(f"{path[:200]} is not part of it")
        return Parts(self._size, lambda start, size: b"".join(self._objects.get(self._key, start, size)))
