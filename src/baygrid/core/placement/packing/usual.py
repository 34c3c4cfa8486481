"""What policies know of the requests to come: how often each is usual. As arrays, for the kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from baygrid.core.placement.packing.cluster import Cluster, Request
from baygrid.core.placement.packing.kernel import SIZE, WHOLE, Floats, Ints
from baygrid.core.placement.packing.worth import worth

POPULAR: Final = 0.95
"""Typical requests are the most frequent kinds that make up this part of all (Weng et al., ATC'23, section
4.1)."""


class Typical(NamedTuple):
    """What policy fgd knows. `kinds` (t, 3): cpu, count, place in `keys` (-1: no device). `keys` (k, 2):
    share, mask. `weights` (t,): their parts, together 1."""

    kinds: Ints
    keys: Ints
    weights: Floats


def popular(usual: Mapping[Request, float]) -> list[tuple[Request, float]]:
    """The most frequent kinds of request (memory does not count) that make up 95 % of all, and their parts.

    The most frequent first; of equals the larger first.
    """
    counts: dict[tuple[int, int, int, str], float] = {}
    for request, number in usual.items():
        kind = request.cpu, request.share, request.count, "|".join(request.models)
        counts[kind] = counts.get(kind, 0.0) + number
    ranked = sorted(counts.items(), key=lambda item: (item[1], item[0]), reverse=True)
    total = sum(counts.values())
    taken, kept = 0.0, 0
    while kept < len(ranked) and taken < POPULAR * total:
        taken += ranked[kept][1]
        kept += 1
    part = taken / total if kept < len(ranked) else 1.0
    return [
        (Request(cpu, 0, count, share, tuple(models.split("|")) if models else ()), number / total / part)
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


class Outlook(NamedTuple):
    """What policy baygrid knows of the use that usual requests will make of the room that is left.

    The waste of a node has three parts, all in thousandths of a device. What its gaps lose, since no set of
    usual requests fills them (`worth`). What cpu cannot serve: the gaps' worth beyond what the free cpu
    feeds, at the rate at which usual requests want cpu per device, or at which the node itself has it where
    that is less. The same for memory. A request goes where it adds the least waste; of equals to the first
    node, so that nodes fill up one after the other. Where requests name models, a model whose idle devices
    are wanted more than others has a price on top.

    Fragmentation gradient descent counts only which single requests still fit. A node with eight idle devices
    and cpu for one more request is whole to it, and so cpu is spent where devices need it.

    `worth` (1001,): thousandths that a gap is worth. `need` (n, 2): cpu, memory per thousandth of a
    device. `family` (n,): nodes with the same models have one number. `idle` (f,): free thousandths of
    each family. `wants` (m, f): 1 where the models that a request names are in the family. `parts` (m,):
    the part of demand that names them. `pressure` (f,): room to work in.
    """

    worth: Floats
    need: Floats
    family: Ints
    idle: Ints
    wants: Floats
    parts: Floats
    pressure: Floats


def outlook(cluster: Cluster, usual: Mapping[Request, float]) -> Outlook:
    """`usual`: how often each request comes, in any unit."""
    shares: dict[int, float] = {}
    asking: dict[tuple[bool, ...], float] = {}
    models = np.bitwise_or.reduce(cluster.bits, axis=1, initial=0)
    families, family = np.unique(np.stack([models, cluster.nodes[:, SIZE]]), axis=1, return_inverse=True)
    asked = cpu = memory = 0.0
    for request, weight in usual.items():
        amount = weight * request.count * request.share
        if not amount:
            continue
        shares[request.share] = shares.get(request.share, 0.0) + weight * request.count
        able = tuple((families[0] & cluster.mask(request.models) != 0) & (families[1] >= request.count))
        asking[able] = asking.get(able, 0.0) + amount
        asked, cpu, memory = asked + amount, cpu + weight * request.cpu, memory + weight * request.memory
    own = cluster.total / np.maximum(cluster.nodes[:, SIZE] * WHOLE, 1)[:, None]
    return Outlook(
        worth=worth(shares),
        need=np.minimum(np.array([cpu, memory]) / max(asked, 1.0), own),
        family=family.reshape(-1).astype(np.int64),
        idle=np.zeros(families.shape[1], np.int64),
        wants=np.array(list(asking), np.float64).reshape(len(asking), families.shape[1]),
        parts=np.array([part / asked for part in asking.values()], np.float64),
        pressure=np.zeros(families.shape[1]),
    )
