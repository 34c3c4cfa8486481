"""How much of a node's idle accelerators the usual requests cannot use (Weng et al., ATC'23, section 4.1).

Sums are added in the order of the authors' simulator (by class of obstacle, then over the classes): scores
are cut to whole numbers later, so the last bit of a sum can decide a placement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from baygrid.core.placement.packing.cluster import Cluster, Floats, Ints, Request

POPULAR: Final = 0.95
"""Typical requests are the most frequent kinds that make up this part of all."""
_LACKS_BOTH, _LACKS_DEVICES, _LACKS_CPU, _PLAIN, _PLAIN_LACKS_CPU, _NO_MODEL = range(6)
_CLASSES: Final = 6


class Typical(NamedTuple):
    """The usual requests: `kinds` (t, 3) cpu, count, place in `keys` (-1: no device); `keys` (k, 2) share,
    mask; `weights` (t,) their part, together 1."""

    kinds: Ints
    keys: Ints
    weights: Floats


def popular(requests: Iterable[Request]) -> list[tuple[Request, float]]:
    """The most frequent kinds of request (memory does not count) that make up 95 % of all, and their parts.

    The most frequent first; of equals the larger first.
    """
    counts = Counter(
        (request.cpu, request.share, request.count, "|".join(request.models)) for request in requests
    )
    ranked = sorted(counts.items(), key=lambda item: (item[1], item[0]), reverse=True)
    total = float(counts.total())
    taken, kept = 0.0, 0
    while kept < len(ranked) and taken < POPULAR * total:
        taken += ranked[kept][1]
        kept += 1
    part = taken / total if kept < len(ranked) else 1.0
    return [
        (
            Request(cpu, 0, count, share, tuple(models.split("|")) if models else ()),
            number / total / part,
        )
        for (cpu, share, count, models), number in ranked[:kept]
    ]


def typical(cluster: Cluster, weighted: Sequence[tuple[Request, float]]) -> Typical:
    """Requests and their weights as the kernels read them."""
    keys: dict[tuple[int, int], int] = {}
    kinds = []
    for request, _ in weighted:
        key = (
            keys.setdefault((request.share, cluster.mask(request.models)), len(keys)) if request.count else -1
        )
        kinds.append((request.cpu, request.count, key))
    return Typical(
        np.array(kinds, np.int64).reshape(-1, 3),
        np.array(list(keys), np.int64).reshape(-1, 2),
        np.array([weight for _, weight in weighted], np.float64),
    )


@njit(cache=True)
def unusable(cpu: int, free: Ints, bits: Ints, typical: Typical, sums: Floats) -> float:
    """Thousandths of idle accelerators that a typical request cannot use, on average over these requests.

    `cpu`, `free` (d,), `bits` (d,): what is free on the node. `sums` (6 + 2k,): room to work in.
    """
    sums[:] = 0.0
    idle = free.sum()
    if idle == 0:
        return 0.0
    hosts, lost = sums[_CLASSES : _CLASSES + len(typical.keys)], sums[_CLASSES + len(typical.keys) :]
    for key in range(len(typical.keys)):
        share, mask = typical.keys[key, 0], typical.keys[key, 1]
        known = 0
        for device in range(free.size):
            known |= bits[device] & mask
            if bits[device] & mask and free[device] >= share:
                hosts[key] += 1
            else:
                lost[key] += free[device]
        if known == 0:
            hosts[key] = -1
    for kind in range(len(typical.kinds)):
        enough = cpu >= typical.kinds[kind, 0]
        key = typical.kinds[kind, 2]
        weight = typical.weights[kind]
        if key < 0:
            sums[_PLAIN if enough else _PLAIN_LACKS_CPU] += weight * idle
        elif hosts[key] < 0:
            sums[_NO_MODEL] += weight * idle
        elif hosts[key] < typical.kinds[kind, 1]:
            sums[_LACKS_DEVICES if enough else _LACKS_BOTH] += weight * idle
        elif enough:
            sums[_LACKS_DEVICES] += weight * lost[key]
        else:
            sums[_LACKS_CPU] += weight * idle
    return float(sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5])
