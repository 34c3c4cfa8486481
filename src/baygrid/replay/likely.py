"""How long jobs would have run whose end nobody has seen: as long as one of their like did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from baygrid.core.placement.demand import Demand
from baygrid.replay.whatif import Past


def with_likely(known: Sequence[Past], unknown: Sequence[Past], seed: int) -> tuple[list[Past], list[Past]]:
    """(those of `unknown` with the length of a job drawn from the most alike of `known`, those without any
    like). `lasts_s` of an unknown one is what it ran so far: it is never predicted to be shorter."""
    generator = np.random.default_rng(seed)
    lengths: defaultdict[Hashable, list[float]] = defaultdict(list)
    for past in known:
        for key in _alike(past.demand):
            lengths[key].append(past.lasts_s)
    predicted, left = [], []
    for past in unknown:
        found = next((lengths[key] for key in _alike(past.demand) if key in lengths), None)
        if found is None:
            left.append(past)
        else:
            drawn = found[int(generator.integers(len(found)))]
            longest = max(past.lasts_s, min(drawn, float(past.demand.time_s)))
            predicted.append(replace(past, lasts_s=longest))
    return predicted, left


def _alike(demand: Demand) -> Iterator[Hashable]:
    """From the most alike to the least: of one user and shape, of one user, of one project."""
    yield demand.path, demand.shape
    yield demand.path
    yield demand.path[:2]
