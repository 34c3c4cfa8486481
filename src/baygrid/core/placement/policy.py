"""What the region's operator has declared about placement: one dated document (`policy_file` reads it).

Amounts of a flavor are thousandths of an accelerator; the flavor `cpu` stands for plain jobs, in
thousandths of a cpu. Ratings, links, carbon and energy prices are the operator's word until they are
measured.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

PLAIN: Final = "cpu"
"""The flavor of a job without accelerators."""

PRIORITIES: Final[Mapping[str, int]] = {"low": 100, "normal": 200, "high": 300, "urgent": 400}
"""Priority classes; higher is more urgent."""
SPOT: Final = 0
"""Of spot jobs: everybody else goes first, and may take their place."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a queue may have at once of one flavor, in thousandths. `borrowing`: beyond `nominal`, of what
    others of its cohort leave idle (None: no limit). `lending`: how much of `nominal` others may borrow
    while it is idle (None: all of it). Kueue's ClusterQueue has the same three words."""

    nominal: int
    borrowing: int | None = 0
    lending: int | None = None


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """A queue of jobs. A flavor without a quota here is not limited. `cohort`: queues that lend to each
    other. `up_to`: the most urgent priority class that its jobs may have. `projects`: who may use it (None:
    all)."""

    name: str
    cohort: str | None = None
    quotas: Mapping[str, Quota] = field(default_factory=dict, hash=False)
    up_to: int = PRIORITIES["normal"]
    projects: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """An advance reservation: these nodes are for these projects (none: for nobody, as in maintenance) from
    `start` to `end` (ms). Other jobs run there only if their time ends before."""

    name: str
    centre: str
    partition: str
    nodes: tuple[str, ...]
    start: int
    end: int
    projects: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FlavorPolicy:
    """`rating`: how much one accelerator does in an hour, relative to any other flavor's rating. `watts`:
    of one at work."""

    rating: Fraction = Fraction(1)
    watts: int = 0


@dataclass(frozen=True, slots=True)
class CentrePolicy:
    """`managed`: Baygrid alone decides what runs on which node; else the centre's own scheduler does, gets at
    most `max_pending` attempts at once that have not started, and Baygrid chooses only the partition. What
    waits there for longer than `patience_s` is withdrawn if it could start elsewhere at once (None: as long
    as `withdrawing` says).

    Link to the region's store: `mbit_s` (0: not declared, taken as instant) and `gib_price` (major units
    for a GiB in or out). `carbon_g_kwh` and `energy_price_kwh`: by hour of the UTC day, 24 values (or
    none); `pue`: all power of the site by power of its machines. `watts_cpu`: of one cpu at work.
    """

    managed: bool = True
    max_pending: int | None = None
    patience_s: int | None = None
    mbit_s: int = 0
    gib_price: Fraction = Fraction(0)
    carbon_g_kwh: tuple[int, ...] = ()
    energy_price_kwh: tuple[Fraction, ...] = ()
    pue: Fraction = Fraction(1)
    watts_cpu: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """`shares`: weight of a node of the tree region -> organisation -> project -> user, by its path; 1
    where none is said. `half_life_s`: after so many seconds past usage counts half. `backfill` False:
    nothing passes a blocked job. `reserve`: how many blocked jobs have a place kept for them."""

    shares: Mapping[tuple[str, ...], int] = field(default_factory=dict, hash=False)
    half_life_s: int = 7 * 24 * 3600
    queues: Mapping[str, QueuePolicy] = field(default_factory=dict, hash=False)
    reservations: tuple[Reserved, ...] = ()
    flavors: Mapping[str, FlavorPolicy] = field(default_factory=dict, hash=False)
    centres: Mapping[str, CentrePolicy] = field(default_factory=dict, hash=False)
    backfill: bool = True
    preemption: bool = True
    reserve: int = 8

    def queue(self, name: str) -> QueuePolicy | None:
        """The queue; `default` is there even where nobody declared it."""
        found = self.queues.get(name)
        return QueuePolicy("default") if found is None and name == "default" else found

    def centre(self, name: str) -> CentrePolicy:
        return self.centres.get(name, CentrePolicy())

    def with_own_queues(self, centres: Collection[str]) -> Policy:
        """The same, but these centres' own schedulers choose the nodes, whatever it says of them."""
        own = {name: replace(self.centre(name), managed=False) for name in centres}
        return replace(self, centres={**self.centres, **own}) if own else self

    def with_reservations(self, more: tuple[Reserved, ...]) -> Policy:
        """The same, with these besides what it says."""
        return replace(self, reservations=(*self.reservations, *more)) if more else self

    def flavor(self, model: str | None) -> FlavorPolicy:
        return self.flavors.get(model or PLAIN, FlavorPolicy())


UNDECLARED: Final = Policy()
"""A region whose operator has declared nothing: equal shares, no quotas, every centre managed."""
