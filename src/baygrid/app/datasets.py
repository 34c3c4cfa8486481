"""Datasets: data under a name, in versions that never change, with where it is and what it was made from.

They belong to a project. A project reads those of its own organisation and those that are shared. Where the
law lets them go is judged for each job (`bars`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from baygrid.app import blobs
from baygrid.app.access import Action, Actor, may_read_dataset, permit
from baygrid.app.catalogue import RegionCopy
from baygrid.app.inputs import datasets_of, find_dataset
from baygrid.app.names import check_address, check_jurisdiction, check_name
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.app.projects import find_project
from baygrid.core.data.lineage import NOBODY_SAID, Content, joined
from baygrid.core.jobs.addresses import DATASET, address
from baygrid.core.jobs.locations import digest_of, is_uploaded
from baygrid.core.jobs.spec import JobSpec, parse
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, DatasetRecord, Event, JobRecord, Role
from baygrid.ports.store import Conflict, Exists, Tx

MAX_BYTES = 1 << 60
_BLOB = re.compile(r"blob:[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class New:
    """A version to be made. `sha256` and `bytes`: what the owner says of its content; of a blob they are
    known. `content`: what it is in law."""

    name: str
    uri: str
    jurisdiction: str
    sha256: str | None = None
    bytes: int | None = None
    shared: bool = False
    content: Content = NOBODY_SAID


@dataclass(frozen=True, slots=True)
class View:
    """`own`: the reader's organisation owns it. Others do not see where it is, nor what it was made from."""

    row: DatasetRecord
    own: bool


def create(platform: Platform, actor: Actor, project: str | None, new: New) -> View:
    """The next version of that name. Raises Invalid, NotFound, WrongState."""
    project = project or actor.project
    if project is None:
        raise Invalid.at("project", "is missing: say whose dataset it is")
    permit(actor, Action.USE, project=project)
    check_name("name", new.name)
    check_jurisdiction("jurisdiction", new.jurisdiction)
    uri, sha256, size = _content(platform, actor, project, new)
    now = platform.clock()

    def apply(tx: Tx) -> DatasetRecord:
        find_project(tx, project)
        made_by = actor.token_id
        row = DatasetRecord(
            project,
            new.name,
            0,
            new.jurisdiction,
            uri,
            sha256,
            size,
            new.shared,
            now,
            made_by,
            content=new.content,
        )
        return _insert(tx, row)

    try:
        return View(platform.store.write(apply), own=True)
    except Exists:
        raise WrongState(f"dataset {new.name!r} is just being changed: try again") from None


def _content(platform: Platform, actor: Actor, project: str, new: New) -> tuple[str, str | None, int | None]:
    if new.bytes is not None and not 0 <= new.bytes <= MAX_BYTES:
        raise Invalid.at("bytes", "must be how many bytes it has")
    if new.sha256 is not None and not _SHA256.fullmatch(new.sha256):
        raise Invalid.at("sha256", "must be 64 lower-case hex digits")
    if not is_uploaded(new.uri):
        at = check_address("uri", new.uri)
        if at.sha256 and new.sha256 and at.sha256 != new.sha256:
            raise Invalid.at("sha256", "is another one than the address has")
        return str(replace(at, sha256=None)), new.sha256 or at.sha256, new.bytes
    digest = digest_of(new.uri)
    if not _BLOB.fullmatch(new.uri) or not blobs.usable(platform, actor, project, digest):
        raise Invalid.at("uri", f"{new.uri[:80]} is not here: upload it first (PUT /v1/blobs/SHA256)")
    if new.sha256 not in (None, digest):
        raise Invalid.at("sha256", "is another one than the blob has")
    return new.uri, digest, blobs.size(platform, digest)


def _insert(tx: Tx, row: DatasetRecord) -> DatasetRecord:
    newest = tx.datasets.newest(row.project, row.name)
    row = replace(row, version=newest.version + 1 if newest else 1)
    tx.datasets.insert(row)
    data = {"dataset": row.ref, "bytes": row.bytes, "sha256": row.sha256}
    tx.events.append([Event(row.made_at, "dataset-made", row.project, row.job, data=data)])
    return row


def page(platform: Platform, actor: Actor, project: str | None, after: str | None, limit: int) -> list[View]:
    """The newest version of each that this actor may read, by project and name; `project`: only its own.
    `after`: a `project/name`."""
    owner, _, name = (after or "/").partition("/")

    def load(tx: Tx) -> list[View]:
        region = platform.catalogue.at(tx)
        if project is not None:
            permit(actor, Action.READ, project=project)
            wanted: Sequence[str] | None = [project]
        elif actor.role is Role.TEAM:
            permit(actor, Action.READ, project=actor.project)
            wanted = _siblings(region, actor.project or "")
        else:
            permit(actor, Action.OPERATE)
            wanted = None
        rows = tx.datasets.page(wanted, (owner, name), limit, shared=project is None)
        return [_view(region, actor, row) for row in rows]

    return platform.store.read(load)


