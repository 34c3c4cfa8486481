"""A centre that is only imagined, as a document: what it would have and at which prices."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from baygrid.core.placement.document import Part, number
from baygrid.core.placement.image import CentreView, Node, OfferView, Partition, Rate
from baygrid.core.reading import Problem, Wrong, duration, name, shown, whole
from baygrid.core.units import DECIMALS, parse_memory

MOST_NODES: Final = 100_000
_TIME_LIMIT: Final = duration(1, 3660 * 86_400, "from 1s to 3660d")


def read_centre(
    document: object, path: str, found: list[Problem]
) -> tuple[CentreView, tuple[OfferView, ...]]:
    """The centre and its offers; mistakes are added to `found`, with `path` before their own."""
    top = Part(document if document is not None else {}, path, found)
    of = top.fields("name", "jurisdiction", "partitions", "offers")
    centre = of["name"].needed(name, "", "give the centre a name")
    partitions = tuple(_partition(part, centre) for part in of["partitions"].items())
    if not partitions:
        of["partitions"].refuse("is missing: say what it has, for example [{name: gpu, nodes: [...]}]")
    offers = tuple(_offer(part, centre, {it.name for it in partitions}) for part in of["offers"].items())
    if not offers:
        of["offers"].refuse("is missing: say what it costs, for example [{partition: gpu, ...}]")
    view = CentreView(centre, of["jurisdiction"].needed(name, "", "for example CN-QH"), partitions=partitions)
    return view, offers


def _partition(part: Part, centre: str) -> Partition:
    of = part.fields("name", "time_limit", "nodes")
    nodes: list[Node] = []
    for group in of["nodes"].items():
        nodes += _nodes(group, len(nodes))
    if not nodes:
        of["nodes"].refuse("is missing: say which, for example [{count: 4, cpus: 64, memory: 512GiB}]")
    title = of["name"].needed(name, "", "give the partition a name")
    none: int | None = None
    return Partition(centre, title, tuple(nodes), of["time_limit"].read(_TIME_LIMIT, none))


def _nodes(group: Part, first: int) -> list[Node]:
    """`count` nodes alike."""
    of = group.fields("count", "cpus", "memory", "accelerators")
    accelerators = {
        model: part.needed(whole(1, 1024), 1, "say how many")
        for model, part in of["accelerators"].entries(name)
    }
    cpus = of["cpus"].needed(whole(1, 65_536), 1, "say how many cpus a node has")
    memory = of["memory"].needed(_memory, 1, "say how much a node has, for example 512GiB")
    count = of["count"].read(whole(1, MOST_NODES), 1)
    return [Node(f"n{first + n}", cpus, memory, accelerators) for n in range(count)]


def _memory(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Wrong(f"must be an amount of memory such as 512GiB, not {shown(value)}")
    return parse_memory(value)


def _offer(part: Part, centre: str, partitions: set[str]) -> OfferView:
    of = part.fields("partition", "accelerator", "currency", "accelerator_hour", "cpu_hour", "gib_hour")
    partition = of["partition"].needed(name, "", "say of which partition")
    if partition and partition not in partitions:
        of["partition"].refuse(
            f"there is no partition {partition!r}: there are {', '.join(sorted(partitions))}"
        )
    model = of["accelerator"].read(name, "") or None
    accelerator_hour, cpu_hour, gib_hour = (
        of[price].read(number, Fraction(0)) for price in ("accelerator_hour", "cpu_hour", "gib_hour")
    )
    rate = Rate(accelerator_hour, cpu_hour, gib_hour)
    if model and not rate.accelerator_hour:
        of["accelerator_hour"].refuse(f"is missing: say what an hour of {model} costs")
    currency = of["currency"].needed(_currency, "CNY", "for example CNY")
    id = f"{centre}-{partition}" + (f"-{model}" if model else "")
    return OfferView(id, centre, partition, model, currency, rate)


def _currency(value: object) -> str:
    if not isinstance(value, str) or value not in DECIMALS:
        raise Wrong(f"must be one of {', '.join(DECIMALS)}, not {shown(value)}")
    return value
