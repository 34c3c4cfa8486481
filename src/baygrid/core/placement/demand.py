"""What one job asks of the region, in placement's own words."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from baygrid.core.cost import Bought
from baygrid.core.placement.deals import Deal
from baygrid.core.placement.policy import PRIORITIES
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.placement.work import Work
from baygrid.core.reasons import JSON


@dataclass(frozen=True, slots=True)
class Target:
    """A centre, or one partition of it."""

    centre: str
    partition: str | None = None

    def covers(self, centre: str, partition: str) -> bool:
        return self.centre == centre and self.partition in (None, partition)

    def __str__(self) -> str:
        return self.centre if self.partition is None else f"{self.centre}/{self.partition}"


@dataclass(frozen=True, slots=True)
class Infra:
    """Where a job may run. No `targets`: anywhere. `ordered`: an earlier target is better at any price.
    What `avoid` covers is out, even where a target covers it too."""

    targets: tuple[Target, ...] = ()
    ordered: bool = False
    avoid: tuple[Target, ...] = ()


ANYWHERE = Infra()


@dataclass(frozen=True, slots=True)
class Bar:
    """Why the law does not let what a job takes in (`data`) go where `jurisdiction` is: the `outcome` of the
    rules of that border, the articles that it rests on, and the facts that nobody has said."""

    jurisdiction: str
    data: str
    outcome: str
    basis: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JSON]:
        return {
            "jurisdiction": self.jurisdiction,
            "data": self.data,
            "outcome": self.outcome,
            "basis": list(self.basis),
            "missing": list(self.missing),
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Bar:
        return cls(
            document["jurisdiction"],
            document["data"],
            document["outcome"],
            tuple(document["basis"]),
            tuple(document["missing"]),
        )


class Prefer(StrEnum):
    """What makes one place better than another."""

    COST = "cost"
    TIME = "time"
    ENERGY = "energy"


@dataclass(frozen=True, slots=True)
class Expected:
    """How long it will run, in seconds, as far as the region's history knows: the tenth, the half and nine
    tenths of like jobs were done by then."""

    p10: int
    p50: int
    p90: int


@dataclass(frozen=True, slots=True)
class Demand:
    """One job of `nodes` nodes at once, all in one partition, each with `cpus`, `memory_mib` and one of the
    `accelerators` (model, count per node); none asked for: a plain job.

    `min_nodes`: an elastic job takes as many nodes as it can have from so many to `nodes` (None: all or
    nothing). `ordered`: an earlier accelerator is better at any price. `time_s`: the longest it runs, in
    seconds; costs are for all of it. `grace_s`: how long it may still take to stop then. `residency`: the
    jurisdictions that its data may be in (None: any). `max_cost_minor`: minor units of `currency` (None: no
    limit); `held`: it is no wish of the job's, but what was held for it. `input_bytes`: what has to be
    brought to where it runs.

    `user`, `organisation`, `queue`, `priority` (higher is more urgent), `submitted_at` (ms), `deadline`
    (ms, when it should have ended) and `expected` say whose turn it is, not where it can run; `checkpointed`,
    that it can go on from where it was stopped.

    `shares`: thousandths of the one device per node, by alternative; empty: all are whole. `waited_at`: where
    a centre's own queue kept it waiting for too long; any other place with room is better.

    `needs`: what a centre must be able to do for it (`ports.messages.CAPABILITIES` has the words), besides
    what its size asks for.

    `work`: what it has to do, which says how long it is expected to run where a place is rated; what is held
    and when it is stopped rest on `time_s` all the same.

    `deals`: what was bought ahead for it, in the order in which it is used. `spot`: it is content to yield to
    all others, and only runs where all of it has a spot price.

    `bars`: where the law does not let its data go; at most one for a jurisdiction.

    `shape` is equal for two demands only if they differ in nothing but what says whose turn it is, `job` and
    `project`: they share one search and one explanation. Left out, it is made of all other fields.
    """

    job: str
    project: str
    currency: str
    nodes: int
    cpus: int
    memory_mib: int
    time_s: int
    accelerators: tuple[tuple[str, int], ...] = ()
    ordered: bool = False
    infra: Infra = ANYWHERE
    residency: frozenset[str] | None = None
    max_cost_minor: int | None = None
    min_nodes: int | None = None
    grace_s: int = 0
    prefer: Prefer = Prefer.COST
    input_bytes: int = 0
    organisation: str = ""
    user: str = ""
    queue: str = "default"
    priority: int = PRIORITIES["normal"]
    submitted_at: int = 0
    deadline: int | None = None
    expected: Expected | None = None
    checkpointed: bool = False
    shape: Hashable = None
    shares: tuple[int, ...] = ()
    needs: frozenset[str] = frozenset()
    waited_at: Target | None = None
    held: bool = False
    work: Work | None = None
    deals: tuple[Deal, ...] = ()
    spot: bool = False
    bars: tuple[Bar, ...] = ()

    def __post_init__(self) -> None:
        if self.shape is None:
            size: tuple[Hashable, ...] = (
                self.nodes,
                self.min_nodes,
                self.cpus,
                self.memory_mib,
                self.accelerators,
                self.shares,
                self.time_s,
                self.grace_s,
            )
            where = (self.ordered, self.infra, self.residency, self.bars, self.prefer, self.input_bytes)
            money = (self.currency, self.max_cost_minor, self.held, self.deals, self.spot)
            object.__setattr__(self, "shape", (*money, *size, *where, self.needs, self.waited_at, self.work))

    def bought(self, offer: str) -> tuple[Bought, ...]:
        """What it need not pay by the tariff there."""
        return tuple([deal.bought for deal in self.deals if deal.offer == offer])

    @property
    def least(self) -> int:
        """Nodes without which it does not start."""
        return self.nodes if self.min_nodes is None else min(self.min_nodes, self.nodes)

    @property
    def occupies_ms(self) -> int:
        """How long it has its nodes at the longest."""
        return (self.time_s + self.grace_s) * 1000

    @property
    def options(self) -> tuple[tuple[str | None, int, int], ...]:
        """Model, count per node and thousandths of each; one option without a model for a plain job."""
        if not self.accelerators:
            return ((None, 0, WHOLE),)
        shares = self.shares or (WHOLE,) * len(self.accelerators)
        return tuple((*asked, share) for asked, share in zip(self.accelerators, shares, strict=True))

    def needed(self, model: str | None, share: int) -> frozenset[str]:
        """All that a centre must be able to do to give it one of its `options`."""
        more = set[str]()
        if self.least > 1:
            more.add("gang")
        if model is not None:
            more.add("accelerators" if share == WHOLE else "parts")
        return self.needs | more

    @property
    def path(self) -> tuple[str, str, str]:
        """Where it stands in the tree of fair shares."""
        return self.organisation, self.project, self.user
