"""From a NanoDet's numbers to boxes: distances to the edges as distributions, and one box for one thing.

Distances: Li et al., Generalized Focal Loss, NeurIPS 2020, as NanoDet has them: an edge lies at the mean of a
distribution over 0, 1, ... cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]


def centres(side: int, stride: int) -> Floats:
    """The middle of each cell of a square of `side` pixels, row by row: (cells, 2) as x, y in pixels."""
    cells = -(-side // stride)
    y, x = np.mgrid[:cells, :cells]
    return (np.stack([x.ravel(), y.ravel()], 1).astype(np.float32) + 0.5) * stride


def edges(distances: Floats, middle: Floats, stride: int) -> Floats:
    """Boxes (n, 4) as left, top, right, bottom in pixels. `distances` (n, 4 x bins) to these four edges."""
    bins = distances.reshape(len(distances), 4, -1)
    weights = np.exp(bins - bins.max(2, keepdims=True))
    mean = (weights * np.arange(bins.shape[2], dtype=np.float32)).sum(2) / weights.sum(2) * stride
    found: Floats = np.concatenate([middle - mean[:, :2], middle + mean[:, 2:]], 1)
    return found


def non_maximum_suppression(
    boxes: Floats, scores: Floats, classes: NDArray[np.integer], overlap: float
) -> Indices:
    """Non-maximum suppression: which boxes stay, best first, where of two of one class that share more than
    `overlap` (0 to 1: intersection over union) the better one stays; of equal ones the one named first."""
    order = np.argsort(-scores, kind="stable")
    area = np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)
    kept: list[int] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = np.maximum(high - low, 0).prod(1)
        union = area[best] + area[order] - shared
        order = order[(shared <= overlap * union) | (classes[order] != classes[best])]
    return np.array(kept, np.intp)
