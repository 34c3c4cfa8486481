"""The course of a queue of interruptible gangs: rounds at every arrival, end and change of level.

Between two rounds nothing changes, so the clock jumps. In a round every gang, running or waiting, is looked
at in the order's turn; one that finds no room is passed over, and with it all of its size, since room only
gets less. Stopping, moving and going on cost nothing, except the toll.

The toll is that of Muri's simulator: at every round each running gang loses up to `toll` seconds of
the work it did since the last, whether it was stopped or not. It is zero for all our own orders.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from baygrid.core.placement.rotation import seats
from baygrid.core.placement.rotation.durations import History
from baygrid.core.placement.rotation.orders import (
    ALMOST,
    BLIND,
    TIRESIAS,
    Service,
    enter,
    relearn,
    settle,
    work,
)
from baygrid.core.placement.rotation.waiting import Waiting, before, pop, push

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEWS: Final = 1.05
"""The index is learnt anew when this many times as many gangs have ended."""
HOLD: Final = 1.25
"""Under an index a running gang is stopped only for one that is better by more than this: a quarter fewer
stops, and no longer to the end, on the traces at hand."""


@njit(cache=True)
def follow(
    service: Service, floor: seats.Floor, queue: Waiting, history: History, order: int
) -> tuple[Floats, Floats, Floats]:
    """Run all gangs to their end: when each first ran, when it ended (seconds, one entry a gang), and its
    turns, one row each: number of the gang, from, to. Each gang must fit an empty floor."""
    total = len(service.submit)
    first = np.full(total, np.nan)
    end = np.full(total, np.nan)
    since = np.full(total, np.nan)
    turns = np.empty((4 * total + 16, 3))
    taken = 0
    running = np.empty(0, np.int64)
    arrived = 0
    ended = 0
    learnt = 0
    now = 0.0
    hold = HOLD if order == BLIND else 1.0
    while ended < total:
        then = _next(service, order, running, arrived, now)
        stay = 0
        for place in range(len(running)):
            gang = running[place]
            if order == BLIND:
                history.seconds[service.kind[gang], service.level[gang]] += then - now
            if now + service.left[gang] > then + ALMOST:
                running[stay] = gang
                stay += 1
                continue
            end[gang] = then
            ended += 1
            turns = _note(turns, taken, gang, since[gang], then)
            taken += 1
            history.ends[service.kind[gang], service.level[gang]] += 1.0
        running = running[:stay]
        work(service, history, order, running, then - now)
        now = then
        while arrived < total and service.submit[arrived] <= now:
            enter(service, history, order, arrived)
            push(queue, service.key, service.kind[arrived], arrived)
            arrived += 1
        if order == BLIND and ended > learnt * NEWS:
            relearn(service, history, queue, running)
            learnt = ended
        running, stopped = _round(service, floor, queue, running, hold)
        if order == TIRESIAS:
            settle(service, running, stopped)
        for gang in stopped:
            push(queue, service.key, service.kind[gang], gang)
            turns = _note(turns, taken, gang, since[gang], now)
            taken += 1
            since[gang] = np.nan
        for gang in running:
            if np.isnan(since[gang]):
                since[gang] = now
                if np.isnan(first[gang]):
                    first[gang] = now
    return first, end, turns[:taken]


@njit(cache=True)
def _note(turns: Floats, taken: int, gang: int, since: float, until: float) -> Floats:
    if taken == len(turns):
        turns = np.concatenate((turns, np.empty_like(turns)))
    turns[taken, 0] = gang
    turns[taken, 1] = since
    turns[taken, 2] = until
    return turns


@njit(cache=True)
def _next(service: Service, order: int, running: Ints, arrived: int, now: float) -> float:
    """When something happens next: an arrival, an end, or a gang comes to another level (under Tiresias
    after whole seconds of running, as in Muri's simulator)."""
    left, got, edge = service.left, service.got, service.edge
    then = service.submit[arrived] if arrived < len(service.submit) else np.inf
    for gang in running:
        next_edge = np.ceil(edge[gang]) if order == TIRESIAS else edge[gang]
        then = min(then, now + left[gang], now + (next_edge - got[gang]))
    return max(then, now)


@njit(cache=True)
def _round(
    service: Service, floor: seats.Floor, queue: Waiting, running: Ints, hold: float
) -> tuple[Ints, Ints]:
    """Who runs from now on, and which of those that ran are stopped, both in the order of their keys.

    A running gang stays where another's key, over `hold`, is no better. Gangs that are started leave `queue`.
    """
    seats.clear(floor)
    _sort(service.key, running)
    free = floor.nodes * floor.width
    shut = np.zeros(len(queue.base), np.bool_)
    seated = np.empty(free, np.int64)
    stopped = np.empty(len(running), np.int64)
    at = 0
    sits = 0
    stops = 0
    head = _first(service, queue, shut, free)
    while free > 0:
        while at < len(running) and shut[service.kind[running[at]]]:
            stopped[stops] = running[at]
            stops += 1
            at += 1
        if head >= 0 and service.gpus[head] > free:
            head = _first(service, queue, shut, free)
        stays = at < len(running) and (head < 0 or service.key[running[at]] * hold <= service.key[head])
        gang = running[at] if stays else head
        if gang < 0:
            break
        if service.gpus[gang] > free or not seats.take(floor, service.gpus[gang]):
            shut[service.kind[gang]] = True
            head = _first(service, queue, shut, free)
            continue
        free -= service.gpus[gang]
        seated[sits] = gang
        sits += 1
        if stays:
            at += 1
        else:
            pop(queue, service.key, service.kind[gang])
            head = _first(service, queue, shut, free)
    for gang in running[at:]:
        stopped[stops] = gang
        stops += 1
    return seated[:sits], stopped[:stops]


@njit(cache=True)
def _first(service: Service, queue: Waiting, shut: NDArray[np.bool_], free: int) -> int:
    """The first of all who wait in a size that is not shut, or -1."""
    gang = -1
    for kind in range(len(shut)):
        if shut[kind] or queue.waits[kind] == 0:
            continue
        head = queue.heap[queue.base[kind]]
        if service.gpus[head] > free:
            shut[kind] = True
        elif gang < 0 or before(service.key, head, gang):
            gang = head
    return gang


@njit(cache=True)
def _sort(keys: Floats, gangs: Ints) -> None:
    """Insertion sort: the order of the last round is nearly that of this one."""
    for place in range(1, len(gangs)):
        gang = gangs[place]
        at = place
        while at > 0 and keys[gang] < keys[gangs[at - 1]]:
            gangs[at] = gangs[at - 1]
            at -= 1
        gangs[at] = gang
