"""The directory in which a driver has its attempts, each in a folder of its own."""

from __future__ import annotations

import stat
from pathlib import Path

from baygrid.centres.folder.files import Files, key_of


class Root:
    """Made if it is not there. `shared`: users whose jobs run in it pass through it, and list nothing."""

    def __init__(self, path: Path, *, shared: bool) -> None:
        self.path = path.resolve()
        mode = 0o711 if shared else 0o700
        self.path.mkdir(mode=mode, parents=True, exist_ok=True)
        if stat.S_IMODE(self.path.stat().st_mode) != mode:
            self.path.chmod(mode)
        self._keys: dict[str, str] = {}  # token -> key, to hash each once

    def key(self, token: str) -> str:
        key = self._keys.get(token)
        if key is None:
            key = self._keys[token] = key_of(token)
        return key

    def files(self, token: str) -> Files:
        """From any thread."""
        return self.at(key_of(token))

    def at(self, key: str) -> Files:
        return Files(f"{self.path}/{key}")

    def forget(self, token: str) -> None:
        """Of its key; the folder is the caller's to remove."""
        self._keys.pop(token, None)
