"""The region as placement sees it: what centres have, what offers cost, and what live attempts occupy.

The leader keeps one `Image` in memory and feeds it with events. `plan` reads it and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from baygrid.core.placement.demand import Expected
from baygrid.core.placement.links import Speed
from baygrid.core.placement.policy import PLAIN, PRIORITIES
from baygrid.core.placement.room.nodes import NodeTable
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.placement.work import Pace
from baygrid.core.terms import Terms


@dataclass(frozen=True, slots=True)
class Node:
    """Totals of one node, free or not; `accelerators` by model."""

    name: str
    cpus: int
    memory_mib: int
    accelerators: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Partition:
    """Nodes with the same rules. `time_limit_s` in seconds, None: no limit."""

    centre: str
    name: str
    nodes: tuple[Node, ...]
    time_limit_s: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What one attempt would have in a partition: on each of `nodes`, cpus, MiB of memory and `accelerators`
    of one model, for `time_s` seconds at the longest."""

    partition: str
    nodes: int
    cpus: int
    memory_mib: int
    accelerator: str | None
    accelerators: int
    time_s: int

    def covers(self, other: Shape) -> bool:
        """Whether it asks for no less of the same."""
        return (
            (self.partition, self.accelerator) == (other.partition, other.accelerator)
            and self.nodes >= other.nodes
            and self.cpus >= other.cpus
            and self.memory_mib >= other.memory_mib
            and self.accelerators >= other.accelerators
            and self.time_s >= other.time_s
        )


@dataclass(frozen=True, slots=True)
class CentreView:
    """`open` False: drained, takes nothing new. `silent_s`: seconds since the last report of a centre that
    counts as unreachable, 0 of one that never joined; None: reachable. `waits`: the centre's own estimate of
    how long (seconds) one more attempt of a shape would wait. `capabilities`: what it can do (None: it has
    not said, and is taken to do everything). `link`: from the exchange, where that was measured lately."""

    name: str
    jurisdiction: str
    open: bool = True
    silent_s: int | None = None
    partitions: tuple[Partition, ...] = ()
    waits: Mapping[Shape, int] = field(default_factory=dict, hash=False)
    capabilities: frozenset[str] | None = None
    link: Speed | None = None

    @property
    def joined(self) -> bool:
        """Whether it has ever reported."""
        return self.silent_s != 0

    def lacks(self, needed: frozenset[str]) -> frozenset[str]:
        """What of it this centre cannot do."""
        return frozenset() if self.capabilities is None else needed - self.capabilities


@dataclass(frozen=True, slots=True)
class Rate:
    """Major units of the offer's currency per hour of one accelerator, one cpu, one GiB of memory; `terms`:
    what else is paid (None: nothing)."""

    accelerator_hour: Fraction
    cpu_hour: Fraction
    gib_hour: Fraction
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class OfferView:
    """A partition at a price: plain (`accelerator` None) or with one accelerator model. `rate`: in force
    now. `paces`: what a device of it was measured to do, by unit of work."""

    id: str
    centre: str
    partition: str
    accelerator: str | None
    currency: str
    rate: Rate
    paces: Mapping[str, Pace] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Placement:
    """What one live attempt has for itself: on each of `nodes`, cpus, MiB of memory and `accelerators` of one
    model.

    `accelerator_share`: thousandths of its one accelerator on each node; `accelerator_slots`: which shared
    one, node by node. `count`: of nodes, also where the centre's own scheduler chooses them (then `nodes`
    is empty).
    `started_at`, `ends_by` (ms): when it began (None: not yet) and when its time is over. `checkpointed`:
    it can go on from where it was stopped. `stopping`: it has been told to end. `expected`: how long it will
    probably run.
    """

    attempt: str
    centre: str
    partition: str
    nodes: tuple[str, ...]
    cpus: int
    memory_mib: int
    accelerator: str | None = None
    accelerators: int = 0
    count: int = 1
    job: str = ""
    organisation: str = ""
    project: str = ""
    user: str = ""
    queue: str = "default"
    priority: int = PRIORITIES["normal"]
    placed_at: int = 0
    started_at: int | None = None
    ends_by: int | None = None
    checkpointed: bool = False
    stopping: bool = False
    expected: Expected | None = None
    accelerator_share: int = WHOLE
    accelerator_slots: tuple[int, ...] = ()

    @property
    def path(self) -> tuple[str, str, str]:
        """Where its job stands in the tree of fair shares."""
        return self.organisation, self.project, self.user

    @property
    def flavor(self) -> str:
        """What quotas call what it has."""
        return self.accelerator or PLAIN

    @property
    def amount(self) -> int:
        """Of its flavor, in thousandths."""
        if self.accelerator is None:
            return WHOLE * self.count * self.cpus
        return self.accelerator_share * self.count * self.accelerators

    @property
    def devices(self) -> dict[str, int]:
        """Thousandths of accelerators, by model."""
        return {self.accelerator: self.amount} if self.accelerator else {}


