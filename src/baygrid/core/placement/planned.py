"""What a plan says: who runs where, who makes room, whose place is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Placement
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.reasons import Explanation, Reason


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job goes to these nodes (none named: the centre's own scheduler chooses `count` of them).
    `accelerators` of model `accelerator` on each node; `accelerator_share`: thousandths of its one, and
    `accelerator_slots`: which shared one, node by node. `cost_minor`: what it costs at most, in minor units
    of the offer's currency. `why` makes the explanation, which few ask for."""

    job: str
    centre: str
    partition: str
    offer: str
    nodes: tuple[str, ...]
    count: int
    accelerator: str | None
    accelerators: int
    cost_minor: int
    why: Callable[[], Explanation] = field(compare=False, repr=False)
    accelerator_share: int = WHOLE
    accelerator_slots: tuple[int, ...] = ()

    def placement(self, attempt: str, demand: Demand, now: int) -> Placement:
        """What it occupies from `now` (ms) on, committed as `attempt` of its job's `demand`."""
        return Placement(
            attempt, self.centre, self.partition, self.nodes, demand.cpus, demand.memory_mib,
            self.accelerator, self.accelerators, self.count, self.job, *demand.path, demand.queue,
            demand.priority, placed_at=now, ends_by=now + demand.occupies_ms,
            accelerator_share=self.accelerator_share, accelerator_slots=self.accelerator_slots,
        )  # fmt: skip

    @property
    def explanation(self) -> Explanation:
        return self.why()


@dataclass(frozen=True, slots=True)
class Preemption:
    """This attempt is to stop, for `job`."""

    attempt: str
    job: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """This attempt, of `job`, is to leave the queue of its centre's own scheduler if it has not begun."""

    attempt: str
    job: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Kept:
    """A place is kept for a blocked job: it starts there at `start` (ms) at the latest."""

    job: str
    centre: str
    partition: str
    start: int
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`assignments` in the order of their turns, `kept` too: jobs that had their turn and stay in the queue.
    Those that were not looked at have to wait too, unless there is `more` to place: so much was placed at
    once that the next plan goes on."""

    assignments: tuple[Assignment, ...]
    preemptions: tuple[Preemption, ...]
    kept: tuple[Kept, ...]
    more: bool = False
    withdrawals: tuple[Withdrawal, ...] = ()
