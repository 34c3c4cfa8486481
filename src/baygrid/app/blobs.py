"""Workdirs, inputs and outputs: content by its SHA-256."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.attempts import MONEY, left_checkpoint
from baygrid.app.inputs import datasets_of
from baygrid.app.jobs import find_job
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, TooLarge
from baygrid.core.jobs.checkpoint import OUTPUT
from baygrid.core.jobs.spec import parse
from baygrid.ports.records import Role, Want
from baygrid.ports.store import Tx

MAX_BLOB_BYTES = 8 * 1024**3
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BlobState:
    """`size`: of the whole blob, or how much of it has come so far."""

    whole: bool
    size: int


@dataclass(frozen=True, slots=True)
class Output:
    """What a job published under a name of its `outputs`: a tar."""

    name: str
    sha256: str
    size: int


def state(platform: Platform, actor: Actor, sha256: str) -> BlobState:
    """Whether this uploader has put this content, or how far it has come. What others put does not count."""
    owner = _owner(actor, sha256)
    size = platform.objects.size(_blob(sha256))
    if size is not None and platform.objects.size(_mark(owner, sha256)) is not None:
        return BlobState(True, size)
    return BlobState(False, platform.uploads.size(f"{owner}-{sha256}"))


def put(
    platform: Platform,
    actor: Actor,
    sha256: str,
    offset: int,
    total: int | None,
    chunks: Iterator[bytes],
    *,
    last: bool = True,
) -> BlobState:
    """Takes a stretch from `offset`. `total`: how long the whole is; where that is unknown (None) it is whole
    with the `last` stretch. Repeating is harmless.

    Raises Invalid for a gap and for content that does not have this hash (the upload is then dropped).
    """
    owner = _owner(actor, sha256)
    key = f"{owner}-{sha256}"
    if offset > platform.uploads.size(key):
        raise Invalid.at("offset", f"leaves a gap: go on from {platform.uploads.size(key)}")
    if total is not None and total > MAX_BLOB_BYTES:
        raise TooLarge(f"a blob may have at most {MAX_BLOB_BYTES // 1024**3} GiB")
    try:
        size = platform.uploads.append(key, offset, chunks, MAX_BLOB_BYTES if total is None else total)
    except ValueError:
        platform.uploads.drop(key)
        raise TooLarge("more came than was announced, or than a blob may have") from None
    if not last if total is None else size < total:
        return BlobState(False, size)
    digest = hashlib.sha256()
    for piece in platform.uploads.read(key):
        digest.update(piece)
    if digest.hexdigest() != sha256:
        platform.uploads.drop(key)
        raise Invalid.at("body", f"has the SHA-256 {digest.hexdigest()}, not the one in the address")
    platform.objects.put(_blob(sha256), platform.uploads.read(key))
    platform.objects.put(_mark(owner, sha256), iter(()))
    platform.uploads.drop(key)
    return BlobState(True, size)


def get(platform: Platform, actor: Actor, sha256: str) -> tuple[int, Iterator[bytes]]:
    """A team gets what its project put; an agent what the attempts at its centre need."""
    owner = _owner(actor, sha256)
    needed = actor.role is Role.CENTRE and platform.store.read(lambda tx: _needed(tx, actor, sha256))
    if not needed and platform.objects.size(_mark(owner, sha256)) is None:
        raise NotFound(f"there is no blob {sha256}")
    return _open(platform, sha256)


def usable(platform: Platform, actor: Actor, project: str, sha256: str) -> bool:
    """Whether this actor may use the blob in a job of this project: the project put it, or the actor."""
    owners = (f"project-{project}", _owner(actor, sha256))
    return any(platform.objects.size(_mark(owner, sha256)) is not None for owner in owners)


def size(platform: Platform, sha256: str) -> int:
    """Bytes of a blob that is here."""
    return platform.objects.size(_blob(sha256)) or 0


def size_of_centres(platform: Platform, centre: str, sha256: str) -> int | None:
    """Bytes of a blob that this centre has put; None for any other."""
    if _SHA256.fullmatch(sha256) is None or platform.objects.size(_mark(f"centre-{centre}", sha256)) is None:
        return None
    return platform.objects.size(_blob(sha256))


def outputs(platform: Platform, actor: Actor, job: str) -> list[Output]:
    """What the job's last attempt published; where that did not succeed, what there was. A checkpoint is no
    result, unless the money was used up."""

    def load(tx: Tx) -> dict[str, str]:
        wanted = find_job(tx, actor, Action.READ, job).spec.get("outputs", {})
        attempts = tx.attempts.of_jobs([job])
        last = attempts[-1] if attempts else None
        if last is None or left_checkpoint(last):
            return {}
        names = {*wanted, OUTPUT} if last.cause == MONEY else set(wanted)
        return {name: sha256 for name, sha256 in last.outputs.items() if name in names}

    return [
        Output(name, sha256, platform.objects.size(_blob(sha256)) or 0)
        for name, sha256 in sorted(platform.store.read(load).items())
    ]


def output(platform: Platform, actor: Actor, job: str, name: str) -> tuple[int, Iterator[bytes]]:
    for found in outputs(platform, actor, job):
        if found.name == name:
            return _open(platform, found.sha256)
    raise NotFound(f"job {job!r} has no output {name!r}")


def _owner(actor: Actor, sha256: str) -> str:
    if _SHA256.fullmatch(sha256) is None:
        raise Invalid.at("sha256", "must be 64 lower-case hex digits")
    permit(actor, Action.STORE, project=actor.project, centre=actor.centre)
    if actor.role is Role.CENTRE:
        return f"centre-{actor.centre}"
    return "operator" if actor.role is Role.OPERATOR else f"project-{actor.project}"


def _needed(tx: Tx, actor: Actor, sha256: str) -> bool:
    attempts = [a for a in tx.attempts.wanted(actor.centre or "", 0) if a.want is Want.RUN]
    jobs = tx.jobs.get([attempt.job for attempt in attempts])
    specs = [parse(job.spec) for job in jobs.values()]
    return (
        any(sha256 == job.checkpoint for job in jobs.values())
        or any(sha256 in spec.blobs.values() for spec in specs)
        or any(row.uri == f"blob:{sha256}" for row in datasets_of(tx, specs).values())
    )


def _open(platform: Platform, sha256: str) -> tuple[int, Iterator[bytes]]:
    size = platform.objects.size(_blob(sha256))
    if size is None:
        raise NotFound(f"there is no blob {sha256}")
    return size, platform.objects.get(_blob(sha256))


def _blob(sha256: str) -> str:
    return f"blobs/{sha256[:2]}/{sha256}"


def _mark(owner: str, sha256: str) -> str:
    return f"owners/{owner}/{sha256}"
