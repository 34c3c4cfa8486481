"""Submitting jobs: check everything, then admit them; one transaction for one job or ten thousand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from baygrid.app import blobs, datasets, secrets
from baygrid.app.access import Action, Actor, permit
from baygrid.app.admission import Accepted, admit
from baygrid.app.catalogue import RegionCopy
from baygrid.app.names import unknown
from baygrid.app.once import Answered, Once, answered
from baygrid.app.platform import Platform
from baygrid.app.policies import check_queue
from baygrid.app.problems import Invalid
from baygrid.app.projects import find_project
from baygrid.core.jobs.spec import NO_VOUCHER, VOUCHER, JobSpec, parse, require_uploaded
from baygrid.core.pricing.budgets import notice
from baygrid.core.reading import DocumentError
from baygrid.ports.basics import Instant
from baygrid.ports.records import Project
from baygrid.ports.store import Tx

MAX_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Submitted(Answered):
    """`notice`: what people should know of their project's budget."""

    notice: str


def submit(
    platform: Platform,
    actor: Actor,
    documents: Sequence[object],
    *,
    project: str | None,
    once: Once | None,
    render: Callable[[Sequence[Accepted]], str],
) -> Submitted:
    """Queues all the jobs and arrays or none. They belong to one project: `project`, else what they say, else
    the actor's.

    Raises Invalid, Impossible (says the nearest that would fit), NotEnoughMoney, NotFound,
    IdempotencyMismatch.
    """
    specs = read_specs(actor, documents, project)
    project = specs[0].project
    permit(actor, Action.USE, project=project)
    sizes = _blob_sizes(platform, actor, specs)
    now = platform.clock()

    def apply(tx: Tx) -> Submitted:
        owner = find_project(tx, project)
        done = answered(tx, project, once, now, lambda: render(accepted(tx, owner)))
        return Submitted(done.answer, done.replayed, "" if done.replayed else _notice(tx, owner, now))

    def accepted(tx: Tx, owner: Project) -> Sequence[Accepted]:
        region = platform.catalogue.at(tx)
        check_places(region, specs)
        check_queues(region, specs, now)
        _check_deadlines(specs, now)
        _check_vouchers(tx, specs)
        check_currency(owner, specs)
        secrets.check(tx, actor, specs)
        pinned, known = datasets.pin(tx, region, specs)
        return admit(platform, tx, actor, owner, region, pinned, sizes | known, now)

    return platform.store.write(apply)


def _notice(tx: Tx, owner: Project, now: Instant) -> str:
    if owner.budget is None:
        return ""
    return notice(owner.name, owner.budget, find_project(tx, owner.name).spent(now))


def read_specs(
    actor: Actor, documents: Sequence[object], project: str | None, *, uploaded: bool = True
) -> list[JobSpec]:
    """Parses job files, telling all problems at once. `uploaded` False: files may be paths still."""
    if not 1 <= len(documents) <= MAX_BATCH:
        raise Invalid.at("jobs", f"send 1 to {MAX_BATCH} jobs at once, not {len(documents)}")
    default = project or actor.project
    specs: list[JobSpec] = []
    found: list[tuple[str, str]] = []
    for index, document in enumerate(documents):
        prefix = f"jobs[{index}]." if len(documents) > 1 else ""
        if default is not None and isinstance(document, Mapping) and document.get("project") is None:
            document = {**document, "project": default}
        try:
            spec = parse(document)
        except DocumentError as error:
            found += [(prefix + problem.path, problem.message) for problem in error.problems]
            continue
        if uploaded:
            found += [(prefix + problem.path, problem.message) for problem in require_uploaded(spec)]
        specs.append(spec)
        if spec.project != specs[0].project or (project is not None and spec.project != project):
            found.append((prefix + "project", "jobs that are sent together belong to one project"))
    if found:
        raise Invalid.many(found)
    return specs


def _blob_sizes(platform: Platform, actor: Actor, specs: Sequence[JobSpec]) -> dict[str, int]:
    """Bytes of every blob of the jobs, by its place. Raises Invalid for one that is not here for them."""
    sizes: dict[str, int] = {}
    for spec in specs:
        for path, sha256 in spec.blobs.items():
            if f"blob:{sha256}" in sizes:
                continue
            if not blobs.usable(platform, actor, spec.project, sha256):
                raise Invalid.at(path, f"blob:{sha256} is not here: upload it first (PUT /v1/blobs/SHA256)")
            sizes[f"blob:{sha256}"] = blobs.size(platform, sha256)
    return sizes


def check_places(region: RegionCopy, specs: Sequence[JobSpec]) -> None:
    """Raises Invalid for a centre or partition that `infra` names and nobody has."""
    found = []
    for index, spec in enumerate(specs):
        path = f"jobs[{index}].infra" if len(specs) > 1 else "infra"
        for place in (*spec.infra.places, *spec.infra.avoid):
            partitions = [part.name for part in region.partitions.get(place.centre, ())]
            if place.centre not in region.centres:
                found.append((path, unknown("centre", place.centre, list(region.centres))))
            elif place.partition and partitions and place.partition not in partitions:
                found.append((path, unknown(f"partition of {place.centre}", place.partition, partitions)))
    if found:
        raise Invalid.many(found)


def check_queues(region: RegionCopy, specs: Sequence[JobSpec], now: Instant) -> None:
    """Raises Invalid for a queue that is not there or not for its job."""
    policy = region.policy(now)
    for index, spec in enumerate(specs):
        check_queue(policy, spec, spec.project, f"jobs[{index}]." if len(specs) > 1 else "")


def check_currency(owner: Project, specs: Sequence[JobSpec]) -> None:
    """Raises Invalid for a limit in another currency than that of the project, which pays."""
    for index, spec in enumerate(specs):
        if spec.max_cost is not None and spec.max_cost.currency != owner.currency:
            path = f"jobs[{index}].budget.max_cost" if len(specs) > 1 else "budget.max_cost"
            raise Invalid.at(
                path, f"project {owner.name!r} pays in {owner.currency}, not {spec.max_cost.currency}"
            )


def _check_vouchers(tx: Tx, specs: Sequence[JobSpec]) -> None:
    """Raises Invalid for a voucher that its project does not have."""
    named = [spec for spec in specs if spec.voucher not in (VOUCHER, NO_VOUCHER)]
    known = tx.support.of_projects({spec.project for spec in named})
    for spec in named:
        ids = [it.id for it in known[spec.project]]
        if spec.voucher not in ids:
            raise Invalid.at("budget.voucher", unknown("voucher", spec.voucher, [VOUCHER, NO_VOUCHER, *ids]))


def _check_deadlines(specs: Sequence[JobSpec], now: Instant) -> None:
    found = [
        (f"jobs[{index}].deadline" if len(specs) > 1 else "deadline", "is past: take it out or correct it")
        for index, spec in enumerate(specs)
        if spec.deadline is not None and spec.deadline <= now
    ]
    if found:
        raise Invalid.many(found)
