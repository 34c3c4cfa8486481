"""The order among candidates that pass: each scorer answers a value, and the smallest first difference
wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from baygrid.core.placement.candidates import Candidate
from baygrid.core.placement.demand import Demand

Scorer: TypeAlias = Callable[[Demand, Candidate], int]


def infra_order(demand: Demand, it: Candidate) -> int:
    """The place of the first target that covers the candidate, where the demand's targets are in order."""
    if not demand.infra.ordered:
        return 0
    targets = demand.infra.targets
    return next((n for n, target in enumerate(targets) if target.covers(*it.where)), len(targets))


def accelerator_order(demand: Demand, it: Candidate) -> int:
    """The place of the accelerator in the demand's list, where that is in order."""
    return it.preference or 0 if demand.ordered else 0


def price(demand: Demand, it: Candidate) -> int:
    """The cost of the full time, in minor units."""
    return it.cost_minor


SCORERS: Final[tuple[Scorer, ...]] = (infra_order, accelerator_order, price)


def rank(scorers: tuple[Scorer, ...], demand: Demand, it: Candidate) -> tuple[tuple[int, ...], str]:
    """Sorts candidates, best first; equal ones by name."""
    return tuple(scorer(demand, it) for scorer in scorers), it.subject
