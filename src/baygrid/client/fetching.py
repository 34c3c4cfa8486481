"""What jobs made comes back: into the folders that their files name, or below one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baygrid.client import blobs
from baygrid.client.preparing import folders
from baygrid.client.wire import Job, count, size
from baygrid.core.jobs.addresses import is_address

if TYPE_CHECKING:
    from baygrid.client.connection import Connection
    from baygrid.client.telling import Teller


def fetch(connection: Connection, job: Job, teller: Teller, to: Path | None = None) -> list[dict[str, Any]]:
    """Downloads and unpacks what a job left behind: into the folders named in the job file, or each into its
    own folder below `to`. Tells where; what became a dataset stays in the region unless `to` is given."""
    wanted = job["spec"].get("outputs") or {}
    own = folders(wanted)
    fetched = []
    for output in connection.get(f"/v1/jobs/{job['id']}/outputs")["items"]:
        if to is None and is_address(wanted.get(output["name"], "")):
            teller.note(f"output {output['name']}: {size(output['size'])}, {_became(job, wanted, output)}")
            continue
        folder = to / output["name"] if to is not None else Path(own.get(output["name"], output["name"]))
        if job["array"] is not None:  # each element has a folder of its own
            folder /= str(job["index"])
        with teller.moving(f"fetching {output['name']}", output["size"]) as moved:
            files = blobs.download(connection, job["id"], output, folder, moved)
        teller.note(f"output {output['name']}: {count(files, 'file')}, {size(output['size'])}, in {folder}")
        fetched.append({**output, "path": str(folder)})
    return fetched


def _became(job: Job, wanted: Mapping[str, str], output: Mapping[str, Any]) -> str:
    if job["state"] != "SUCCEEDED":
        return f"no dataset since the job did not succeed; `baygrid outputs {job['id']} --to DIR` fetches it"
    element = "" if job["index"] is None else f"-{job['index']}"
    return f"is {wanted[output['name']]}{element} now"


def fetch_array(
    connection: Connection, array: str, teller: Teller, to: Path | None = None
) -> list[dict[str, Any]]:
    """What its elements made, each into a folder with the name of its index."""
    fetched = []
    ended = [connection.items("/v1/jobs", array=array, state=state) for state in ("SUCCEEDED", "FAILED")]
    for line in (line for lines in ended for line in lines):
        job = connection.job(line["id"])
        if job["spec"].get("outputs"):
            fetched += [{**one, "index": job["index"]} for one in fetch(connection, job, teller, to)]
    return fetched
