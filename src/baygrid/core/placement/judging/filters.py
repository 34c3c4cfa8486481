"""The pipeline of filters: each answers None (pass) or one Reason with its figures.

Reasons fall in two kinds. Those in `NOT_NOW` pass by waiting; all others are *never*: the job itself, or what
the region has in total, must change. A filter that has nothing to ask of a candidate (the size of nodes that
have not been reported, say) lets it pass: another filter names that obstacle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final, TypeAlias

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Node
from baygrid.core.placement.judging.candidates import Candidate, devices, spot_left
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.reasons import JSON, Reason
from baygrid.core.units import Money, format_duration, format_memory

Filter: TypeAlias = Callable[[Demand, Candidate], Reason | None]

NOT_NOW: Final = frozenset(
    {
        "centre-closed",
        "centre-unreachable",
        "no-inventory",
        "busy",
        "reserved",
        "kept",
        "pending",
        "quota",
        "quota-kept",
        "no-spot",
    }
)
"""Obstacles that pass without a change of the job."""
OUTRANKED: Final = "ranked-lower"
"""The obstacle of a candidate that could do as well, when a better one was taken."""


def never(reason: Reason) -> bool:
    """Whether waiting does not help."""
    return reason.code not in NOT_NOW and reason.code != OUTRANKED


def closed(demand: Demand, it: Candidate) -> Reason | None:
    if it.centre is None or it.centre.open:
        return None
    return Reason(
        "centre-closed", f"{it.centre.name} is drained: it takes no new jobs", {"centre": it.centre.name}
    )


def unreachable(demand: Demand, it: Candidate) -> Reason | None:
    if it.centre is None or it.centre.silent_s is None:
        return None
    silent = it.centre.silent_s
    if not it.centre.joined:
        return None if it.offer is None else _never_joined("centre-unreachable", it.centre.name)
    text = f"{it.centre.name} has not reported for {format_duration(silent)}"
    return Reason("centre-unreachable", text, {"centre": it.centre.name, "silent_s": silent})


def _never_joined(code: str, centre: str) -> Reason:
    """The one reason why not there, whatever else it has not: all that comes with joining."""
    text = f"{centre} has never joined: start its agent with what `baygrid centres invite {centre}` prints"
    return Reason(code, text, {"centre": centre, "silent_s": 0})


def unreported(demand: Demand, it: Candidate) -> Reason | None:
    if it.pool is not None or (it.centre is not None and not it.centre.joined):
        return None
    what = f"a partition {it.where[1]}" if it.where[1] else "any partition"
    return Reason("no-inventory", f"{it.where[0]} has not reported {what}", {"centre": it.where[0]})


def unpriced(demand: Demand, it: Candidate) -> Reason | None:
    if it.offer is not None:
        return None
    if it.centre is not None and not it.centre.joined:
        return _never_joined("no-offer", it.centre.name)
    return Reason("no-offer", f"{it.subject} has no price, so nothing can run there", {"centre": it.where[0]})


def infra(demand: Demand, it: Candidate) -> Reason | None:
    targets = demand.infra.targets
    if not targets or any(target.covers(*it.where) for target in targets):
        return None
    asked = " or ".join(str(target) for target in targets)
    return Reason(
        "not-asked-for", f"the job asks for {asked}", {"infra": [str(target) for target in targets]}
    )


def avoided(demand: Demand, it: Candidate) -> Reason | None:
    for target in demand.infra.avoid:
        if target.covers(*it.where):
            return Reason("avoided", f"the job avoids {target}", {"avoid": str(target)})
    return None


def residency(demand: Demand, it: Candidate) -> Reason | None:
    if demand.residency is None or it.centre is None or it.centre.jurisdiction in demand.residency:
        return None
    place, allowed = it.centre.jurisdiction, sorted(demand.residency)
    where = " or ".join(allowed) or "no place"
    text = f"{it.centre.name} lies in {place}, and the job's data may be in {where} only"
    return Reason("residency", text, {"jurisdiction": place, "residency": allowed})


def law(demand: Demand, it: Candidate) -> Reason | None:
    if it.centre is None:
        return None
    for bar in demand.bars:
        if bar.jurisdiction == it.centre.jurisdiction:
            found = f"{bar.outcome} by {', '.join(bar.basis)}" if bar.basis else bar.outcome
            asked = f"; nobody has said {', '.join(bar.missing)}" if bar.missing else ""
            text = f"{it.centre.name} lies in {bar.jurisdiction}, where {bar.data} may not go: {found}{asked}"
            return Reason("law", text, bar.to_json())
    return None


def currency(demand: Demand, it: Candidate) -> Reason | None:
    if it.offer is None or it.offer.currency == demand.currency:
        return None
    theirs, ours = it.offer.currency, demand.currency
    text = f"priced in {theirs}, the project pays in {ours}, and no exchange rate is loaded"
    return Reason("currency", text, {"offer": theirs, "project": ours})


def accelerator(demand: Demand, it: Candidate) -> Reason | None:
    if it.offer is None or it.preference is not None:
        return None
    asked = tuple(f"{model}:{devices(count, share)}" for model, count, share in demand.options if model)
    has = f"offers {it.accelerator}" if it.accelerator else "offers no accelerator"
    text = f"{has}, the job asks for {' or '.join(asked) or 'none'}"
    return Reason("accelerator", text, {"offers": it.accelerator, "accelerators": list(asked)})


_CANNOT: Final[Mapping[str, str]] = {
    "gang": "run several nodes at once",
    "accelerators": "give a job accelerators of its own",
    "parts": "share an accelerator among jobs",
    "image": "run a job inside an image",
    "secrets": "give a job its secrets",
    "checkpoint": "stop a job with a signal of its choice and keep its folder",
}


def capability(demand: Demand, it: Candidate) -> Reason | None:
    if it.centre is None:
        return None
    if it.offer is None or it.preference is None:
        needed = demand.needed(None, WHOLE)
    else:
        needed = demand.needed(it.accelerator, it.share)
    lacks = sorted(it.centre.lacks(needed))
    if not lacks:
        return None
    said = " nor ".join(_CANNOT.get(word, word) for word in lacks)
    return Reason("capability", f"{it.centre.name} cannot {said}", {"centre": it.centre.name, "lacks": lacks})


def node_size(demand: Demand, it: Candidate) -> Reason | None:
    if it.pool is None or it.preference is None or it.fitting:
        return None
    asked = amounts(demand.cpus, demand.memory_mib, it.accelerator, it.accelerators, it.share)
    node = largest(it)
    if node is None:
        has = f"no node has {it.accelerator}" if it.pool.kinds else "it has no nodes"
        return Reason("node-too-small", f"the job asks for {asked} on a node, and {has}", {})
    count = node.accelerators.get(it.accelerator, 0) if it.accelerator else 0
    has = amounts(node.cpus, node.memory_mib, it.accelerator, count)
    text = f"the job asks for {asked} on a node, and the largest node has {has}"
    figures: dict[str, JSON] = {"node": node.name, "cpus": node.cpus, "memory_mib": node.memory_mib}
    figures["accelerators"] = count
    return Reason("node-too-small", text, figures)


def node_count(demand: Demand, it: Candidate) -> Reason | None:
    if not 0 < it.fitting < demand.least:
        return None
    text = f"the job asks for {demand.least} nodes, and only {it.fitting} are large enough"
    return Reason("too-few-nodes", text, {"nodes": demand.least, "fitting": it.fitting})


def time_limit(demand: Demand, it: Candidate) -> Reason | None:
    limit = it.pool.partition.time_limit_s if it.pool else None
    if limit is None or demand.time_s <= limit:
        return None
    text = f"the job asks for {format_duration(demand.time_s)}, and the limit is {format_duration(limit)}"
    return Reason("time-limit", text, {"time_s": demand.time_s, "limit_s": limit})


def budget(demand: Demand, it: Candidate) -> Reason | None:
    limit, cost = demand.max_cost_minor, it.cost
    if limit is None or cost is None or it.preference is None or cost.currency != demand.currency:
        return None
    if cost.minor <= limit:
        return None
    most = Money(limit, demand.currency)
    text = f"running {format_duration(demand.time_s)} costs {cost}, more than the {most} that"
    if demand.held:
        text += " was held for it when prices or centres were others: cancel it and submit it again"
    else:
        text += " it may cost"
    return Reason("over-budget", text, {"cost_minor": cost.minor, "max_cost_minor": limit})


def spot(demand: Demand, it: Candidate) -> Reason | None:
    if not demand.spot or it.offer is None or it.preference is None:
        return None
    left = spot_left(demand, it.offer, it.accelerators, it.share, it.nodes)
    if left >= 0:
        return None
    text = f"{Fraction(-left, WHOLE)} of the units that the job needs have no spot price there now"
    return Reason("no-spot", text, {"missing_thousandths": -left})


FILTERS: Final[tuple[Filter, ...]] = (
    closed,
    unreachable,
    unreported,
    unpriced,
    infra,
    avoided,
    residency,
    law,
    currency,
    accelerator,
    capability,
    node_size,
    node_count,
    time_limit,
    budget,
    spot,
)
"""Everything but what is free now, which `busy` says once the nodes have been counted."""


def busy(demand: Demand, it: Candidate, free: int) -> Reason | None:
    """`free`: nodes that have room for one node of the job now."""
    if free >= demand.least:
        return None
    text = (
        f"fits but busy: {free} of the {demand.least} nodes needed are free ({it.fitting} are large enough)"
    )
    if demand.least == 1:
        text = f"fits but busy: none of the {it.fitting} nodes that are large enough has room now"
    return Reason("busy", text, {"nodes": demand.least, "free": free, "fitting": it.fitting})


def largest(it: Candidate) -> Node | None:
    """The node with the most of the candidate's accelerator (then cpus, then memory); None: it is on no
    node."""
    kinds = it.pool.kinds if it.pool else ()
    model = it.accelerator
    nodes = [node for node, _ in kinds if model is None or node.accelerators.get(model, 0) > 0]
    return max(
        nodes,
        key=lambda node: (node.accelerators.get(model, 0) if model else 0, node.cpus, node.memory_mib),
        default=None,
    )


def amounts(cpus: int, memory_mib: int, model: str | None, count: int, share: int = WHOLE) -> str:
    """4 x H100, 32 cpus, 256GiB"""
    accelerators = f"{devices(count, share)} x {model}, " if model else ""
    return f"{accelerators}{cpus} {'cpu' if cpus == 1 else 'cpus'}, {format_memory(memory_mib)}"
