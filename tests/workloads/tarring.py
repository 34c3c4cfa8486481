"""Tars for tests, well made and not."""

import io
import tarfile
from pathlib import Path


def tar(path: Path, members: dict[str, bytes], layout: int = tarfile.USTAR_FORMAT) -> Path:
    with tarfile.open(path, "w", format=layout) as file:
        for name, data in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            file.addfile(about, io.BytesIO(data))
    return path
