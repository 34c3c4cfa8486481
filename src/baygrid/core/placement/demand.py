"""What one job asks of the region, in placement's own words."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


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
class Demand:
    """One job of `nodes` nodes at once, all in one partition, each with `cpus`, `memory_mib` and one of the
    `accelerators` (model, count per node); none asked for: a plain job.

    `ordered`: an earlier accelerator is better at any price. `time_s`: the longest it runs, in seconds; costs
    are for all of it. `residency`: the jurisdictions that its data may be in (None: any). `max_cost_minor`:
    minor units of `currency` (None: no limit).

    `shape` is equal for two demands only if they differ in nothing but `job` and `project`: they share one
    search and one explanation. Left out, it is made of all other fields.
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
    shape: Hashable = None

    def __post_init__(self) -> None:
        if self.shape is None:
            shape = (self.currency, self.nodes, self.cpus, self.memory_mib, self.time_s, self.accelerators)
            more = (self.ordered, self.infra, self.residency, self.max_cost_minor)
            object.__setattr__(self, "shape", shape + more)
