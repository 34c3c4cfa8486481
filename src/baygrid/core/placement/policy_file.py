"""The operator's policy as a document (parsed YAML or JSON): read and checked, and written again.

`parse` tells every mistake at once. It knows only the document: whether the projects, centres and nodes
named in it exist is decided where they are known. In a document an amount of a flavor is accelerators
(or cpus), with at most three decimals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Final

from baygrid.core.placement.document import (
    Part,
    by_hour,
    node_name,
    number,
    number_from,
    one_of,
    thousandths,
    truth,
)
from baygrid.core.placement.policy import (
    PRIORITIES,
    CentrePolicy,
    FlavorPolicy,
    Policy,
    QueuePolicy,
    Quota,
    Reserved,
)
from baygrid.core.reading import (
    Wrong,
    duration,
    format_instant,
    instant,
    name,
    shown,
    whole,
)
from baygrid.core.reasons import JSON
from baygrid.core.units import format_duration

MOST_RESERVE: Final = 1000
_UNLIMITED: Final = "unlimited"
_PLAIN_POLICY: Final = Policy()
_HALF_LIFE: Final = duration(60, 3660 * 86_400, "from 1m to 3660d")
_PATIENCE: Final = duration(1, 366 * 86_400, "from 1s to 366d")
_RATING: Final = number_from(Fraction(1, 1_000_000), 1_000_000, "more than 0 and at most 1000000")
_PUE: Final = number_from(1, 10, "from 1 to 10: all power of the site by power of its machines")
_WATTS: Final = whole(0, 100_000)


def parse(document: object) -> Policy:
    """The policy that a document describes; an empty one is a region with equal shares and no quotas. Raises
    DocumentError with every mistake, and nothing else."""
    whole_document = Part({} if document is None else document)
    top = whole_document.fields(
        "half_life", "shares", "queues", "reservations", "flavors", "centres", "backfill", "preemption",
        "reserve",
    )  # fmt: skip
    policy = Policy(
        shares={path: part.needed(whole(1, 1_000_000), 1, _WEIGHT) for path, part in _shares(top["shares"])},
        half_life_s=top["half_life"].read(_HALF_LIFE, _PLAIN_POLICY.half_life_s),
        queues={key: _queue(key, part) for key, part in top["queues"].entries(name)},
        reservations=tuple(map(_reserved, top["reservations"].items())),
        flavors={key: _flavor(part) for key, part in top["flavors"].entries(name)},
        centres={key: _centre(part) for key, part in top["centres"].entries(name)},
        backfill=top["backfill"].read(truth, _PLAIN_POLICY.backfill),
        preemption=top["preemption"].read(truth, _PLAIN_POLICY.preemption),
        reserve=top["reserve"].read(whole(0, MOST_RESERVE), _PLAIN_POLICY.reserve),
    )
    _check_reservations(policy, top["reservations"].items())
    whole_document.raise_any()
    return policy


_WEIGHT: Final = "say its weight, for example 2"


def _shares(part: Part) -> list[tuple[tuple[str, ...], Part]]:
    return part.entries(_path)


def _path(text: object) -> tuple[str, ...]:
    """`organisation`, `organisation/project` or `organisation/project/user`."""
    parts = text.split("/") if isinstance(text, str) else []
    if not 1 <= len(parts) <= 3:
        raise Wrong("must be organisation, organisation/project or organisation/project/user")
    return tuple(map(name, parts))


def _queue(key: str, part: Part) -> QueuePolicy:
    of = part.fields("cohort", "up_to", "projects", "quotas")
    cohort = of["cohort"].read(name, None)
    projects = of["projects"]
    return QueuePolicy(
        key,
        cohort,
        {flavor: _quota(quota, cohort) for flavor, quota in of["quotas"].entries(name)},
        of["up_to"].read(one_of(PRIORITIES), PRIORITIES["normal"]),
        None if projects.value is None else frozenset(projects.each(name)),
    )


def _quota(part: Part, cohort: str | None) -> Quota:
    """`64`, or a mapping: nominal, borrowing (or unlimited), lending (or unlimited)."""
    if not isinstance(part.value, Mapping):
        return Quota(part.needed(thousandths, 0, "say how much, for example 16"))
    of = part.fields("nominal", "borrowing", "lending")
    nominal = of["nominal"].needed(thousandths, 0, "say how much, for example nominal: 16")
    for word in ("borrowing", "lending"):
        if of[word].value is not None and cohort is None:
            of[word].refuse("needs a cohort: give this queue the cohort of those that it shares with")
    lending = of["lending"].read(_or_unlimited, None)
    if lending is not None and lending > nominal:
        of["lending"].refuse(f"is more than nominal, {shown(of['nominal'].value)}: lend that or less")
    nothing: int | None = 0
    return Quota(nominal, of["borrowing"].read(_or_unlimited, nothing), lending)


def _or_unlimited(value: object) -> int | None:
    return None if value == _UNLIMITED else thousandths(value)


def _reserved(part: Part) -> Reserved:
    of = part.fields("name", "centre", "partition", "nodes", "from", "until", "projects")
    nodes = of["nodes"].each(node_name)
    if not nodes and not of["nodes"].value:
        of["nodes"].refuse("is missing: list the nodes, for example [n1, n2]")
    start = of["from"].needed(instant, 0, "say when it begins")
    end = of["until"].needed(instant, start + 1, "say when it ends")
    if end <= start:
        of["until"].refuse("must be later than from")
    return Reserved(
        of["name"].needed(name, "", "give it a name"),
        of["centre"].needed(name, "", "say at which centre"),
        of["partition"].needed(name, "", "say in which partition"),
        nodes,
        start,
        end,
        frozenset(of["projects"].each(name)),
    )


def _check_reservations(policy: Policy, parts: list[Part]) -> None:
    """Names are different, and no node is reserved twice at one time."""
    windows: dict[tuple[str, str, str], list[tuple[int, int, int]]] = defaultdict(list)
    names: set[str] = set()
    for number_, (it, part) in enumerate(zip(policy.reservations, parts, strict=True)):
        if it.name and it.name in names:
            part.refuse(f"there are two reservations {it.name!r}: give each its own name")
        names.add(it.name)
        for node in it.nodes:
            windows[it.centre, it.partition, node].append((it.start, it.end, number_))
    told: set[tuple[int, int]] = set()
    for (_, _, node), found in windows.items():
        for (_, end, first), (start, _, second) in pairwise(sorted(found)):
            if start < end and (first, second) not in told:
                told.add((first, second))
                other = policy.reservations[first].name
                parts[second].refuse(f"overlaps with {other!r} on node {node!r}: change the times or nodes")


def _flavor(part: Part) -> FlavorPolicy:
    of = part.fields("rating", "watts")
    return FlavorPolicy(of["rating"].read(_RATING, Fraction(1)), of["watts"].read(_WATTS, 0))


def _centre(part: Part) -> CentrePolicy:
    of = part.fields(
        "managed", "max_pending", "patience", "link", "carbon", "energy_price", "pue", "watts_cpu"
    )
    link = of["link"].fields("mbit_s", "gib_price")
    return CentrePolicy(
        managed=of["managed"].read(truth, True),
        max_pending=of["max_pending"].read(whole(1, 1_000_000), None),
        patience_s=of["patience"].read(_PATIENCE, None),
        mbit_s=link["mbit_s"].read(whole(0, 100_000_000), 0),
        gib_price=link["gib_price"].read(number, Fraction(0)),
        carbon_g_kwh=of["carbon"].read(by_hour(whole(0, 10_000)), ()),
        energy_price_kwh=of["energy_price"].read(by_hour(number), ()),
        pue=of["pue"].read(_PUE, Fraction(1)),
        watts_cpu=of["watts_cpu"].read(_WATTS, 0),
    )


def to_document(policy: Policy) -> dict[str, JSON]:
    """A document that JSON can carry and that parses to `policy`; what is as without a policy is left out."""
    plain = _PLAIN_POLICY
    return _without_empty(
        half_life=None if policy.half_life_s == plain.half_life_s else format_duration(policy.half_life_s),
        shares={"/".join(path): weight for path, weight in policy.shares.items()},
        queues={key: _queue_document(queue) for key, queue in policy.queues.items()},
        reservations=[_reserved_document(it) for it in policy.reservations],
        flavors={key: _flavor_document(flavor) for key, flavor in policy.flavors.items()},
        centres={key: _centre_document(centre) for key, centre in policy.centres.items()},
        backfill=None if policy.backfill == plain.backfill else policy.backfill,
        preemption=None if policy.preemption == plain.preemption else policy.preemption,
        reserve=None if policy.reserve == plain.reserve else policy.reserve,
    )


def _without_empty(**fields: JSON) -> dict[str, JSON]:
    return {key: value for key, value in fields.items() if value not in (None, {}, [])}


def _queue_document(queue: QueuePolicy) -> JSON:
    words = {rank: word for word, rank in PRIORITIES.items()}
    written = _without_empty(
        cohort=queue.cohort,
        up_to=None if queue.up_to == PRIORITIES["normal"] else words[queue.up_to],
        quotas={flavor: _quota_document(quota) for flavor, quota in queue.quotas.items()},
    )
    return written if queue.projects is None else written | {"projects": sorted(queue.projects)}


def _quota_document(quota: Quota) -> JSON:
    if quota == Quota(quota.nominal):
        return _number(Fraction(quota.nominal, 1000))
    written = {"nominal": _number(Fraction(quota.nominal, 1000))}
    if quota.borrowing != 0:
        written["borrowing"] = _amount(quota.borrowing)
    if quota.lending is not None:
        written["lending"] = _amount(quota.lending)
    return written


def _amount(thousandths_: int | None) -> JSON:
    return _UNLIMITED if thousandths_ is None else _number(Fraction(thousandths_, 1000))


def _reserved_document(it: Reserved) -> JSON:
    written: dict[str, JSON] = {"name": it.name, "centre": it.centre, "partition": it.partition}
    written |= {"nodes": list(it.nodes), "from": _time(it.start), "until": _time(it.end)}
    return written | _without_empty(projects=sorted(it.projects))


def _flavor_document(flavor: FlavorPolicy) -> JSON:
    return _without_empty(
        rating=None if flavor.rating == 1 else _number(flavor.rating), watts=flavor.watts or None
    )


def _centre_document(centre: CentrePolicy) -> JSON:
    return _without_empty(
        managed=None if centre.managed else False,
        max_pending=centre.max_pending,
        patience=None if centre.patience_s is None else format_duration(centre.patience_s),
        link=_without_empty(
            mbit_s=centre.mbit_s or None,
            gib_price=_decimal(centre.gib_price) if centre.gib_price else None,
        ),
        carbon=_by_hour(list(centre.carbon_g_kwh)),
        energy_price=_by_hour([_decimal(price) for price in centre.energy_price_kwh]),
        pue=None if centre.pue == 1 else _number(centre.pue),
        watts_cpu=centre.watts_cpu or None,
    )


def _by_hour(values: list[int] | list[str]) -> JSON:
    return values[0] if len(set(values)) == 1 else values


def _number(value: Fraction) -> JSON:
    """As people write it, where that means exactly the same."""
    if value.denominator == 1:
        return value.numerator
    near = float(value)
    try:
        return near if number(near) == value else _decimal(value)
    except Wrong:
        return _decimal(value)


def _decimal(value: Fraction) -> str:
    """Exact for at most nine decimals, as `number` reads them."""
    units, rest = divmod(value * 10**9, 10**9)
    return f"{units}.{int(rest):09d}".rstrip("0").rstrip(".")


def _time(at: int) -> str:
    """RFC 3339 in UTC, without milliseconds where there are none."""
    return format_instant(at).replace(".000Z", "Z")
