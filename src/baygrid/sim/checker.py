"""What must always hold: pure functions over a snapshot of the store and the centres' truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.units import Money
from baygrid.ports.messages import NodeReport, Order
from baygrid.ports.records import ArrayRecord, AttemptRecord, Held, JobRecord, Want
from baygrid.sim.machine import Machine
from baygrid.sim.snapshot import Snapshot
from baygrid.sim.world import Violation

Amounts = dict[tuple[str, str], list[int]]
_YET_TO_BEGIN = (AttemptState.PLACED, AttemptState.STAGING, AttemptState.WAITING)


def check_money(snapshot: Snapshot) -> None:
    """After every commit: holds, charges and grants of each project agree."""
    held: Counter[str] = Counter()
    charged: Counter[str] = Counter()
    for job in snapshot.jobs.values():
        held[job.project] += job.hold
        _check_hold(job, sum(charge.amount for charge in snapshot.charges.get(job.id, ())))
    for id, charges in snapshot.charges.items():
        keys = Counter((charge.attempt, charge.n) for charge in charges)
        for (attempt, n), count in keys.items():
            if count > 1:
                raise Violation("charged once", f"record {n} is charged {count} times", attempt)
        charged[snapshot.jobs[id].project] += sum(charge.amount for charge in charges)
    for project in snapshot.projects.values():
        name = project.name
        if project.held != held[name]:
            raise Violation("held", f"{name} holds {project.held}, its open jobs {held[name]}")
        if project.charged != charged[name]:
            raise Violation("charged", f"{name} is charged {project.charged}, by rows {charged[name]}")
        if min(project.held, project.charged, project.free) < 0:
            raise Violation("granted", f"{name}: {project}")


def check_attempts(snapshot: Snapshot) -> None:
    """A job is as its last attempt is, and has another only where that is right; who is final or lost is
    charged rightly."""
    of_job: dict[str, list[AttemptRecord]] = {}
    for attempt in snapshot.attempts.values():
        of_job.setdefault(attempt.job, []).append(attempt)
    for job in snapshot.jobs.values():
        _check_attempts_of(job, sorted(of_job.get(job.id, []), key=lambda attempt: attempt.n))
    for charge in (charge for charges in snapshot.charges.values() for charge in charges):
        attempt = snapshot.attempts[charge.attempt]
        if attempt.state is AttemptState.LOST or not attempt.state.final:
            raise Violation("charged at the end", f"charged while {attempt.state}", attempt.id)


def _check_attempts_of(job: JobRecord, attempts: Sequence[AttemptRecord]) -> None:
    states = [attempt.state for attempt in attempts]
    told = f"a job that is {job.state} has attempts {[state.value for state in states]}"
    if [attempt.n for attempt in attempts] != list(range(1, job.attempts + 1)):
        raise Violation("attempts counted", f"{told}, {job.attempts} counted", job.id)
    if sum(not state.final for state in states) != int(job.state is JobState.ACTIVE):
        raise Violation("one attempt at a time", told, job.id)
    earlier = states[:-1] if job.state is JobState.ACTIVE or job.state.final else states
    failed = sum(state in (AttemptState.FAILED, AttemptState.LOST) for state in earlier)
    others = [state for state in earlier if state is AttemptState.SUCCEEDED]
    allowed = job.spec.get("retry", {"max": 0})["max"]
    if others or (job.state is not JobState.CANCELLED and failed != job.retries) or job.retries > allowed:
        raise Violation("tried again", f"{told}, {job.retries} of {allowed} retries", job.id)


_PAID = (Held.AFTER, Held.BACK_OFF)


def _check_hold(job: JobRecord, charged: int) -> None:
    """A job holds what it asks for while it waits to be placed, and nothing where it waits for money or has
    ended; over all attempts it pays no more than it said."""
    if job.state.final and job.hold:
        raise Violation("hold released", f"{job.state} holds {job.hold}", job.id)
    if job.state is JobState.QUEUED and job.hold != job.asked:
        raise Violation("hold", f"is queued, asks {job.asked} and holds {job.hold}", job.id)
    if job.state is JobState.HELD and job.hold != (job.asked if job.cause in _PAID else 0):
        raise Violation("hold", f"is held for {job.cause}, asks {job.asked} and holds {job.hold}", job.id)
    limit = job.spec.get("budget", {}).get("max_cost")
    if limit is not None and charged + job.hold > Money.parse(limit).minor:
        raise Violation("max_cost", f"{limit}, charged {charged}, holds {job.hold}", job.id)


def check_turns(snapshot: Snapshot) -> None:
    """After every commit: whoever waits for others waits as long as it must and no longer, and an array has
    as many elements at once as it may."""
    elements: dict[str, list[JobRecord]] = {id: [] for id in snapshot.arrays}
    for job in snapshot.jobs.values():
        if job.array is not None:
            elements[job.array].append(job)
        _check_after(snapshot, job)
    for array in snapshot.arrays.values():
        _check_array(array, elements[array.id])


def _check_after(snapshot: Snapshot, job: JobRecord) -> None:
    outcomes = [_outcome(snapshot, id) for id in job.spec.get("after", ())]
    if False in outcomes and job.state is not JobState.CANCELLED:
        raise Violation("after", f"is {job.state} although one before it did not succeed", job.id)
    if None in outcomes and job.state not in (JobState.HELD, JobState.CANCELLED):
        raise Violation("after", f"is {job.state} although one before it has not ended", job.id)
    if outcomes and all(outcomes) and job.state is JobState.HELD and job.cause == Held.AFTER:
        raise Violation("after", f"still waits for {job.waits_for}", job.id)


def _outcome(snapshot: Snapshot, id: str) -> bool | None:
    """Whether a job or array succeeded; None while it may."""
    array = snapshot.arrays.get(id)
    if array is not None:
        return None if array.left else array.failed == 0
    job = snapshot.jobs[id]
    return job.state is JobState.SUCCEEDED if job.state.final else None


def _check_array(array: ArrayRecord, elements: Sequence[JobRecord]) -> None:
    indices = sorted(job.index or 0 for job in elements)
    if indices != list(range(indices[0], indices[0] + array.size)):
        raise Violation("arrays", f"{len(elements)} elements of {array.size}", array.id)
    left = [job for job in elements if not job.state.final]
    failed = sum(job.state.final and job.state is not JobState.SUCCEEDED for job in elements)
    if (len(left), failed) != (array.left, array.failed):
        raise Violation("arrays", f"{len(left)} left and {failed} failed, counted {array}", array.id)
    waiting = sum(job.state is JobState.HELD and job.cause == Held.ARRAY for job in left)
    busy = len(left) - waiting
    if busy > array.parallel:
        raise Violation("arrays", f"{busy} elements at once, {array.parallel} may be", array.id)
    if waiting and busy < array.parallel and not array.waits_for:
        raise Violation("arrays", f"{waiting} elements wait while only {busy} go on", array.id)


def capacity(centres: Mapping[str, Sequence[NodeReport]]) -> Amounts:
    """(centre, node) -> cpus, memory and accelerators that are free in an empty region."""
    return {
        (name, node.name): [node.cpus, node.memory_mib, sum(node.accelerators.values())]
        for name, nodes in centres.items()
        for node in nodes
    }


def devices(has: AttemptRecord | Order, name: str, node: str, parts: dict[tuple[str, int], int]) -> int:
    """Whole accelerators that it takes of a node beside the others. A shared one is taken by its first;
    `parts` adds up what is used of each, in thousandths."""
    if has.accelerator_share == 1000:
        return has.accelerators
    device = node, has.accelerator_slots[has.nodes.index(node)]
    used = parts.get(device, 0)
    parts[device] = used + has.accelerator_share
    if parts[device] > 1000:
        raise Violation("room", f"of accelerator {device} {parts[device]} thousandths are used", name)
    return 0 if used else 1


def check_room(snapshot: Snapshot, free: Amounts) -> None:
    """No node of a managed centre holds more attempts than it has room for. One that may still run has its
    place."""
    managed = {centre for centre, _ in free}
    left = {node: list(amounts) for node, amounts in free.items()}
    parts: defaultdict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    for attempt in snapshot.attempts.values():
        if attempt.want is not Want.NOTHING and attempt.centre in managed:
            for name in attempt.nodes:
                amounts = left[attempt.centre, name]
                amounts[0] -= attempt.cpus
                amounts[1] -= attempt.memory_mib
                amounts[2] -= devices(attempt, attempt.id, name, parts[attempt.centre])
                if min(amounts) < 0:
                    raise Violation("room", f"{attempt.centre}/{name} is over by {amounts}", attempt.id)


def check_pending(snapshot: Snapshot, most: Mapping[str, int]) -> None:
    """After every commit: no more attempts than that are yet to begin at a centre with its own queue."""
    waiting = Counter(
        attempt.centre for attempt in snapshot.attempts.values() if attempt.state in _YET_TO_BEGIN
    )
    for centre, limit in most.items():
        if waiting[centre] > limit:
            raise Violation("max_pending", f"{waiting[centre]} wait at {centre}, {limit} may", "")


def check_begun(snapshot: Snapshot, machine: Machine, order: Order) -> None:
    """When a command really begins: it does so once, as it was placed, and fits beside the others."""
    if machine.histories[order.token].runs > 1:
        raise Violation("at most once", f"runs {machine.histories[order.token].runs} times", order.attempt)
    attempt = snapshot.attempts.get(order.attempt)
    if attempt is None:
        raise Violation("placed first", "a command begins that no commit placed", order.attempt)
    job = snapshot.jobs[attempt.job]
    nodes = () if machine.own_queue else attempt.nodes
    placed = (attempt.token, attempt.centre, attempt.partition, nodes, attempt.count, attempt.cpus)
    if placed != (order.token, machine.name, order.partition, order.nodes, order.count, order.cpus):
        raise Violation("order unchanged", f"placed as {placed}, run as {order}", order.attempt)
    if (order.job, order.run) != (job.id, job.spec["run"]):
        raise Violation("order unchanged", f"runs {order.run!r} for {job.spec['run']!r}", order.attempt)
    if order.restore != job.checkpoint:
        raise Violation("goes on", f"from {order.restore} and not {job.checkpoint}", order.attempt)
    check_really_free(machine)


def check_really_free(machine: Machine) -> None:
    left = capacity({machine.name: machine.nodes})
    parts: dict[tuple[str, int], int] = {}
    for run in machine.alive():
        assert run.order is not None
        for name in run.nodes:
            amounts = left[machine.name, name]
            amounts[0] -= run.order.cpus
            amounts[1] -= run.order.memory_mib
            amounts[2] -= devices(run.order, run.order.attempt, name, parts)
            if min(amounts) < 0:
                raise Violation("room", f"{machine.name}/{name} really runs too much", run.order.attempt)


def check_running(snapshot: Snapshot, machines: Sequence[Machine]) -> None:
    """Nothing runs that both sides were said to be done with."""
    for machine in machines:
        for run in machine.alive():
            assert run.order is not None
            attempt = snapshot.attempts.get(run.order.attempt)
            if attempt is not None and attempt.want is Want.NOTHING:
                raise Violation("done means dead", f"{attempt.state} but still running", attempt.id)
