"""Where the files of a job come from and go to: `workdir`, `inputs` and `outputs`."""

from __future__ import annotations

import re
from typing import Final

from baygrid.core.jobs import addresses, fields
from baygrid.core.reading import Wrong, shown

MAX_LOCATIONS: Final = 64
"""The most inputs, and the most outputs, of a job."""

_PREFIX: Final = "blob:"
_BLOB: Final = re.compile(r"blob:[0-9a-f]{64}")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters or more: C: is a drive
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_uploaded(location: str) -> bool:
    """Whether this is content that the server holds, not a path on the user's machine."""
    return location.startswith(_PREFIX)


def digest_of(uploaded: str) -> str:
    """The SHA-256 of content that is uploaded."""
    return uploaded.removeprefix(_PREFIX)


def path_or_blob(value: object) -> str:
    """A path on the user's machine, or "blob:" and the SHA-256 of uploaded content."""
    location = fields.text(value)
    if is_uploaded(location):
        if _BLOB.fullmatch(location) is None:
            raise Wrong(f"must be blob: and the 64 lower-case hex digits of a SHA-256, not {shown(value)}")
        return location
    return _path(location)


def input_location(value: object) -> str:
    """A path, uploaded content, a dataset or a URI; the last two in their normal form."""
    text = fields.text(value)
    if not addresses.is_address(text):
        return path_or_blob(text)
    if text.startswith(addresses.DATASET):
        return str(addresses.dataset(text))
    return str(addresses.address(text))


def result_location(value: object) -> str:
    """A path below the folder that the user runs the client in, or a dataset of the job's project to make."""
    text = fields.text(value)
    if not text.startswith(addresses.DATASET):
        return _result_folder(text)
    made = addresses.dataset(text)
    if made.project is not None or made.version is not None:
        cure = f"write {addresses.DATASET}{made.name}"
        raise Wrong(f"makes the next version of a dataset of the job's own project: {cure}")
    return str(made)


def _result_folder(value: str) -> str:
    folder = _path(value)
    if folder[0] in "/~" or "\\" in folder or ":" in folder or ".." in folder.split("/"):
        raise Wrong(f"must be a folder below this one such as results, not {shown(value)}")
    return folder


def _path(path: str) -> str:
    if not path.strip():
        raise Wrong("is empty: write a path, or take the field out")
    if _CONTROL.search(path):
        raise Wrong(f"has a line break or another control character: {shown(path)}")
    scheme = _SCHEME.match(path)
    if addresses.is_address(path):
        raise Wrong(f"must be a path, not {shown(path)}: only inputs come from datasets and URIs")
    if scheme:
        raise Wrong(f"{shown(scheme[0])} is no kind of address: use a path, or ./ before a path with a colon")
    return path
