"""Many seeds, one after the other."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass

from baygrid.sim.region import Region
from baygrid.sim.results import Failure, Outcome


@dataclass(frozen=True, slots=True)
class Summary:
    """`outcomes` in the order of the seeds."""

    outcomes: tuple[Outcome, ...]

    @property
    def seeds(self) -> int:
        return len(self.outcomes)

    @property
    def jobs(self) -> int:
        return sum(outcome.jobs for outcome in self.outcomes)

    @property
    def steps(self) -> int:
        return sum(outcome.steps for outcome in self.outcomes)

    @property
    def failures(self) -> tuple[Failure, ...]:
        return tuple(outcome.failure for outcome in self.outcomes if outcome.failure is not None)


def simulate(
    seeds: int, jobs: int, first: int = 0, on_seed: Callable[[Outcome], None] = lambda outcome: None
) -> Summary:
    """Runs the seeds `first` to `first + seeds - 1` with `jobs` jobs each. `on_seed` hears of each."""
    outcomes = []
    for seed in range(first, first + seeds):
        outcome = Region(seed, jobs).run()
        outcomes.append(outcome)
        on_seed(outcome)
        gc.collect(0)  # what a region leaves behind is one large cycle
    return Summary(tuple(outcomes))
