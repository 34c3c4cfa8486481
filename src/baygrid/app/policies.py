"""The region's placement policy: set and read; and what it lets a job ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from baygrid.app.access import Action, Actor, permit
from baygrid.app.catalogue import RegionCopy
from baygrid.app.names import unknown
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid
from baygrid.core.jobs.spec import JobSpec
from baygrid.core.placement.image import CentreView, Partition
from baygrid.core.placement.policy import PLAIN, PRIORITIES, Policy, Reserved
from baygrid.core.placement.policy_file import parse, to_document
from baygrid.core.reading import DocumentError
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event, PolicyRecord, Role
from baygrid.ports.store import Tx

ALWAYS_MANAGED = frozenset({"local"})
"""Drivers that start a job on the nodes that the order names, and nowhere else."""


def policy(platform: Platform, actor: Actor) -> PolicyRecord | None:
    """The one in force, as this actor may see it; None: nothing has been declared."""
    _may_read(actor)
    row = platform.store.read(lambda tx: tx.policies.in_force(platform.clock()))
    return None if row is None else _seen_by(actor, row)


def history(platform: Platform, actor: Actor) -> list[PolicyRecord]:
    """All there ever were and those that have yet to begin, newest first."""
    _may_read(actor)
    rows = platform.store.read(lambda tx: tx.policies.history())
    return [_seen_by(actor, row) for row in reversed(rows)]


def set_policy(
    platform: Platform, actor: Actor, document: object, valid_from: Instant | None
) -> PolicyRecord:
    """In force from now on, or from a later time; what was decided before stays as it was. Raises Invalid
    with every mistake, also for names that the region does not have."""
    permit(actor, Action.OPERATE)
    wanted = read_policy(document)

    def apply(tx: Tx) -> PolicyRecord:
        now = platform.clock()
        if valid_from is not None and valid_from < now:
            raise Invalid.at("valid_from", "lies in the past: what was decided then cannot be changed")
        check_names(tx, platform.catalogue.at(tx), wanted)
        row = PolicyRecord(
            platform.ids.new("policy", now),
            now if valid_from is None else valid_from,
            now,
            actor.token_id,
            to_document(wanted),
        )
        tx.policies.insert(row)
        data = {"policy": row.id, "valid_from": row.valid_from}
        tx.events.append([Event(now, "policy-set", data=data)])
        return row

    return platform.store.write(apply)


def read_policy(document: object) -> Policy:
    """Raises Invalid with every mistake."""
    try:
        return parse(document)
    except DocumentError as error:
        raise Invalid.many([(m.path, m.message) for m in error.problems]) from None


def check_queue(policy: Policy, spec: JobSpec, project: str, prefix: str = "") -> None:
    """Raises Invalid where the job's queue is not there or not for its project, or the job is more urgent
    than the queue allows. `prefix`: of the fields' paths."""
    queue = policy.queue(spec.queue)
    if queue is None:
        raise Invalid.at(prefix + "queue", unknown("queue", spec.queue, {*policy.queues, "default"}))
    if queue.projects is not None and project not in queue.projects:
        open_to_it = [
            name
            for name in sorted({*policy.queues, "default"})
            if (other := policy.queue(name)) and (other.projects is None or project in other.projects)
        ]
        cure = f"use {' or '.join(open_to_it)}" if open_to_it else "ask your operator for one"
        raise Invalid.at(prefix + "queue", f"queue {queue.name!r} is not for project {project!r}: {cure}")
    if PRIORITIES[spec.priority] > queue.up_to:
        most = next(word for word, rank in PRIORITIES.items() if rank == queue.up_to)
        raise Invalid.at(
            prefix + "priority",
            f"queue {queue.name!r} takes jobs up to priority {most}, not {spec.priority}: write {most}",
        )


def _may_read(actor: Actor) -> None:
    """Teams and operators."""
    if actor.role is Role.TEAM:
        permit(actor, Action.READ, project=actor.project)
    else:
        permit(actor, Action.OPERATE)


def _seen_by(actor: Actor, row: PolicyRecord) -> PolicyRecord:
    """For a team without what names other projects, whose existence it must not learn."""
    if actor.role is not Role.TEAM:
        return row
    whole, own = parse(row.document), frozenset({actor.project or ""})
    part = replace(
        whole,
        shares={path: weight for path, weight in whole.shares.items() if path[1:2] == (actor.project,)},
        queues={
            name: queue if queue.projects is None else replace(queue, projects=queue.projects & own)
            for name, queue in whole.queues.items()
        },
        reservations=tuple(replace(it, projects=it.projects & own) for it in whole.reservations),
    )
    return replace(row, document=to_document(part))


