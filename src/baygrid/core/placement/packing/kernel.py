"""All compiled code of packing: one decision, and the scores of every policy.

A score depends on one node and one shape only. So each shape keeps its scores, and before it is used again
only the nodes that have changed since then are scored anew.

It is one module with plain arrays, for the compiler's cache on disk: that is renewed when this file changes,
not when another does, and cannot be read where a class in a signature has gone.

What the arrays are: `nodes` (n, 4 + 3d): see `cluster.Cluster`. `request` (5,): cpu, memory, count, share,
mask. `score` (shapes, n): -inf where the shape does not fit. `seen` (shapes,): how many changes are in it;
-1: none scored. `changes`: a ring of the nodes changed, the newest at `counter[0]` - 1. `last` (n,): each
node's newest change. `before` (n,): a node's thousandths of no use (policy fgd) or of use (baygrid).
`kinds`, `keys`, `weights`: see `usual.Typical`. `found`, `after` (k, 2): room to work in, see `gaps`.
`worth`, `need`, `family`, `idle`, `wants`, `parts`, `pressure`: see `usual.Outlook`.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

POLICIES: Final = ("random", "dotprod", "gpuclustering", "gpupacking", "bestfit", "fgd", "baygrid")
_RANDOM, _DOTPROD, _CLUSTERING, _PACKING, _BESTFIT, _FGD, _BAYGRID = range(len(POLICIES))

WHOLE: Final = 1000
"""Thousandths of one accelerator."""
CPU, MEMORY, SIZE, FIRST = range(4)
"""Columns of the array of nodes: free cpu, free memory, how many devices, the first device."""

STARVED: Final = 0.5
"""How much a useful thousandth that lacks cpu or memory counts, beside one that is lost: what lacks can
come back."""
SLACK: Final = 1.3
"""A model wanted up to this many times as much as the average costs nothing more: demand is not known that
well."""
DEAR: Final = 3.0
"""The price of a device, in devices, for each unit of pressure beyond that: more than the waste it could
save."""
MOST: Final = 10.0
"""Pressure counts up to here."""

_LARGEST_CPU: Final = 128_000.0
_LARGEST_DEVICES: Final = 8_000
"""What the published rules of other policies measure nodes against."""
_NO_FIT: Final = -math.inf
_EPSILON: Final = 1e-6


# What fits, which devices it takes, how it is booked.


@njit(cache=True)
def width(nodes: Ints) -> int:
    """The most devices that a node has."""
    return int((nodes.shape[1] - FIRST - 1) // 3)


@njit(cache=True)
def fits(nodes: Ints, node: int, request: Ints) -> bool:
    """Whether cpu, memory and devices suffice."""
    if nodes[node, CPU] < request[0] or nodes[node, MEMORY] < request[1]:
        return False
    missing, bits = request[2], FIRST + width(nodes)
    for device in range(nodes[node, SIZE]):
        if nodes[node, FIRST + device] >= request[3] and nodes[node, bits + device] & request[4]:
            missing -= 1
    return bool(missing <= 0)


@njit(cache=True)
def tightest(nodes: Ints, node: int, request: Ints) -> int:
    """The devices with the least free that will do, as a bit mask; of equals the first. The request fits."""
    chosen, bits = 0, FIRST + width(nodes)
    for _ in range(request[2]):
        best, least = 0, WHOLE + 1
        for device in range(nodes[node, SIZE]):
            free = nodes[node, FIRST + device]
            usable = (
                free >= request[3] and nodes[node, bits + device] & request[4] and not chosen >> device & 1
            )
            if usable and free < least:
                best, least = device, free
        chosen |= 1 << best
    return chosen


@njit(cache=True)
def first_alike(nodes: Ints, node: int, device: int, request: Ints) -> bool:
    """Whether the device will do, and no earlier one is just like it."""
    bits = FIRST + width(nodes)
    free, bit = nodes[node, FIRST + device], nodes[node, bits + device]
    if free < request[3] or not bit & request[4]:
        return False
    for other in range(device):
        if nodes[node, FIRST + other] == free and nodes[node, bits + other] == bit:
            return False
    return True


@njit(cache=True)
def idle_of(nodes: Ints, node: int) -> int:
    """Free thousandths of all devices of a node."""
    total = 0
    for device in range(nodes[node, SIZE]):
        total += nodes[node, FIRST + device]
    return total


@njit(cache=True)
def book(nodes: Ints, node: int, request: Ints, chosen: int, sign: int) -> None:
    """Take (`sign` 1) or give back (-1) the request on the devices `chosen` of a node."""
    nodes[node, CPU] -= sign * request[0]
    nodes[node, MEMORY] -= sign * request[1]
    for device in range(nodes[node, SIZE]):
        if chosen >> device & 1:
            nodes[node, FIRST + device] -= sign * request[3]
    if request[2] > 0:
        whole = request[2] if request[3] == WHOLE else 0
        nodes[node, FIRST + 2 * width(nodes) + whole] += sign


# Scores of the policies that others compare with, by their published rules (Weng et al., ATC'23, section 6.1,
# as their simulator has them): best fit (Protean, OSDI'20), dot product (Tetris, SIGCOMM'14), clustering
# (Gandiva, OSDI'18), packing (MLaaS, NSDI'22). Higher is better; whole numbers.


@njit(cache=True)
def best_fit(nodes: Ints, node: int, request: Ints) -> int:
    """The less is left, the better."""
    cpu = (nodes[node, CPU] - request[0]) / _LARGEST_CPU * 0.5
    left = idle_of(nodes, node) - request[2] * request[3]
    return int((1.0 - (cpu + left / _LARGEST_DEVICES * 0.5)) * 100.0)


@njit(cache=True)
def dot_product(nodes: Ints, node: int, request: Ints) -> int:
    """The smaller the product of what is free and what is asked, the better."""
    cpu = nodes[node, CPU] / _LARGEST_CPU * (request[0] / _LARGEST_CPU)
    free = idle_of(nodes, node) / _LARGEST_DEVICES * (request[2] * request[3] / _LARGEST_DEVICES)
    return int(100.0 * (1.0 - (cpu + free) / 2.0))


@njit(cache=True)
def clustering(nodes: Ints, node: int, request: Ints) -> int:
    """Requests of one size together: on a node of only that size, of that size too, empty, of other sizes."""
    if request[2] == 0:
        return 0
    tenants = FIRST + 2 * width(nodes)
    same = nodes[node, tenants + (request[2] if request[3] == WHOLE else 0)]
    sizes = 0
    for column in range(tenants, nodes.shape[1]):
        sizes += nodes[node, column] > 0
    used = 25 * (_LARGEST_DEVICES - idle_of(nodes, node)) // _LARGEST_DEVICES
    if same > 0:
        return int(used + (75 if sizes == 1 else 50))
    return int(used + (25 if sizes == 0 else 0))


@njit(cache=True)
def packing(nodes: Ints, node: int, chosen: int) -> int:
    """Devices in use first, then idle devices of a node in use, then those of an idle node."""
    if chosen == 0:
        return 0
    free, taken, left = 0, 0, 0
    for device in range(nodes[node, SIZE]):
        thousandths = nodes[node, FIRST + device]
        free += thousandths == WHOLE
        if chosen >> device & 1:
            taken += thousandths == WHOLE
            left += thousandths * 100 // WHOLE
    if free == nodes[node, SIZE]:
        return max(33 - free, free)
    if taken > 0:
        return max(50 - taken, 33)
    return int(max(100 - left // 10, 50))


# Policy fgd: fragmentation gradient descent (Weng et al., ATC'23, section 4).


@njit(cache=True)
def gaps(nodes: Ints, node: int, keys: Ints, found: Ints) -> None:
    """For each key of the typical requests, set `found` (k, 2): devices of the node that serve it (-1:
    none is of its models, idle or not), and the idle thousandths of those that do not."""
    bits = FIRST + width(nodes)
    for key in range(len(keys)):
        serving, lost, known = 0, 0, 0
        for device in range(nodes[node, SIZE]):
            named = nodes[node, bits + device] & keys[key, 1]
            known |= named
            if named and nodes[node, FIRST + device] >= keys[key, 0]:
                serving += 1
            else:
                lost += nodes[node, FIRST + device]
        found[key, 0] = serving if known else -1
        found[key, 1] = lost


@njit(cache=True)
def shift(keys: Ints, found: Ints, bit: int, free: int, less: int) -> None:
    """Bring `found` up to date when a device of the model `bit` has `less` thousandths less than `free`."""
    for key in range(len(keys)):
        if bit & keys[key, 1] and free >= keys[key, 0]:
            if free - less < keys[key, 0]:
                found[key, 0] -= 1
                found[key, 1] += free - less
        else:
            found[key, 1] -= less


@njit(cache=True)
def unusable(cpu: int, idle: int, found: Ints, kinds: Ints, weights: Floats) -> float:
    """Idle thousandths of a node that a typical request cannot use, on average over these requests (section
    4.1).

    `cpu`, `idle`: what is free on the node. Sums are added by class of obstacle, then over the classes, as
    in the authors' simulator: scores are cut to whole numbers later, so the last bit of a sum can decide a
    placement.
    """
    if idle == 0:
        return 0.0
    both, devices, no_cpu, plain, plain_no_cpu, model = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for kind in range(len(kinds)):
        enough, key, weight = cpu >= kinds[kind, 0], kinds[kind, 2], weights[kind]
        if key < 0:
            if enough:
                plain += weight * idle
            else:
                plain_no_cpu += weight * idle
        elif found[key, 0] < 0:
            model += weight * idle
        elif found[key, 0] < kinds[kind, 1]:
            if enough:
                devices += weight * idle
            else:
                both += weight * idle
        elif enough:
            devices += weight * found[key, 1]
        else:
            no_cpu += weight * idle
    return both + devices + no_cpu + plain + plain_no_cpu + model


@njit(cache=True)
def gradient(
    nodes: Ints, node: int, request: Ints, before: float, kinds: Ints, keys: Ints, weights: Floats, found:
    Ints, after: Ints,
) -> tuple[float, int]:  # fmt: skip
    """The score, 0 to 100 (section 4.2), and the devices as a bit mask."""
    cpu = nodes[node, CPU] - request[0]
    left = idle_of(nodes, node) - request[2] * request[3]
    bits = FIRST + width(nodes)
    gaps(nodes, node, keys, found)
    if request[2] != 1 or request[3] == WHOLE:
        chosen = tightest(nodes, node, request)
        for device in range(nodes[node, SIZE]):
            if chosen >> device & 1:
                shift(keys, found, nodes[node, bits + device], nodes[node, FIRST + device], request[3])
        return sigmoid(before - unusable(cpu, left, found, kinds, weights)), chosen
    best, chosen = -1.0, 0
    for device in range(nodes[node, SIZE]):
        if first_alike(nodes, node, device, request):
            for key in range(len(keys)):  # whole arrays assigned compile for seconds
                after[key, 0], after[key, 1] = found[key, 0], found[key, 1]
            shift(keys, after, nodes[node, bits + device], nodes[node, FIRST + device], request[3])
            score = sigmoid(before - unusable(cpu, left, after, kinds, weights))
            if score > best:
                best, chosen = score, 1 << device
    return best, chosen


@njit(cache=True)
def sigmoid(less: float) -> float:
    """0 to 100, a whole number."""
    return float(int(100.0 / (1.0 + math.exp(-less / 1000.0))))


# Policy baygrid: see `usual.Outlook`.


@njit(cache=True)
def useful(nodes: Ints, node: int, worth: Floats) -> float:
    """What the gaps of a node are worth, in thousandths."""
    total = 0.0
    for device in range(nodes[node, SIZE]):
        total += worth[nodes[node, FIRST + device]]
    return total


@njit(cache=True)
def starved(cpu: int, memory: int, use: float, need: Floats, node: int) -> float:
    """The part of the useful thousandths that lacks cpu, and the part that lacks memory."""
    total = 0.0
    if use * need[node, 0] > cpu:
        total += use - cpu / need[node, 0]
    if use * need[node, 1] > memory:
        total += use - memory / need[node, 1]
    return STARVED * total


@njit(cache=True)
def least_waste(
    nodes: Ints, node: int, request: Ints, use: float, worth: Floats, need: Floats
) -> tuple[float, int]:
    """Minus the waste that the request adds, in whole thousandths, and the devices as a bit mask. `use`:
    what the node's gaps are worth now."""
    cpu, memory, share = nodes[node, CPU], nodes[node, MEMORY], request[3]
    less, chosen = 0.0, 0  # the worth that goes; what goes beyond the request itself is lost
    if request[2] == 1 and share < WHOLE:
        less = math.inf
        for device in range(nodes[node, SIZE]):
            if first_alike(nodes, node, device, request):
                free = nodes[node, FIRST + device]
                gone = worth[free] - worth[free - share]
                if gone < less - _EPSILON:
                    less, chosen = gone, 1 << device
    elif request[2] > 0:
        chosen = tightest(nodes, node, request)
        for device in range(nodes[node, SIZE]):
            if chosen >> device & 1:
                free = nodes[node, FIRST + device]
                less += worth[free] - worth[free - share]
    now = starved(cpu, memory, use, need, node)
    then = starved(cpu - request[0], memory - request[1], use - less, need, node)
    return np.rint(now - then - (less - request[2] * share)), chosen