@dataclass(frozen=True, slots=True)
class Pool:
    """A partition. `kinds`: its different nodes and how many of each there are, so that questions about
    totals need not look at every node."""

    partition: Partition
    kinds: tuple[tuple[Node, int], ...]


class Image:
    """Centres, offers, and what live attempts occupy. `occupy` and `release` may be repeated without harm,
    and come before or after the centre that they speak of. `layout` is another number whenever anything but
    openness, silence and what is occupied has changed."""

    def __init__(
        self,
        centres: Iterable[CentreView] = (),
        offers: Iterable[OfferView] = (),
        usage: Iterable[Placement] = (),
    ) -> None:
        self.centres: dict[str, CentreView] = {}
        self.offers: tuple[OfferView, ...] = ()
        self.pools: dict[tuple[str, str], Pool] = {}
        self.live: dict[str, Placement] = {}
        self.layout = 0
        self.used: Counter[tuple[str, str]] = Counter()
        self.pending: Counter[tuple[str, str]] = Counter()
        self.priorities: Counter[int] = Counter()
        self._by_pool: dict[tuple[str, str], dict[str, Placement]] = {}
        self._nodes: NodeTable | None = None
        for placement in usage:
            self.occupy(placement)
        for centre in centres:
            self.set_centre(centre)
        self.set_offers(offers)

    def __repr__(self) -> str:
        return f"Image({list(self.centres.values())}, {list(self.offers)}, {list(self.usage)})"

    @property
    def usage(self) -> tuple[Placement, ...]:
        """The live attempts, in the order in which they were placed."""
        return tuple(self.live.values())

    def at(self, where: tuple[str, str]) -> Iterable[Placement]:
        """The live attempts of one partition."""
        return self._by_pool.get(where, {}).values()

    def nodes(self, lumped: frozenset[str] = frozenset()) -> NodeTable:
        """All nodes as arrays. `lumped`: centres whose partitions are known by their sums only. It belongs to
        the image: read it, and take it anew after every change."""
        if self._nodes is None or self._nodes.lumped != lumped:
            parts = {where: pool.partition.nodes for where, pool in self.pools.items()}
            self._nodes = NodeTable(parts, lumped)
            for placement in self.live.values():
                self._nodes.occupy(placement)
        return self._nodes

    def set_centre(self, view: CentreView) -> None:
        """Add a centre, or replace what was known of it. What occupies its nodes stays."""
        before = self.centres.get(view.name)
        self.centres[view.name] = view
        if (
            before is None
            or before.partitions != view.partitions
            or before.jurisdiction != view.jurisdiction
            or before.waits != view.waits
            or before.capabilities != view.capabilities
            or _bit_s(before) != _bit_s(view)
        ):
            self.layout += 1
        if before is not None and before.partitions == view.partitions:
            return
        self._nodes = None
        for partition in before.partitions if before else ():
            self.pools.pop((view.name, partition.name), None)
        for partition in view.partitions:
            self.pools[view.name, partition.name] = _pool(partition)

    def set_offers(self, offers: Iterable[OfferView]) -> None:
        """Replace all offers."""
        self.layout += 1
        self.offers = tuple(sorted(offers, key=lambda o: (o.centre, o.partition, o.accelerator or "", o.id)))

    def occupy(self, placement: Placement) -> None:
        """A live attempt has these nodes; what the same attempt had before is given back."""
        if self.live.get(placement.attempt) != placement:
            self.release(placement.attempt)
            self.live[placement.attempt] = placement
            self._count(placement, 1)
            self._by_pool.setdefault((placement.centre, placement.partition), {})[placement.attempt] = (
                placement
            )
            if self._nodes is not None:
                self._nodes.occupy(placement)

    def release(self, attempt: str) -> None:
        """The attempt is over; unknown is fine."""
        placement = self.live.pop(attempt, None)
        if placement is not None:
            self._count(placement, -1)
            del self._by_pool[placement.centre, placement.partition][attempt]
            if self._nodes is not None:
                self._nodes.release(placement)

    def _count(self, it: Placement, sign: int) -> None:
        self.used[it.queue, it.flavor] += sign * it.amount
        self.priorities[it.priority] += sign
        if it.started_at is None:
            self.pending[it.centre, it.partition] += sign


def _bit_s(view: CentreView) -> int | None:
    return None if view.link is None else view.link.bit_s


def _pool(partition: Partition) -> Pool:
    counts: Counter[tuple[int, int, tuple[tuple[str, int], ...]]] = Counter()
    examples: dict[tuple[int, int, tuple[tuple[str, int], ...]], Node] = {}
    for node in partition.nodes:
        key = (node.cpus, node.memory_mib, tuple(sorted(node.accelerators.items())))
        counts[key] += 1
        examples.setdefault(key, node)
    return Pool(partition, tuple((examples[key], counts[key]) for key in sorted(counts)))
