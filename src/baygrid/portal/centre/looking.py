"""A centre's agent, nodes and jobs; letting an agent in, draining and opening."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from starlette.responses import Response

from baygrid.app import centres, joining, offers, outside, tending
from baygrid.app.outside import Use
from baygrid.app.problems import Problem
from baygrid.app.tending import AtWork, NodeUse
from baygrid.app.tokens import Invitation
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit, go
from baygrid.ports.messages import PartitionReport
from baygrid.ports.records import CentreState, Offer

NODES: Final = 100
RUNS: Final = 25
GOING: Final = 200
DAYS: Final = 30
DAY_MS: Final = 86_400_000
CAPABILITIES: Final = {
    "gang": N_("several nodes at once"),
    "out-of-memory": N_("says when memory ran out"),
    "accelerators": N_("accelerators of a job's own"),
    "parts": N_("parts of accelerators"),
    "arrays": N_("arrays as one request"),
    "estimate": N_("estimates of starts"),
    "image": N_("container images"),
    "outside-usage": N_("tells what ran without Baygrid"),
    "accounts": N_("a user for each project"),
    "checkpoint": N_("checkpoints"),
    "secrets": N_("secrets"),
    "exec": N_("commands beside a job"),
}
CAUSES: Final = {
    "exit-code": N_("its program ended with an error"),
    "setup-failed": N_("its preparation failed"),
    "staging-failed": N_("its inputs could not be brought in"),
    "publishing-failed": N_("its results could not be saved"),
    "out-of-memory": N_("it took more memory than it asked for"),
    "time-limit": N_("its time was over"),
    "interrupted": N_("the centre broke it off"),
    "refused": N_("the centre refused it"),
    "unlaunched": N_("the centre could not start it"),
    "cancelled": N_("it was cancelled"),
    "preempted": N_("it made way for another"),
    "withdrawn": N_("it was taken to another place"),
    "money": N_("its money was used up"),
    "lost": N_("it was given up as lost"),
}


@dataclass(slots=True)
class Part:
    """A partition as a whole: (what live attempts have, all there is); memory in MiB."""

    name: str
    nodes: int = 0
    cpus: tuple[int, int] = (0, 0)
    memory: tuple[int, int] = (0, 0)
    accelerators: dict[str, tuple[Fraction, int]] = field(default_factory=dict)


def parts(uses: Iterable[NodeUse]) -> list[Part]:
    found: dict[str, Part] = {}
    for it in uses:
        part = found.setdefault(it.partition, Part(it.partition))
        part.nodes += 1
        part.cpus = part.cpus[0] + it.cpus, part.cpus[1] + it.node.cpus
        part.memory = part.memory[0] + it.memory_mib, part.memory[1] + it.node.memory_mib
        for model, count in it.node.accelerators.items():
            used, all = part.accelerators.get(model, (Fraction(0), 0))
            part.accelerators[model] = used + it.accelerators[model], all + count
    return list(found.values())


def steps(found: AtWork, priced: Sequence[Offer]) -> list[tuple[bool, str, str]]:
    """What a centre needs before jobs come: whether it is there, what it is, the page where one does it."""
    return [
        (found.centre.seen_at is not None, N_("Its agent has joined"), "#join"),
        (bool(priced), N_("Something has a price"), "prices"),
        (found.centre.state is CentreState.OPEN, N_("It is open for new jobs"), "#state"),
    ]


def standing(visit: Visit, name: str) -> dict[str, Any]:
    """How a centre stands, for its page and for its operator's first one."""
    found = tending.at_work(visit.platform, visit.actor, name)
    priced = [it for it in offers.offers(visit.platform, visit.actor) if it.centre == name]
    return {
        "found": found, "centre": found.centre, "priced": priced, "steps": steps(found, priced),
        "reachable": centres.reachable(found.centre, visit.now), "parts": parts(found.nodes),
        "causes": CAUSES,
    }  # fmt: skip


def show(visit: Visit) -> Response:
    return shown(visit, visit.param("centre"))