def versions(platform: Platform, actor: Actor, project: str, name: str) -> list[View]:
    """Those that this actor may read, newest first. Raises NotFound where there is none."""

    def load(tx: Tx) -> list[View]:
        region = platform.catalogue.at(tx)
        if actor.role is Role.TEAM:
            permit(actor, Action.READ, project=actor.project)
        else:
            permit(actor, Action.OPERATE)
        rows = tx.datasets.versions(project, name)
        found = [_view(region, actor, row) for row in reversed(rows) if _readable(region, actor, row)]
        if not found:
            raise NotFound(f"there is no dataset {f'{project}/{name}'!r}")
        return found

    return platform.store.read(load)


def _siblings(region: RegionCopy, project: str) -> list[str]:
    own = region.organisations.get(project)
    return [name for name, organisation in region.organisations.items() if organisation == own]


def _view(region: RegionCopy, actor: Actor, row: DatasetRecord) -> View:
    own = actor.role is Role.OPERATOR or row.project in _siblings(region, actor.project or "")
    return View(row, own)


def _readable(region: RegionCopy, actor: Actor, row: DatasetRecord) -> bool:
    return actor.role is Role.OPERATOR or _may_use(region, actor.project or "", row)


def _may_use(region: RegionCopy, project: str, row: DatasetRecord) -> bool:
    own, owner = region.organisations.get(project, ""), region.organisations.get(row.project, "-")
    return may_read_dataset(project, own, owner, shared=row.shared)


# In jobs


def pin(tx: Tx, region: RegionCopy, specs: Sequence[JobSpec]) -> tuple[list[JobSpec], dict[str, int]]:
    """The jobs with their datasets named in full, the newest version where none was said; and the bytes of
    those whose size is known, by that name. It is the job's project that must be allowed to read them.
    Raises Invalid."""
    pinned: list[JobSpec] = []
    sizes: dict[str, int] = {}
    found: list[tuple[str, str]] = []
    for index, spec in enumerate(specs):
        inputs = dict(spec.inputs)
        for name, ref in spec.datasets.items():
            row = find_dataset(tx, spec.project, ref)
            if row is None or not _may_use(region, spec.project, row):
                path = f"jobs[{index}].inputs.{name}" if len(specs) > 1 else f"inputs.{name}"
                cure = "`baygrid datasets` lists those that it may read"
                found.append((path, f"there is no {ref} for project {spec.project!r}: {cure}"))
                continue
            inputs[name] = row.ref
            sizes[row.ref] = row.bytes or 0
        pinned.append(replace(spec, inputs=inputs))
    if found:
        raise Invalid.many(found)
    return pinned, sizes


def publish(
    tx: Tx,
    job: JobRecord,
    attempt: AttemptRecord,
    sizes: Mapping[str, int],
    jurisdiction: str,
    now: Instant,
) -> None:
    """Makes those outputs datasets that the job file names so; `sizes`: bytes by SHA-256, of what the centre
    has stored."""
    if not any(to.startswith(DATASET) for to in job.spec.get("outputs", {}).values()):
        return
    spec = parse(job.spec)
    lineage = tuple(_told(to) for _, to in sorted(spec.inputs.items()) if not is_uploaded(to))
    content = joined(_contents(tx, spec))
    for output, name in sorted(spec.published(job.index).items()):
        sha256 = attempt.outputs.get(output, "")
        if sha256 not in sizes:
            continue
        uri, size = f"blob:{sha256}", sizes[sha256]
        row = DatasetRecord(
            job.project,
            name,
            0,
            jurisdiction,
            uri,
            sha256,
            size,
            False,
            now,
            attempt.id,
            job.id,
            lineage,
            content,
        )
        try:
            _insert(tx, row)
        except Exists:
            raise Conflict(f"somebody else makes a version of {name} just now") from None


def _contents(tx: Tx, spec: JobSpec) -> Iterator[Content]:
    """What its inputs are in law: of what is no dataset nobody has said. Its workdir is its program."""
    known = datasets_of(tx, [spec])
    for place in spec.inputs.values():
        yield known[place].content if place in known else NOBODY_SAID


def _told(location: str) -> str:
    """A signature in a URI is nobody else's business."""
    return location if location.startswith(DATASET) else address(location).shown
