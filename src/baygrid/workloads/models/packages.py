"""Models inside installed packages: the very bytes that this code was tested with, or none."""

from __future__ import annotations

import hashlib
from importlib import util
from pathlib import Path

from baygrid.workloads.models import ModelMissing, ModelRefused


def file(package: str, name: str, sha256: str, extra: str) -> Path:
    """The file `name` (a path with slashes) inside the importable `package`, which `baygrid[extra]` brings.

    The package's code is not run. Raises ModelMissing where the package or the file is not there,
    ModelRefused where its bytes are others than those of `sha256` (64 hexadecimal digits)."""
    path = folder(package, extra) / name
    if not path.is_file():
        raise ModelMissing(f"{name} is not in the package {package}: {cure(extra, again=True)}")
    verify(path, sha256)
    return path


def folder(package: str, extra: str) -> Path:
    """Where the importable top-level `package` is installed. Raises ModelMissing where it is not."""
    found = util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModelMissing(f"the package {package} is missing: {cure(extra)}")
    return Path(found.submodule_search_locations[0])


def verify(path: Path, sha256: str) -> None:
    """Raises ModelRefused unless the file's bytes are those of `sha256`."""
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != sha256:
        raise ModelRefused(f"{path.name} has sha256 {found}, not {sha256}: not used")


def cure(extra: str, again: bool = False) -> str:
    """What to type for the packages of `baygrid[extra]`."""
    return f"pip install {'--force-reinstall ' if again else ''}'baygrid[{extra}]'"