@njit(cache=True)
def price(idle: Ints, wants: Floats, parts: Floats, pressure: Floats) -> None:
    """Set `pressure` (f,): the price of a device of each family, in thousandths.

    If requests went on as usual until nothing is idle, how often would each idle device be asked for? On
    average once.
    """
    total = idle.sum()
    pressure[:] = 0.0
    for named in range(len(parts)):
        reach = 0.0
        for family in range(idle.size):
            reach += wants[named, family] * idle[family]
        for family in range(idle.size):
            pressure[family] += wants[named, family] * parts[named] * total / max(reach, total / WHOLE, 1.0)
    for family in range(idle.size):
        pressure[family] = DEAR * WHOLE * min(max(pressure[family] - SLACK, 0.0), MOST)


# The decision.


@njit(cache=True)
def judge(
    policy: int, nodes: Ints, node: int, request: Ints, before: Floats, worth: Floats, need: Floats,
    kinds: Ints, keys: Ints, weights: Floats, found: Ints, after: Ints,
) -> tuple[float, int]:  # fmt: skip
    """The score of a node on which the request fits, and the devices that it would take as a bit mask."""
    if policy == _BAYGRID:
        return least_waste(nodes, node, request, before[node], worth, need)
    if policy == _FGD:
        return gradient(nodes, node, request, before[node], kinds, keys, weights, found, after)
    chosen = tightest(nodes, node, request)
    score = 0.0
    if policy == _BESTFIT:
        score = float(best_fit(nodes, node, request))
    elif policy == _DOTPROD:
        score = float(dot_product(nodes, node, request))
    elif policy == _CLUSTERING:
        score = float(clustering(nodes, node, request))
    elif policy == _PACKING:
        score = float(packing(nodes, node, chosen))
    return score, chosen


