"""The region as placement sees it: what centres have, what offers cost, and what live attempts occupy.

The leader keeps one `Image` in memory and feeds it with events. `plan` reads it and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from baygrid.core.placement.policy import PRIORITIES


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
class CentreView:
    """`open` False: drained, takes nothing new. `silent_s`: seconds since the last report of a centre that
    counts as unreachable; None: reachable."""

    name: str
    jurisdiction: str
    open: bool = True
    silent_s: int | None = None
    partitions: tuple[Partition, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """Major units of the offer's currency per hour of one accelerator, one cpu, one GiB of memory."""

    accelerator_hour: Fraction
    cpu_hour: Fraction
    gib_hour: Fraction


@dataclass(frozen=True, slots=True)
class OfferView:
    """A partition at a price: plain (`accelerator` None) or with one accelerator model. `rate`: in force
    now."""

    id: str
    centre: str
    partition: str
    accelerator: str | None
    currency: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Placement:
    """What one live attempt has for itself: on each of `nodes`, cpus, MiB of memory and `accelerators` of one
    model.

    `count`: of nodes, also where the centre's own scheduler chooses them (then `nodes` is empty).
    `started_at`, `ends_by` (ms): when it began (None: not yet) and when its time is over. `checkpointed`:
    it can go on from where it was stopped. `stopping`: it has been told to end.
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

    @property
    def path(self) -> tuple[str, str, str]:
        """Where its job stands in the tree of fair shares."""
        return self.organisation, self.project, self.user


class Room:
    """What is free on one node. Below zero where a centre now declares less than what runs there."""

    __slots__ = ("accelerators", "cpus", "memory_mib")

    def __init__(self, cpus: int, memory_mib: int, accelerators: dict[str, int]) -> None:
        self.cpus = cpus
        self.memory_mib = memory_mib
        self.accelerators = accelerators

    def copy(self) -> Room:
        return Room(self.cpus, self.memory_mib, dict(self.accelerators))

    def take(self, cpus: int, memory_mib: int, accelerator: str | None, accelerators: int) -> None:
        """Negative amounts give back."""
        self.cpus -= cpus
        self.memory_mib -= memory_mib
        if accelerator is not None:
            self.accelerators[accelerator] = self.accelerators.get(accelerator, 0) - accelerators


@dataclass(slots=True)
class Pool:
    """A partition with the room that is left on its nodes by name. `kinds`: its different nodes and how many
    of each there are, so that questions about totals need not look at every node."""

    partition: Partition
    rooms: dict[str, Room]
    kinds: tuple[tuple[Node, int], ...]


class Image:
    """Centres, offers, and what live attempts occupy. `occupy` and `release` may be repeated without harm,
    and come before or after the centre that they speak of."""

    def __init__(
        self,
        centres: Iterable[CentreView] = (),
        offers: Iterable[OfferView] = (),
        usage: Iterable[Placement] = (),
    ) -> None:
        self.centres: dict[str, CentreView] = {}
        self.offers: tuple[OfferView, ...] = ()
        self.pools: dict[tuple[str, str], Pool] = {}
        self._live: dict[str, Placement] = {}
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
        return tuple(self._live.values())

    def set_centre(self, view: CentreView) -> None:
        """Add a centre, or replace what was known of it. What occupies its nodes stays."""
        before = self.centres.get(view.name)
        self.centres[view.name] = view
        if before is not None and before.partitions == view.partitions:
            return
        for partition in before.partitions if before else ():
            self.pools.pop((view.name, partition.name), None)
        for partition in view.partitions:
            self.pools[view.name, partition.name] = _pool(partition)
        for placement in self._live.values():
            if placement.centre == view.name:
                self._take(placement, 1)

    def set_offers(self, offers: Iterable[OfferView]) -> None:
        """Replace all offers."""
        self.offers = tuple(sorted(offers, key=lambda o: (o.centre, o.partition, o.accelerator or "", o.id)))

    def occupy(self, placement: Placement) -> None:
        """A live attempt has these nodes; what the same attempt had before is given back."""
        if self._live.get(placement.attempt) != placement:
            self.release(placement.attempt)
            self._live[placement.attempt] = placement
            self._take(placement, 1)

    def release(self, attempt: str) -> None:
        """The attempt is over; unknown is fine."""
        placement = self._live.pop(attempt, None)
        if placement is not None:
            self._take(placement, -1)

    def _take(self, placement: Placement, sign: int) -> None:
        pool = self.pools.get((placement.centre, placement.partition))
        for name in placement.nodes if pool else ():
            room = pool.rooms.get(name) if pool else None
            if room is not None:
                room.take(
                    sign * placement.cpus,
                    sign * placement.memory_mib,
                    placement.accelerator,
                    sign * placement.accelerators,
                )


def _pool(partition: Partition) -> Pool:
    rooms = {n.name: Room(n.cpus, n.memory_mib, dict(n.accelerators)) for n in partition.nodes}
    counts: Counter[tuple[int, int, tuple[tuple[str, int], ...]]] = Counter()
    examples: dict[tuple[int, int, tuple[tuple[str, int], ...]], Node] = {}
    for node in partition.nodes:
        key = (node.cpus, node.memory_mib, tuple(sorted(node.accelerators.items())))
        counts[key] += 1
        examples.setdefault(key, node)
    return Pool(partition, rooms, tuple((examples[key], counts[key]) for key in sorted(counts)))
