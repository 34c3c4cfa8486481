"""From a job file to what is submitted: what it names on this machine is packed and sent."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baygrid.client import blobs, jobfile
from baygrid.client.errors import BaygridError
from baygrid.client.ignore import exactly
from baygrid.client.pack import Packed, pack
from baygrid.client.wire import Submitted, count, size
from baygrid.core.jobs.addresses import is_address
from baygrid.core.jobs.locations import is_uploaded

if TYPE_CHECKING:
    from baygrid.client.connection import Connection
    from baygrid.client.jobfile import JobFile
    from baygrid.client.telling import Teller


def submit(
    connection: Connection, files: list[JobFile], teller: Teller, key: str | None = None
) -> list[Submitted]:
    """Prepares and submits; what the server refuses is told with the lines of the file."""
    documents = [prepare(connection, file, teller) for file in files]
    for file in files:
        if file.spec.spot and file.spec.checkpoint.path is None:
            teller.note(
                f"{file.name}: a spot job without checkpoint.path loses its work when it has to yield"
            )
    try:
        return connection.submit(documents, key, teller.note)
    except BaygridError as error:
        raise jobfile.with_lines(files, error) from error


def prepare(connection: Connection, file: JobFile, teller: Teller) -> dict[str, Any]:
    """The document with every path of the user's machine replaced by content that the server holds."""
    document = named(connection, file)
    for target in folders(file.spec.outputs).values():
        if Path(target).exists() and not Path(target).is_dir():
            raise BaygridError(
                f"outputs go to {target}, which is no folder", code="no-folder", cure="rename it"
            )
    workdir = document.get("workdir")
    with tempfile.TemporaryDirectory(prefix="baygrid-") as into:
        if isinstance(workdir, str) and not is_uploaded(workdir):
            folder = _place(file, workdir)
            if not folder.is_dir():
                raise BaygridError(
                    f"workdir {workdir} is no folder", code="no-file", cure="correct it in the job file"
                )
            # Results of the last run must not make the next one's workdir another.
            results = [
                exactly(inside)
                for name in folders(file.spec.outputs).values()
                if (inside := _below(name, folder))
            ]
            packed = pack(folder, Path(into), results)
            document["workdir"] = send(connection, "workdir", packed, teller)
        for name, location in (document.get("inputs") or {}).items():
            if not is_uploaded(location) and not is_address(location):
                packed = pack(_place(file, location), Path(into))
                document["inputs"][name] = send(connection, f"input {name}", packed, teller)
    return document


def folders(outputs: Mapping[str, str]) -> dict[str, str]:
    """Those that come back; the others become datasets and stay in the region."""
    return {name: to for name, to in outputs.items() if not is_address(to)}


def named(connection: Connection, file: JobFile) -> dict[str, Any]:
    """A copy of the document with its project, which a file may leave out where there is only one."""
    document = copy.deepcopy(file.document)
    if not document.get("project"):
        document["project"] = connection.own_project()
    return document


def _place(file: JobFile, path: str) -> Path:
    """Paths of a job file start at the file, so that it means the same wherever it is called from."""
    return file.folder / Path(path).expanduser()


def _below(results: str, folder: Path) -> str | None:
    """The results' folder as a path inside the workdir, if it lies there."""
    try:
        inside = Path(results).resolve().relative_to(folder.resolve())
    except ValueError:
        return None
    return inside.as_posix() if inside.parts else None


def send(connection: Connection, what: str, packed: Packed, teller: Teller) -> str:
    """Uploads it; its address. The packed file is gone then."""
    try:
        with teller.moving(f"sending {what}", packed.size) as moved:
            sent = blobs.upload(connection, packed, moved)
        how = "sent" if sent else "unchanged, the server has it"
        teller.note(f"{what}: {count(packed.files, 'file')}, {size(packed.size)}, {how}")
    finally:
        packed.path.unlink(missing_ok=True)
    return packed.address