@njit(cache=True)
def place(
    policy: int, table: Ints, shape: int, draw: float, nodes: Ints, score: Floats, seen: Ints,
    changes: Ints, counter: Ints, last: Ints, before: Floats, kinds: Ints, keys: Ints, weights: Floats,
    found: Ints, after: Ints, worth: Floats, need: Floats, family: Ints, idle: Ints, wants: Floats,
    parts: Floats, pressure: Floats,
) -> tuple[int, int]:  # fmt: skip
    """Take a request: the node (-1: it fits on none) and its devices as a bit mask.

    `table` (shapes, 5): requests. `draw`: 0 to 1, the chance of policy random. The other arrays: see the
    module.
    """
    request = table[shape]
    scores = score[shape]
    now, ring, since = counter[0], changes.size, seen[shape]
    every = since < 0 or now - since > ring
    for number in range(0 if every else since, len(nodes) if every else now):
        node = number
        if not every:
            node = changes[number % ring]
            if last[node] != number:
                continue
        scores[node] = _NO_FIT
        if fits(nodes, node, request):
            scores[node] = judge(
                policy, nodes, node, request, before, worth, need, kinds, keys, weights, found, after
            )[0]
    seen[shape] = now
    devices = request[2] * request[3] / WHOLE
    if policy == _BAYGRID and devices > 0:
        price(idle, wants, parts, pressure)
    if policy == _RANDOM:
        best, draw = drawn(scores, draw)
    else:
        best = highest(scores, devices, family, pressure)
    if best < 0:
        return -1, 0
    chosen = judge(policy, nodes, best, request, before, worth, need, kinds, keys, weights, found, after)[1]
    if policy == _RANDOM and request[2] == 1:
        chosen = drawn_device(nodes, best, request, draw)
    change(
        policy, best, request, chosen, 1, nodes, changes, counter, last, before,
        kinds, keys, weights, found, worth, family, idle,
    )  # fmt: skip
    return best, chosen


