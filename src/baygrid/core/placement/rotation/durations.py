"""What is known of how long jobs run, learnt only from service already given, and the index that follows.

Attained service (seconds that a gang has run) is cut into levels with edges that grow by a factor. In each
level the rate of ending is estimated as ends / seconds spent there, over all jobs, the unfinished ones
included: the occurrence/exposure estimator, which a job still running does not bias (Andersen and Keiding,
"Multi-state models for event history analysis", 2002). No duration of an unfinished job is looked at.

Uncertainty is kept by a gamma prior. The prior rate of the pool of all sizes is `tail` / attained service, a
tail without a scale, worth `weight` ends; the estimate of the pool is the prior of each size, worth as much.

The index of a job at a level is Gittins' (1979; Aalto, Ayesta and Righter, "On the Gittins index in the M/G/1
queue", 2009): the best ratio, over all levels to stop at, of the chance to end until there to the seconds
spent until there, here divided by the GPUs held. Where the rate falls with service this is least attained
service first; where it rises (a quota, a usual number of epochs) it runs what it has begun.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIRST_EDGE_S: Final = 600.0
FACTOR: Final = 2.0**0.5
LEVELS: Final = 32
TAIL: Final = 1.0
"""Of jobs that have run some time half run twice as long (Harchol-Balter and Downey, 1997, of processes)."""
WEIGHT: Final = 30.0
"""In ends. From 3 to 100, and from 60 to 3,600 s for the first edge, mean completion times change by 2 %."""


class History(NamedTuple):
    """What service has shown so far, by size class and level.

    `edges`: seconds, ascending from 0, the last infinite. `sizes`: GPUs of each class. `ends`, `seconds`:
    shape (classes, levels). `worth`: the index, shape (classes, levels), 1 / GPU-second, as of the last
    `learn`.
    """

    edges: Floats
    sizes: Ints
    ends: Floats
    seconds: Floats
    worth: Floats


def history(sizes: Ints) -> History:
    """Nothing seen yet, the index that of the prior."""
    edges = np.concatenate(([0.0], FIRST_EDGE_S * FACTOR ** np.arange(LEVELS - 1), [np.inf]))
    shape = (len(sizes), LEVELS)
    empty = History(edges, sizes, np.zeros(shape), np.zeros(shape), np.zeros(shape))
    learn(empty)
    return empty


@njit(cache=True)
def learn(history: History) -> None:
    """Bring `worth` up to what `ends` and `seconds` say."""
    levels = history.ends.shape[1]
    pool = np.empty(levels)
    rate = np.empty(levels)
    for level in range(levels):
        middle = history.edges[level] * FACTOR**0.5 if level > 0 else FIRST_EDGE_S / 2
        ends = history.ends[:, level].sum() + WEIGHT
        pool[level] = ends / (history.seconds[:, level].sum() + WEIGHT * middle / TAIL)
    for kind in range(len(history.sizes)):
        for level in range(levels):
            seconds = history.seconds[kind, level] + WEIGHT / pool[level]
            rate[level] = (history.ends[kind, level] + WEIGHT) / seconds
        for level in range(levels):
            history.worth[kind, level] = gittins(rate, history.edges, level) / history.sizes[kind]


@njit(cache=True)
def gittins(rate: Floats, edges: Floats, level: int) -> float:
    """The Gittins index (1 / second) of a job that enters `level`, its rate of ending constant within levels.

    `rate`: ends per second in each level; `edges`: one more than levels, the last infinite.
    """
    alive = 1.0
    spent = 0.0
    best = 0.0
    for stop in range(level, len(rate)):
        stays = np.exp(-rate[stop] * (edges[stop + 1] - edges[stop]))
        spent += alive * (1.0 - stays) / rate[stop]
        alive *= stays
        best = max(best, (1.0 - alive) / spent)
    return best