@dataclass(frozen=True, slots=True)
class _Names:
    """What there is in the region."""

    organisations: Collection[str]
    projects: dict[str, str]
    tokens: Collection[str]
    models: Collection[str]
    centres: Mapping[str, tuple[Partition, ...]]
    drivers: Mapping[str, str]


def check_names(tx: Tx, region: RegionCopy, policy: Policy, imagined: Sequence[CentreView] = ()) -> None:
    """Raises Invalid with every organisation, project, user, centre, partition, node and accelerator in the
    policy that neither the region nor one of the `imagined` centres has. What a centre has is known once its
    agent has reported."""
    centres = {**region.partitions, **{view.name: view.partitions for view in imagined}}
    nodes = [node for parts in centres.values() for part in parts for node in part.nodes]
    models = {model for node in nodes for model in node.accelerators}
    names = _Names(
        [row.name for row in tx.region.organisations()],
        {name: row.organisation for name, row in tx.region.projects().items()},
        [row.id for row in tx.region.tokens()],
        {PLAIN} | models | {offer.accelerator for offer in region.offers.values() if offer.accelerator},
        centres,
        {name: centre.driver for name, centre in region.centres.items()},
    )
    found = [
        (path, message)
        for check in (_shares, _queues, _reservations, _others)
        for path, message in check(policy, names)
    ]
    if found:
        raise Invalid.many(found)


def _shares(policy: Policy, names: _Names) -> Iterator[tuple[str, str]]:
    for path in policy.shares:
        at = f"shares.{'/'.join(path)}"
        if path[0] not in names.organisations:
            yield at, unknown("organisation", path[0], names.organisations)
        elif len(path) > 1 and names.projects.get(path[1]) != path[0]:
            own = [name for name, organisation in names.projects.items() if organisation == path[0]]
            yield at, unknown(f"project of {path[0]}", path[1], own)
        elif len(path) > 2 and path[2] not in names.tokens:
            yield at, f"there is no token {path[2]!r}: a user is the id of a token, as in `baygrid tokens`"


def _queues(policy: Policy, names: _Names) -> Iterator[tuple[str, str]]:
    for name, queue in policy.queues.items():
        for project in sorted(queue.projects or ()):
            if project not in names.projects:
                yield f"queues.{name}.projects", unknown("project", project, names.projects)
        for model in queue.quotas:
            if model not in names.models:
                yield f"queues.{name}.quotas.{model}", unknown("accelerator", model, names.models)


def _reservations(policy: Policy, names: _Names) -> Iterator[tuple[str, str]]:
    for number, it in enumerate(policy.reservations):
        at = f"reservations[{number}]"
        for project in sorted(it.projects):
            if project not in names.projects:
                yield f"{at}.projects", unknown("project", project, names.projects)
        if it.centre not in names.centres:
            yield f"{at}.centre", unknown("centre", it.centre, names.centres)
        else:
            yield from _reserved_nodes(it, at, names)


def _reserved_nodes(it: Reserved, at: str, names: _Names) -> Iterator[tuple[str, str]]:
    partitions = {part.name: part for part in names.centres[it.centre]}
    if not partitions:
        return
    if it.partition not in partitions:
        yield f"{at}.partition", unknown(f"partition of {it.centre}", it.partition, partitions)
        return
    known = {node.name for node in partitions[it.partition].nodes}
    for node in it.nodes:
        if node not in known:
            yield f"{at}.nodes", unknown(f"node of {it.centre}/{it.partition}", node, known)


def _others(policy: Policy, names: _Names) -> Iterator[tuple[str, str]]:
    for model in policy.flavors:
        if model not in names.models:
            yield f"flavors.{model}", unknown("accelerator", model, names.models)
    for centre, declared in policy.centres.items():
        if centre not in names.centres:
            yield f"centres.{centre}", unknown("centre", centre, names.centres)
        elif not declared.managed and names.drivers.get(centre) in ALWAYS_MANAGED:
            driver = names.drivers[centre]
            message = f"cannot be false: driver {driver} chooses no nodes itself; take the field out"
            yield f"centres.{centre}.managed", message
