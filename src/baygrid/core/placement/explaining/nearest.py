"""For a demand that never fits: the candidate that is nearest to it, and the changes that would make it fit
there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from baygrid.core.placement.demand import Demand, Infra, Target
from baygrid.core.placement.image import Image
from baygrid.core.placement.judging.candidates import Candidate, candidates, devices, offered
from baygrid.core.placement.judging.filters import amounts, largest, never
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.placement.search import Pipeline, judged
from baygrid.core.reasons import Explanation, Reason, Verdict
from baygrid.core.units import Money, format_duration, format_memory


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the job file with what to write. `weight`: how unlike the job becomes; within one kind of
    change, the larger the shortfall the unlikelier."""

    field: str
    value: str
    weight: float


Cure: TypeAlias = Callable[[Demand, Candidate], tuple[Demand, tuple[Change, ...]] | None]
"""A demand without the obstacle, and what was changed; None: the job's owner cannot remove it."""

_LIGHT, _MODEL, _PLACE, _LAW = 1.0, 4.0, 16.0, 64.0


def _smaller_node(demand: Demand, it: Candidate) -> tuple[Demand, tuple[Change, ...]] | None:
    node = largest(it)
    if node is None:
        return None
    changes: list[Change] = []
    model = it.accelerator
    cpus, memory, count = demand.cpus, demand.memory_mib, it.accelerators
    if model is not None and (has := node.accelerators.get(model, 0)) < count:
        changes.append(Change("accelerators", f"{model}:{has}", _shortfall(has, count)))
        count = has
    if node.cpus < cpus:
        changes.append(Change("cpus", str(node.cpus), _shortfall(node.cpus, cpus)))
        cpus = node.cpus
    if node.memory_mib < memory:
        changes.append(Change("memory", format_memory(node.memory_mib), _shortfall(node.memory_mib, memory)))
        memory = node.memory_mib
    changed = replace(_with(demand, model, count, it.share), cpus=cpus, memory_mib=memory, shape=None)
    return changed, tuple(changes)


def _with(demand: Demand, model: str | None, count: int, share: int) -> Demand:
    """The demand for this accelerator alone."""
    shares = (share,) if model is not None and share < WHOLE else ()
    return replace(demand, accelerators=() if model is None else ((model, count),), shares=shares, shape=None)


def _shortfall(has: int, asked: int) -> float:
    return _LIGHT + 1 - has / asked


def _fewer_nodes(demand: Demand, it: Candidate) -> tuple[Demand, tuple[Change, ...]] | None:
    change = Change("nodes", str(it.fitting), _shortfall(it.fitting, demand.nodes))
    return replace(demand, nodes=it.fitting, shape=None), (change,)


def _less_time(demand: Demand, it: Candidate) -> tuple[Demand, tuple[Change, ...]] | None:
    limit = it.pool.partition.time_limit_s if it.pool else None
    if not limit:
        return None
    change = Change("time", format_duration(limit), _shortfall(limit, demand.time_s))
    return replace(demand, time_s=limit, shape=None), (change,)


def _more_money(demand: Demand, it: Candidate) -> tuple[Demand, tuple[Change, ...]] | None:
    weight = _shortfall(demand.max_cost_minor or 0, it.cost_minor)
    change = Change("max_cost", str(Money(it.cost_minor, demand.currency)), weight)
    return replace(demand, max_cost_minor=it.cost_minor, shape=None), (change,)


def _other_accelerator(demand: Demand, it: Candidate) -> tuple[Demand, tuple[Change, ...]] | None:
    model, count, share = demand.options[0]
    count = count if model else 1
    changed = _with(demand, it.accelerator, count, share)
    if it.accelerator is None:
        return changed, (Change("accelerators", "none", _PLACE),)
    changes = (Change("accelerators", f"{it.accelerator}:{devices(count, share)}", _MODEL),)
    return changed, changes


def _also_there(demand: Demand, it: Candidate) -> tuple[Demand, tuple[Change, ...]] | None:
    infra = Infra((Target(*it.where),))
    return replace(demand, infra=infra, shape=None), (Change("infra", it.name, _PLACE),)


def _also_in(demand: Demand, it: Candidate) -> tuple[Demand, tuple[Change, ...]] | None:
    if it.centre is None:
        return None
    more = (demand.residency or frozenset()) | {it.centre.jurisdiction}
    change = Change("residency", f"[{', '.join(sorted(more))}]", _LAW)
    return replace(demand, residency=more, shape=None), (change,)