@njit(cache=True)
def highest(scores: Floats, devices: float, family: Ints, pressure: Floats) -> int:
    """The first of the highest after the price of so many devices of the node's family; -1: none fits."""
    best, most = -1, _NO_FIT
    for node in range(scores.size):
        score = scores[node] - devices * pressure[family[node]]
        if score > most:
            most, best = score, node
    return best


@njit(cache=True)
def drawn(scores: Floats, draw: float) -> tuple[int, float]:
    """Any node that fits, and what is left of the chance, 0 to 1; -1: none fits."""
    fitting = 0
    for node in range(scores.size):
        fitting += scores[node] > _NO_FIT
    left = draw * fitting
    for node in range(scores.size):
        if scores[node] > _NO_FIT:
            left -= 1.0
            if left < 0.0:
                return node, left + 1.0
    return -1, draw


@njit(cache=True)
def drawn_device(nodes: Ints, node: int, request: Ints, draw: float) -> int:
    """Any device that will do, as a bit mask."""
    usable = np.zeros(nodes[node, SIZE])
    for device in range(usable.size):
        bit = nodes[node, FIRST + width(nodes) + device]
        if nodes[node, FIRST + device] < request[3] or not bit & request[4]:
            usable[device] = _NO_FIT
    return 1 << drawn(usable, draw)[0]


@njit(cache=True)
def change(
    policy: int, node: int, request: Ints, chosen: int, sign: int, nodes: Ints, changes: Ints, counter:
    Ints, last: Ints, before: Floats, kinds: Ints, keys: Ints, weights: Floats, found: Ints, worth: Floats,
    family: Ints, idle: Ints,
) -> None:  # fmt: skip
    """Take (1) or give back (-1) a request, and note that the node has changed."""
    book(nodes, node, request, chosen, sign)
    idle[family[node]] -= sign * request[2] * request[3]
    look(policy, node, nodes, before, kinds, keys, weights, found, worth)
    changes[counter[0] % changes.size] = node
    last[node] = counter[0]
    counter[0] += 1


@njit(cache=True)
def look(
    policy: int, node: int, nodes: Ints, before: Floats, kinds: Ints, keys: Ints, weights: Floats,
    found: Ints, worth: Floats,
) -> None:  # fmt: skip
    """Set `before` of a node."""
    if policy == _FGD:
        gaps(nodes, node, keys, found)
        before[node] = unusable(nodes[node, CPU], idle_of(nodes, node), found, kinds, weights)
    elif policy == _BAYGRID:
        before[node] = useful(nodes, node, worth)
