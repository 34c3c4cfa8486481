"""Scores of the policies that others compare with, by their published rules; higher is better, whole numbers.

All are those of Weng et al. (ATC'23, section 6.1), as their simulator has them: dot product (Tetris,
SIGCOMM'14), clustering (Gandiva, OSDI'18), packing (MLaaS, NSDI'22), best fit (Protean, OSDI'20).
"""

from __future__ import annotations

from typing import Final

from numba import njit

from baygrid.core.placement.packing.cluster import WHOLE, Ints, Nodes

LARGEST_CPU: Final = 128_000.0
LARGEST_DEVICES: Final = 8_000
"""What the published rules measure nodes against."""


@njit(cache=True)
def best_fit(nodes: Nodes, node: int, request: Ints) -> int:
    cpu = (nodes.room[node, 0] - request[0]) / LARGEST_CPU * 0.5
    idle = nodes.devices[node].sum() - request[2] * request[3]
    return int((1.0 - (cpu + idle / LARGEST_DEVICES * 0.5)) * 100.0)


@njit(cache=True)
def dot_product(nodes: Nodes, node: int, request: Ints) -> int:
    cpu = nodes.room[node, 0] / LARGEST_CPU * (request[0] / LARGEST_CPU)
    idle = nodes.devices[node].sum() / LARGEST_DEVICES * (request[2] * request[3] / LARGEST_DEVICES)
    return int(100.0 * (1.0 - (cpu + idle) / 2.0))


@njit(cache=True)
def clustering(nodes: Nodes, node: int, request: Ints) -> int:
    """Requests of one size together: on a node of only that size, of that size too, empty, of other sizes."""
    if request[2] == 0:
        return 0
    size = 0 if request[3] < WHOLE else request[2]
    sizes = 0
    for column in range(nodes.tenants.shape[1]):
        sizes += nodes.tenants[node, column] > 0
    used = 25 * (LARGEST_DEVICES - nodes.devices[node].sum()) // LARGEST_DEVICES
    if nodes.tenants[node, size] > 0:
        return int(used + (75 if sizes == 1 else 50))
    return int(used + (25 if sizes == 0 else 0))


@njit(cache=True)
def packing(nodes: Nodes, node: int, request: Ints, chosen: int) -> int:
    """Devices in use first, then idle devices of a node in use, then those of an idle node."""
    if chosen == 0:
        return 0
    idle = 0
    for device in range(nodes.size[node]):
        idle += nodes.devices[node, device] == WHOLE
    if idle == nodes.size[node]:
        return max(33 - idle, idle)
    taken, left = 0, 0
    for device in range(nodes.size[node]):
        if chosen >> device & 1:
            taken += nodes.devices[node, device] == WHOLE
            left += nodes.devices[node, device] * 100 // WHOLE
    if taken > 0:
        return max(50 - taken, 33)
    return int(max(100 - left // 10, 50))
