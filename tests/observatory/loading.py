"""A registry of files in a server, and a small sample."""

from __future__ import annotations

import hashlib
from pathlib import Path

from baygrid.app import blobs, registry_import
from baygrid.app.platform import Platform
from tests.app.stage import OPERATOR

FEW = {
    2022: {"qianhai": (4, 4, 9), "rest": (6, 9, 20)},
    2023: {"qianhai": (5, 6, 12), "rest": (8, 13, 25)},
}


def load(platform: Platform, folder: Path) -> None:
    files = {}
    for path in folder.iterdir():
        content = path.read_bytes()
        files[path.name] = hashlib.sha256(content).hexdigest()
        blobs.put(platform, OPERATOR, files[path.name], 0, len(content), iter([content]))
    done = registry_import.run(platform, OPERATOR, files, None, dry=False)
    assert done.imported, done.findings[:3]
