"""One decision: bring the scores of the request's shape up to date, take the best node.

A score depends on one node and one shape only. So each shape keeps its scores, and before it is used again
only the nodes that have changed since then are scored anew.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from numba import njit

from baygrid.core.placement.packing.cluster import WHOLE, Floats, Ints, Nodes
from baygrid.core.placement.packing.fitting import book, fits, tightest
from baygrid.core.placement.packing.fragmentation import Typical, unusable
from baygrid.core.placement.packing.peers import best_fit, clustering, dot_product, packing

POLICIES: Final = ("random", "dotprod", "gpuclustering", "gpupacking", "bestfit", "fgd")
_RANDOM, _DOTPROD, _CLUSTERING, _PACKING, _BESTFIT, _FGD = range(len(POLICIES))
NO_FIT: Final = -1.0


class Scores(NamedTuple):
    """`score` (shapes, n): below 0 where the shape does not fit. `seen` (shapes,): how many changes are in
    it; -1: never scored. `changes`: a ring of the nodes changed, the newest at `counter[0]` - 1. `last`
    (n,): each node's newest change. `before` (n,): its unusable thousandths. `sums`, `after`: room to work
    in."""

    score: Floats
    seen: Ints
    changes: Ints
    counter: Ints
    last: Ints
    before: Floats
    sums: Floats
    after: Ints


@njit(cache=True)
def gradient(nodes: Nodes, node: int, request: Ints, typical: Typical, it: Scores) -> tuple[int, int]:
    """Fragmentation gradient descent (Weng et al., ATC'23, section 4.2): score 0 to 100, and the devices."""
    free, bits, after = nodes.devices[node], nodes.bits[node], it.after
    cpu = nodes.room[node, 0] - request[0]
    after[:] = free
    if request[2] != 1 or request[3] == WHOLE:
        chosen = tightest(free, bits, request)
        for device in range(free.size):
            if chosen >> device & 1:
                after[device] -= request[3]
        return _descent(it.before[node] - unusable(cpu, after, bits, typical, it.sums)), chosen
    best, chosen = -1, 0
    for device in range(free.size):
        if free[device] < request[3] or not bits[device] & request[4] or _twin(free, bits, device):
            continue
        after[device] -= request[3]
        score = _descent(it.before[node] - unusable(cpu, after, bits, typical, it.sums))
        after[device] += request[3]
        if score > best:
            best, chosen = score, 1 << device
    return best, chosen


@njit(cache=True)
def _descent(less: float) -> int:
    return int(100.0 / (1.0 + math.exp(-less / 1000.0)))


@njit(cache=True)
def _twin(free: Ints, bits: Ints, device: int) -> bool:
    """Whether an earlier device is just like this one."""
    other = 0
    while free[other] != free[device] or bits[other] != bits[device]:
        other += 1
    return other < device


@njit(cache=True)
def judge(
    policy: int, nodes: Nodes, node: int, request: Ints, typical: Typical, it: Scores
) -> tuple[float, int]:
    """The score of a node on which the request fits, and the devices that it would take."""
    if policy == _FGD:
        score, chosen = gradient(nodes, node, request, typical, it)
        return float(score), chosen
    chosen = tightest(nodes.devices[node], nodes.bits[node], request)
    if policy == _BESTFIT:
        return float(best_fit(nodes, node, request)), chosen
    if policy == _DOTPROD:
        return float(dot_product(nodes, node, request)), chosen
    if policy == _CLUSTERING:
        return float(clustering(nodes, node, request)), chosen
    if policy == _PACKING:
        return float(packing(nodes, node, request, chosen)), chosen
    return 0.0, chosen


@njit(cache=True)
def refresh(policy: int, nodes: Nodes, request: Ints, shape: int, typical: Typical, it: Scores) -> None:
    """Score the nodes that have changed since the shape was last looked at."""
    now, ring = it.counter[0], it.changes.size
    since = it.seen[shape]
    if since < 0 or now - since > ring:
        for node in range(len(nodes.room)):
            _score(policy, nodes, node, request, shape, typical, it)
    else:
        for change in range(since, now):
            node = it.changes[change % ring]
            if it.last[node] == change:
                _score(policy, nodes, node, request, shape, typical, it)
    it.seen[shape] = now


@njit(cache=True)
def _score(
    policy: int, nodes: Nodes, node: int, request: Ints, shape: int, typical: Typical, it: Scores
) -> None:
    if fits(nodes, node, request):
        it.score[shape, node] = judge(policy, nodes, node, request, typical, it)[0]
    else:
        it.score[shape, node] = NO_FIT


@njit(cache=True)
def place(
    policy: int,
    table: Ints,
    shape: int,
    draw: float,
    gang: Ints,
    room: Ints,
    devices: Ints,
    bits: Ints,
    size: Ints,
    tenants: Ints,
    kinds: Ints,
    keys: Ints,
    weights: Floats,
    score: Floats,
    seen: Ints,
    changes: Ints,
    counter: Ints,
    last: Ints,
    before: Floats,
    sums: Floats,
    after: Ints,
) -> bool:
    """Take one request on each of `len(gang)` different nodes, or none (False).

    `table` (shapes, 5): requests. `draw`: 0 to 1, the chance of policy random. `gang` (size, 2): filled
    with the nodes and their devices as a bit mask. Then the fields of `Nodes`, `Typical`, `Scores`, one by
    one: an argument that is a tuple of arrays costs twice as long to pass, more than a decision.
    """
    nodes = Nodes(room, devices, bits, size, tenants)
    it = Scores(score, seen, changes, counter, last, before, sums, after)
    return _place(policy, nodes, table, shape, Typical(kinds, keys, weights), it, draw, gang)


@njit(cache=True)
def _place(
    policy: int, nodes: Nodes, table: Ints, shape: int, typical: Typical, it: Scores, draw: float, gang: Ints
) -> bool:
    request = table[shape]
    refresh(policy, nodes, request, shape, typical, it)
    score = it.score[shape]
    for member in range(len(gang)):
        best = _drawn(score, draw) if policy == _RANDOM else _highest(score)
        if best < 0:
            if member > 0:  # scores of those found so far are gone
                it.seen[shape] = -1
            return False
        gang[member, 0] = best
        score[best] = NO_FIT
    for member in range(len(gang)):
        node = gang[member, 0]
        chosen = judge(policy, nodes, node, request, typical, it)[1]
        gang[member, 1] = chosen
        change(nodes, node, request, chosen, 1, typical, it)
    return True


@njit(cache=True)
def _highest(score: Floats) -> int:
    """The first of the highest; -1: none fits."""
    best, highest = -1, NO_FIT
    for node in range(score.size):
        if score[node] > highest:
            highest, best = score[node], node
    return best


@njit(cache=True)
def _drawn(score: Floats, draw: float) -> int:
    fitting = (score >= 0.0).sum()
    nth = min(int(draw * fitting), fitting - 1)
    for node in range(score.size):
        if score[node] >= 0.0:
            if nth == 0:
                return node
            nth -= 1
    return -1


@njit(cache=True)
def change(
    nodes: Nodes, node: int, request: Ints, chosen: int, sign: int, typical: Typical, it: Scores
) -> None:
    """Take (1) or give back (-1) a request, and note that the node has changed."""
    book(nodes, node, request, chosen, sign)
    it.before[node] = unusable(nodes.room[node, 0], nodes.devices[node], nodes.bits[node], typical, it.sums)
    it.changes[it.counter[0] % it.changes.size] = node
    it.last[node] = it.counter[0]
    it.counter[0] += 1


@njit(cache=True)
def measure(nodes: Nodes, typical: Typical, it: Scores) -> None:
    """`before` of all nodes."""
    for node in range(len(nodes.room)):
        it.before[node] = unusable(
            nodes.room[node, 0], nodes.devices[node], nodes.bits[node], typical, it.sums
        )
