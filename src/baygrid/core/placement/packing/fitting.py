"""Whether a request fits on a node, which devices it takes there, and how both are booked."""

from __future__ import annotations

from numba import njit

from baygrid.core.placement.packing.cluster import WHOLE, Ints, Nodes


@njit(cache=True)
def fits(nodes: Nodes, node: int, request: Ints) -> bool:
    """`request`: cpu, memory, count, share, mask."""
    if nodes.room[node, 0] < request[0] or nodes.room[node, 1] < request[1]:
        return False
    missing = request[2]
    for device in range(nodes.size[node]):
        if nodes.devices[node, device] >= request[3] and nodes.bits[node, device] & request[4]:
            missing -= 1
    return bool(missing <= 0)


@njit(cache=True)
def tightest(free: Ints, bits: Ints, request: Ints) -> int:
    """The devices with the least free that will do, as a bit mask; of equals the first. The request fits."""
    chosen = 0
    for _ in range(request[2]):
        best = -1
        for device in range(free.size):
            if chosen >> device & 1 or free[device] < request[3] or not bits[device] & request[4]:
                continue
            if best < 0 or free[device] < free[best]:
                best = device
        chosen |= 1 << best
    return chosen


@njit(cache=True)
def book(nodes: Nodes, node: int, request: Ints, chosen: int, sign: int) -> None:
    """Take (`sign` 1) or give back (-1) the request on the devices `chosen` of a node."""
    nodes.room[node, 0] -= sign * request[0]
    nodes.room[node, 1] -= sign * request[1]
    for device in range(nodes.size[node]):
        if chosen >> device & 1:
            nodes.devices[node, device] -= sign * request[3]
    if request[2] > 0:
        nodes.tenants[node, 0 if request[3] < WHOLE else request[2]] += sign
