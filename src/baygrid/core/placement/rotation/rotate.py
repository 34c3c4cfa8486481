"""Gangs and an order in, their course out: the way in to this package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.rotation import seats
from baygrid.core.placement.rotation.course import follow
from baygrid.core.placement.rotation.durations import history
from baygrid.core.placement.rotation.orders import BLIND, SRSF, SRTF, TIRESIAS, Service
from baygrid.core.placement.rotation.waiting import waiting

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Order:
    """By which key gangs take turns (`orders`), and how they are seated on the nodes (`seats`)."""

    key: int
    rule: int


ORDERS: Final = {
    "srtf": Order(SRTF, seats.IN_ORDER),
    "srsf": Order(SRSF, seats.IN_ORDER),
    "tiresias": Order(TIRESIAS, seats.COUNTED),
    "baygrid-informed": Order(SRSF, seats.PACKED),
    "baygrid": Order(BLIND, seats.PACKED),
}


@dataclass(frozen=True, slots=True)
class Gangs:
    """One entry a gang, in order of submission: `submit`, `work` (seconds of running it needs; only its
    end may depend on it under an order that does not know durations), `gpus`, and `toll` (see `course`)."""

    submit: Floats
    work: Floats
    gpus: Ints
    toll: Floats

    def __post_init__(self) -> None:
        if not len(self.submit) == len(self.work) == len(self.gpus) == len(self.toll):
            raise ValueError("a gang needs submit, work, gpus and toll")
        if len(self.submit) and bool(np.any(np.diff(self.submit) < 0)):
            raise ValueError("gangs come in order of submission")


@dataclass(frozen=True, slots=True)
class Course:
    """`first`, `end`: seconds, one entry a gang. `turns`: rows of gang, from, to, as they ended."""

    first: Floats
    end: Floats
    turns: Floats

    def served(self) -> Floats:
        """Seconds that each gang ran."""
        gangs = self.turns[:, 0].astype(np.int64)
        return np.bincount(gangs, self.turns[:, 2] - self.turns[:, 1], len(self.end)).astype(np.float64)


def rotate(gangs: Gangs, order: Order, nodes: int, width: int) -> Course:
    """The course of these gangs on `nodes` nodes of `width` GPUs.

    Raises ValueError for a gang that does not fit the empty nodes, which would wait for ever.
    """
    if len(gangs.gpus) and -(-int(gangs.gpus.max()) // width) > nodes:
        raise ValueError(f"a gang of {gangs.gpus.max()} GPUs does not fit {nodes} nodes of {width}")
    total = len(gangs.submit)
    sizes, kinds = np.unique(gangs.gpus, return_inverse=True)
    service = Service(
        submit=gangs.submit,
        toll=gangs.toll,
        gpus=gangs.gpus,
        kind=kinds.astype(np.int64),
        left=gangs.work.copy(),
        got=np.zeros(total),
        level=np.zeros(total, np.int64),
        edge=np.full(total, np.inf),
        key=np.zeros(total),
        tail=np.zeros(2),
    )
    floor = seats.floor(nodes, width, order.rule, sizes)
    queue = waiting(service.kind, len(sizes))
    return Course(*follow(service, floor, queue, history(sizes), order.key))
