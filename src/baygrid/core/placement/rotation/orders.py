"""The orders, and the key of a gang under each: the least key has the turn, in every round anew.

* `SRTF`: least remaining time. `SRSF`: least remaining time x GPUs (Tiresias' name for it).
* `TIRESIAS`: Tiresias-L, discretised two-dimensional least attained service (Gu et al., NSDI'19), with the
  queues and rules of Muri's simulator: see `settle`.
* `BLIND`: Gittins index by attained service, learnt from the service given so far: see `durations`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from baygrid.core.placement.rotation.durations import History, learn
from baygrid.core.placement.rotation.waiting import Waiting, reorder

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SRTF: Final = 0
SRSF: Final = 1
TIRESIAS: Final = 2
BLIND: Final = 3

LIMITS: Final = (3_250.0, 7_200.0)
"""GPU-seconds at which Tiresias moves a gang to its second and its last queue, as in Muri's simulator."""

_QUEUE: Final = 1e12
_RUNNING: Final = -5e11
"""In Tiresias' keys: from queue to queue, and from those who wait in one to those who run."""
ALMOST: Final = 1e-6
"""Seconds that rounding may be off."""


class Service(NamedTuple):
    """The gangs and what they have had, one entry a gang, in order of submission.

    Given: `submit` and `toll` (seconds), `gpus`, `kind` (the number of its size class). Changing:
    `left`, `got` (seconds of work still to do; seconds it has run), `level` (of attained service), `edge`
    (seconds of running at which the next begins), `key`. `tail[0]` and `tail[1]` are the last numbers given
    out at the back and at the front of Tiresias' queues.
    """

    submit: Floats
    toll: Floats
    gpus: Ints
    kind: Ints
    left: Floats
    got: Floats
    level: Ints
    edge: Floats
    key: Floats
    tail: Floats


@njit(cache=True)
def enter(service: Service, history: History, order: int, gang: int) -> None:
    """The key and the first edge of a gang that has just been submitted."""
    if order == SRTF:
        service.key[gang] = service.left[gang]
    elif order == SRSF:
        service.key[gang] = service.left[gang] * service.gpus[gang]
    elif order == TIRESIAS:
        service.tail[0] += 1.0
        service.key[gang] = service.tail[0]
        service.edge[gang] = LIMITS[0] / service.gpus[gang]
    else:
        service.key[gang] = -history.worth[service.kind[gang], 0]
        service.edge[gang] = history.edges[1]


@njit(cache=True)
def work(service: Service, history: History, order: int, running: Ints, seconds: float) -> None:
    """Let the running gangs work, and give those that come to another level of attained service their key."""
    left, got, toll, edge, key = service.left, service.got, service.toll, service.edge, service.key
    crossed = 0
    for gang in running:
        left[gang] -= max(seconds - toll[gang], 0.0)
        got[gang] += seconds
        if order == SRTF:
            key[gang] = left[gang]
        elif order == SRSF:
            key[gang] = left[gang] * service.gpus[gang]
        elif got[gang] >= edge[gang] - ALMOST:
            crossed += 1
    if crossed > 0:
        for gang in np.sort(running):
            if got[gang] >= edge[gang] - ALMOST:
                _cross(service, history, order, gang)


@njit(cache=True)
def _cross(service: Service, history: History, order: int, gang: int) -> None:
    service.level[gang] += 1
    level = service.level[gang]
    if order == BLIND:
        service.key[gang] = -history.worth[service.kind[gang], level]
        service.edge[gang] = history.edges[level + 1]
    else:
        service.tail[0] += 1.0
        service.key[gang] = level * _QUEUE + service.tail[0]
        service.edge[gang] = LIMITS[level] / service.gpus[gang] if level < len(LIMITS) else np.inf


@njit(cache=True)
def settle(service: Service, running: Ints, stopped: Ints) -> None:
    """Tiresias' queues after a round: first those that run, in their order, then those that were
    stopped, then those that waited already. `running` and `stopped` are in the order of the round."""
    for place in range(len(running)):
        gang = running[place]
        service.key[gang] = service.level[gang] * _QUEUE + _RUNNING + place
    for place in range(len(stopped) - 1, -1, -1):
        gang = stopped[place]
        if service.key[gang] < service.level[gang] * _QUEUE + _RUNNING / 2:
            service.tail[1] -= 1.0
            service.key[gang] = service.level[gang] * _QUEUE + service.tail[1]


@njit(cache=True)
def relearn(service: Service, history: History, queue: Waiting, running: Ints) -> None:
    """Bring the index up to date, and with it the keys of all who run or wait."""
    learn(history)
    for gang in running:
        service.key[gang] = -history.worth[service.kind[gang], service.level[gang]]
    for kind in range(len(queue.base)):
        for gang in queue.heap[queue.base[kind] : queue.base[kind] + queue.waits[kind]]:
            service.key[gang] = -history.worth[kind, service.level[gang]]
    reorder(queue, service.key)