def shown(
    visit: Visit, name: str, made: Invitation | None = None, problem: Problem | None = None
) -> Response:
    """`made`: the token of a command for joining, which is seen on this answer only."""
    start = int(asked) if (asked := visit.asked("from")).isascii() and asked.isdigit() else 0
    stands = standing(visit, name)
    nodes = stands["found"].nodes
    return page(
        visit, "centre/centre.html", problem=problem, **stands, shown=nodes[start : start + NODES],
        next=start + NODES if len(nodes) > start + NODES else None, made=made, capabilities=CAPABILITIES,
        server=str(visit.request.base_url).rstrip("/"),
    )  # fmt: skip


def join(visit: Visit) -> Response:
    """The command is shown once, on the page that answers."""
    name, with_offers = visit.param("centre"), visit.form.get("with_offers") == "yes"
    return shown(visit, name, joining.invite(visit.platform, visit.actor, name, with_offers))


def _back(visit: Visit, told: str) -> Response:
    return go(visit, f"centres/{visit.param('centre')}", told=told)


def drain(visit: Visit) -> Response:
    centres.set_state(visit.platform, visit.actor, visit.param("centre"), CentreState.DRAINED)
    return _back(visit, visit.say("Nothing new comes now; what runs goes on."))


def open_(visit: Visit) -> Response:
    centres.set_state(visit.platform, visit.actor, visit.param("centre"), CentreState.OPEN)
    return _back(visit, visit.say("Jobs may come again."))


def rotate(visit: Visit) -> Response:
    try:
        joining.rotate(visit.platform, visit.actor, visit.param("centre"))
    except Problem as problem:
        return shown(visit, visit.param("centre"), problem=problem)
    return _back(visit, visit.say("The agent makes itself a new credential when it next reports."))


def revoke(visit: Visit) -> Response:
    joining.revoke(visit.platform, visit.actor, visit.param("centre"))
    return _back(visit, visit.say("The agent is refused from now on; what runs goes on."))


def jobs(visit: Visit) -> Response:
    name, before = visit.param("centre"), visit.asked("before") or None
    stands = standing(visit, name)
    past = tending.lately(visit.platform, visit.actor, name, before, RUNS + 1)
    return page(
        visit, "centre/jobs.html", **stands, going=stands["found"].runs[:GOING], past=past[:RUNS],
        before=before, next=past[RUNS - 1].attempt.id if len(past) > RUNS else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Had:
    """Of one kind of thing in the last days: hours that there were, and that each account had."""

    what: str
    hours: int
    by: tuple[tuple[Use, float], ...]

    @property
    def used(self) -> float:
        return sum(had for _, had in self.by)


def use(visit: Visit) -> Response:
    """What ended in the last days, against what the nodes of today have in so many."""
    name = visit.param("centre")
    uses = outside.usage(visit.platform, visit.actor, name, visit.now - DAYS * DAY_MS, visit.now + 1)
    record = centres.centre(visit.platform, visit.actor, name)
    there = _hours(record.inventory)
    kinds = [
        Had(N_("Accelerators"), there["accelerators"], tuple((it, it.accelerator_hours) for it in uses)),
        Had(N_("CPUs"), there["cpus"], tuple((it, it.cpu_hours) for it in uses)),
    ]
    return page(
        visit, "centre/use.html", centre=record, uses=uses, days=DAYS, kinds=[it for it in kinds if it.hours]
    )


def _hours(inventory: Iterable[PartitionReport]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for node in (node for part in inventory for node in part.nodes):
        found["cpus"] += node.cpus * DAYS * 24
        found["accelerators"] += sum(node.accelerators.values()) * DAYS * 24
    return found


PAGES = (
    Page("centres/{centre}", show, here="centre"),
    Page("centres/{centre}/join", join, here="centre", method="POST"),
    Page("centres/{centre}/drain", drain, here="centre", method="POST"),
    Page("centres/{centre}/open", open_, here="centre", method="POST"),
    Page("centres/{centre}/rotate", rotate, here="centre", method="POST"),
    Page("centres/{centre}/revoke", revoke, here="centre", method="POST"),
    Page("centres/{centre}/jobs", jobs, here="centre-jobs"),
    Page("centres/{centre}/use", use, here="centre-use"),
)