def _without(demand: Demand, it: Candidate) -> tuple[Demand, tuple[Change, ...]] | None:
    """What the centre cannot do is not asked for."""
    if it.centre is None or it.preference is None:
        return None
    lacks = it.centre.lacks(demand.needed(it.accelerator, it.share))
    changes: list[Change] = []
    if "gang" in lacks:
        changes.append(Change("nodes", "1", _shortfall(1, demand.nodes)))
        demand = replace(demand, nodes=1, min_nodes=None, shape=None)
    if "parts" in lacks:
        changes.append(Change("accelerators", f"{it.accelerator}:1", _MODEL))
        demand = _with(demand, it.accelerator, 1, WHOLE)
    # These are fields of the job file that have the capability's name.
    changes += [Change(word, "null", _MODEL) for word in sorted(lacks & demand.needs)]
    demand = replace(demand, needs=demand.needs - lacks, shape=None)
    return None if len(changes) < len(lacks) else (demand, tuple(changes))


CURES: Final[Mapping[str, Cure]] = {
    "node-too-small": _smaller_node,
    "too-few-nodes": _fewer_nodes,
    "time-limit": _less_time,
    "over-budget": _more_money,
    "accelerator": _other_accelerator,
    "capability": _without,
    "not-asked-for": _also_there,
    "avoided": _also_there,
    "residency": _also_in,
}


@dataclass(frozen=True, slots=True)
class Nearby:
    """A candidate that would run the demand after `changes` (the last change of a field is what to write)."""

    candidate: Candidate
    demand: Demand
    changes: tuple[Change, ...]

    @property
    def distance(self) -> tuple[float, int, str]:
        """By how much the job would change, then what it would cost, then the name."""
        return (
            sum(change.weight for change in self.changes),
            self.candidate.cost_minor,
            self.candidate.subject,
        )

    @property
    def advice(self) -> dict[str, str]:
        return {change.field: change.value for change in self.changes}


def approach(image: Image, demand: Demand, pipeline: Pipeline, it: Candidate) -> Nearby | None:
    """Change the demand, one obstacle after the other, until it would fit this candidate; None: it cannot."""
    changes: tuple[Change, ...] = ()
    for _ in range(2 * len(CURES)):
        obstacle = next((reason for reason in judged(pipeline, demand, it) if never(reason)), None)
        if obstacle is None:
            return Nearby(it, demand, changes)
        cure = CURES.get(obstacle.code)
        cured = cure(demand, it) if cure else None
        if cured is None or it.offer is None:
            return None
        demand, more = cured
        changes += more
        model = it.offer.accelerator
        options = demand.options
        same = (model, it.accelerators, it.share)
        place = next((n for n, option in enumerate(options) if option == same), None)
        if place is None:
            place = next((n for n, (name, _, _) in enumerate(options) if name == model), None)
        _, count, share = (None, 0, WHOLE) if place is None else options[place]
        it = offered(image, demand, it.offer, place, count, share=share)
    return None


def nearest(image: Image, demand: Demand, pipeline: Pipeline) -> Explanation | None:
    """None if some candidate fits by its totals. Else every candidate's obstacles and the nearest that would
    fit."""
    verdicts: list[Verdict] = []
    near: list[Nearby] = []
    for it in candidates(image, demand):
        obstacles = tuple(reason for reason in judged(pipeline, demand, it) if never(reason))
        if not obstacles:
            return None
        verdicts.append(Verdict(it.subject, obstacles))
        found = approach(image, demand, pipeline, it)
        if found is not None:
            near.append(found)
    best = min(near, key=lambda found: found.distance, default=None)
    return Explanation(_outcome(best, verdicts), tuple(verdicts))


def _outcome(best: Nearby | None, verdicts: Sequence[Verdict]) -> Reason:
    if not verdicts:
        return Reason("never-fits", "the region offers nothing yet", {})
    lawful_only = [it.obstacles[0] for it in verdicts if {each.code for each in it.obstacles} == {"law"}]
    if lawful_only:  # what stands in the way is not the job's size
        return Reason("never-fits", f"only the law is in the way: {lawful_only[0].text}", lawful_only[0].data)
    if best is None:
        return Reason("never-fits", "nothing in the region can run it, and no change of the job helps", {})
    it, advice = best.candidate, best.advice
    node = largest(it)
    count = node.accelerators.get(it.accelerator, 0) if node and it.accelerator else 0
    has = f" (largest node: {amounts(node.cpus, node.memory_mib, it.accelerator, count)})" if node else ""
    ask = ", ".join(f"{field}: {value}" for field, value in advice.items())
    text = f"nothing in the region can run it as it is; nearest is {it.name}{has}: ask for {ask}"
    return Reason(
        "never-fits", text, {"nearest": it.name, "offer": it.offer.id if it.offer else None, "ask": advice}
    )
