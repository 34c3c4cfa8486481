"""From a job file to its results: pack, send, submit, watch, fetch."""

from __future__ import annotations

import copy
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from baygrid.cli import blobs, jobfile
from baygrid.cli.errors import CliError
from baygrid.cli.ignore import exactly
from baygrid.cli.pack import Packed, pack
from baygrid.cli.shapes import UNITS, Array, Job, Submitted, count, money, size, tally
from baygrid.cli.watch import Watch
from baygrid.core.jobs.addresses import is_address
from baygrid.core.jobs.locations import is_uploaded

if TYPE_CHECKING:
    from baygrid.cli.jobfile import JobFile
    from baygrid.cli.session import Session


def prepare(session: Session, file: JobFile) -> dict[str, Any]:
    """The document with every path of the user's machine replaced by content that the server holds."""
    document = named(session, file)
    for target in _folders(file.spec.outputs).values():
        if Path(target).exists() and not Path(target).is_dir():
            raise CliError(f"outputs go to {target}, which is no folder", code="no-folder", cure="rename it")
    workdir = document.get("workdir")
    with tempfile.TemporaryDirectory(prefix="baygrid-") as into:
        if isinstance(workdir, str) and not is_uploaded(workdir):
            folder = _place(file, workdir)
            if not folder.is_dir():
                raise CliError(
                    f"workdir {workdir} is no folder", code="no-file", cure="correct it in the job file"
                )
            # Results of the last run must not make the next one's workdir another.
            results = [
                exactly(inside)
                for name in _folders(file.spec.outputs).values()
                if (inside := _below(name, folder))
            ]
            packed = pack(folder, Path(into), results)
            document["workdir"] = send(session, "workdir", packed)
        for name, location in (document.get("inputs") or {}).items():
            if not is_uploaded(location) and not is_address(location):
                packed = pack(_place(file, location), Path(into))
                document["inputs"][name] = send(session, f"input {name}", packed)
    return document


def _folders(outputs: Mapping[str, str]) -> dict[str, str]:
    """Those that come back; the others become datasets and stay in the region."""
    return {name: to for name, to in outputs.items() if not is_address(to)}


def named(session: Session, file: JobFile) -> dict[str, Any]:
    """A copy of the document with its project, which a file may leave out where there is only one."""
    document = copy.deepcopy(file.document)
    if not document.get("project"):
        document["project"] = session.own_project()
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


def send(session: Session, what: str, packed: Packed) -> str:
    """Uploads it; its address. The packed file is gone then."""
    try:
        with _Bar(session, f"sending {what}", packed.size) as bar:
            sent = blobs.upload(session.client, packed, bar.moved)
        how = "sent" if sent else "unchanged, the server has it"
        session.out.note(f"{what}: {count(packed.files, 'file')}, {size(packed.size)}, {how}")
    finally:
        packed.path.unlink(missing_ok=True)
    return packed.address


def submit(session: Session, files: list[JobFile], key: str | None = None) -> list[Submitted]:
    """Prepares and submits; what the server refuses is told with the lines of the file."""
    documents = [prepare(session, file) for file in files]
    for file in files:
        if file.spec.spot and file.spec.checkpoint.path is None:
            session.out.note(
                f"{file.name}: a spot job without checkpoint.path loses its work when it has to yield"
            )
    try:
        return session.client.submit(documents, key, session.out.note)
    except CliError as error:
        raise jobfile.with_lines(files, error) from error


def watch_to_the_end(session: Session, job: Job) -> Watch:
    """Shows the job until it is final. Ctrl-C leaves it running and raises KeyboardInterrupt."""
    from baygrid.cli.follow import follow

    watch = Watch(job)
    out = session.out
    on_terminal = out.err.isatty() and (out.as_json or out.out.isatty())
    if on_terminal:
        from rich.console import Console

        from baygrid.cli.live import LiveDisplay

        with LiveDisplay(watch, Console(file=out.err)) as live:
            follow(session.client, watch, live)
    else:
        from baygrid.cli.plain import PlainDisplay

        follow(session.client, watch, PlainDisplay(out, (sys.stderr if out.as_json else sys.stdout).buffer))
    return watch


def fetch_outputs(session: Session, job: Job, to: Path | None = None) -> list[dict[str, Any]]:
    """Downloads and unpacks what a job left behind: into the folders named in the job file, or each into its
    own folder below `to`. Says where."""
    wanted = job["spec"].get("outputs") or {}
    folders = _folders(wanted)
    fetched = []
    for output in session.client.get(f"/v1/jobs/{job['id']}/outputs")["items"]:
        if to is None and is_address(wanted.get(output["name"], "")):
            session.out.note(
                f"output {output['name']}: {size(output['size'])}, {_became(job, wanted, output)}"
            )
            continue
        folder = to / output["name"] if to is not None else Path(folders.get(output["name"], output["name"]))
        if job["array"] is not None:  # each element has a folder of its own
            folder /= str(job["index"])
        with _Bar(session, f"fetching {output['name']}", output["size"]) as bar:
            files = blobs.download(session.client, job["id"], output, folder, bar.moved)
        session.out.note(
            f"output {output['name']}: {count(files, 'file')}, {size(output['size'])}, in {folder}"
        )
        fetched.append({**output, "path": str(folder)})
    return fetched


def _became(job: Job, wanted: Mapping[str, str], output: Mapping[str, Any]) -> str:
    if job["state"] != "SUCCEEDED":
        return f"no dataset since the job did not succeed; `baygrid outputs {job['id']} --to DIR` fetches it"
    element = "" if job["index"] is None else f"-{job['index']}"
    return f"is {wanted[output['name']]}{element} now"


ASK_EVERY: Final = 2.0
"""Seconds between two questions how an array stands."""


def wait_for_array(session: Session, id: str) -> Array:
    """Tells how it stands, whenever that has changed, until its last element has ended."""
    told = ""
    while True:
        array = session.client.array(id)
        if tally(array) != told:
            told = tally(array)
            session.out.note(f"{id}: {told}")
        if not array["left"]:
            return array
        time.sleep(ASK_EVERY)


def fetch_array_outputs(session: Session, id: str, to: Path | None = None) -> list[dict[str, Any]]:
    """What its elements made, each into a folder with the name of its index."""
    fetched = []
    ended = [session.client.items("/v1/jobs", array=id, state=state) for state in ("SUCCEEDED", "FAILED")]
    for line in (line for lines in ended for line in lines):
        job = session.client.job(line["id"])
        if job["spec"].get("outputs"):
            fetched += [{**one, "index": job["index"]} for one in fetch_outputs(session, job, to)]
    return fetched


def report(watch: Watch, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The one object of `--wait --json`."""
    job, attempt = watch.job, watch.last_attempt
    return {
        "id": job["id"],
        "state": job["state"],
        "cause": job["cause"],
        "detail": job["detail"],
        "centre": job["centre"],
        "partition": job["partition"],
        "offer": job["offer"],
        "reasons": job["reasons"],
        "throughput": watch.log.throughput,
        "charge": job["charge"],
        "hold": watch.held,
        "exit_code": job["exit_code"],
        "outputs": outputs,
        "submitted_at": job["submitted_at"],
        "started_at": attempt["started_at"] if attempt else None,
        "ended_at": job["ended_at"],
    }


def summary(watch: Watch) -> list[str]:
    """The last lines for a person."""
    job = watch.job
    said = [watch.verdict()]
    throughput = watch.log.throughput
    rate = (throughput or {}).get("images_per_hour", (throughput or {}).get("units_per_hour"))
    if throughput and isinstance(rate, int | float) and rate > 0:
        unit = UNITS.get(str(throughput.get("unit")), "images")
        said.append(f"{rate:,.0f} {unit} an hour" if rate >= 100 else f"{rate:,.1f} {unit} an hour")
    said.append(f"charged {money(job['charge'])}; `baygrid bill {job['id']}` has the lines")
    return said


class _Bar:
    """A line of progress on stderr, where that is a terminal and something is worth one."""

    def __init__(self, session: Session, what: str, total: int) -> None:
        self._err, self._what, self._total = session.out.err, what, total
        self._shown = self._err.isatty() and total >= 1 << 20
        self._last = -1

    def __enter__(self) -> _Bar:
        return self

    def moved(self, now: int) -> None:
        share = 100 * now // max(1, self._total)
        if self._shown and share != self._last:
            self._last = share
            self._err.write(f"\r{self._what}: {share}% of {size(self._total)} ")
            self._err.flush()

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._err.write("\r\x1b[K")
            self._err.flush()
