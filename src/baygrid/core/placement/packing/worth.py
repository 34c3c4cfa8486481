"""What a partly free device is worth, in whole devices, when it is filled from the usual requests.

The fewest devices that hold all usual requests are a cutting-stock problem. The dual prices of its
relaxation say what one request of each share is worth in devices (Gilmore and Gomory, Operations Research
9, 1961, whose column generation this is), and the dearest set of requests that fits in a gap is the gap's
worth. So 190 thousandths beside a request for 810 are worth nothing if nobody asks for so little, and 320
next to 650 are worth their full size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numba import njit

from baygrid.core.placement.packing.kernel import WHOLE, Floats, Ints

_EPSILON: Final = 1e-9
_SHARES: Final = 64
"""With more different shares than this they are rounded up to a grain: prices take no time then."""
_ROUNDS: Final = 2_000


def worth(demand: Mapping[int, float]) -> Floats:
    """(WHOLE + 1,): thousandths that a gap of 0 to WHOLE thousandths is worth; a whole device is worth
    WHOLE. `demand`: weight of each share (1 to WHOLE) asked for."""
    shares, weights = _merged(demand)
    patterns = np.diag(WHOLE // shares).astype(np.float64)
    costs = np.ones(len(shares))
    values = np.zeros(WHOLE + 1)
    for _ in range(_ROUNDS):
        inverse = np.linalg.inv(patterns)
        prices = costs @ inverse
        cheapest = int(prices.argmin())
        if prices[cheapest] < -_EPSILON:  # more of a share than asked for: a column of its own, free
            column, cost = -np.eye(len(shares))[cheapest], 0.0
        else:
            values, choices = dearest(shares, prices)
            if values[WHOLE] <= 1 + _EPSILON:
                break
            column, cost = _pattern(shares, choices), 1.0
        change, held = inverse @ column, inverse @ weights
        ratios = np.divide(held, change, out=np.full(len(shares), np.inf), where=change > _EPSILON)
        leaving = int(ratios.argmin())
        patterns[:, leaving], costs[leaving] = column, cost
    # Prices that are still too high are right in proportion (Farley, Operations Research 38, 1990).
    scaled: Floats = values * (WHOLE / max(values[WHOLE], 1.0))
    return scaled


def _merged(demand: Mapping[int, float]) -> tuple[Ints, Floats]:
    """Shares, the largest first, and their weights. A whole device always counts as asked for, a little."""
    grain = 1
    while True:
        merged = {WHOLE: _EPSILON}
        for share, weight in demand.items():
            rounded = min(-(-share // grain) * grain, WHOLE)
            merged[rounded] = merged.get(rounded, 0.0) + max(weight, _EPSILON)
        if len(merged) <= _SHARES:
            shares = sorted(merged, reverse=True)
            return np.array(shares, np.int64), np.array([merged[share] for share in shares])
        grain *= 2


@njit(cache=True)
def dearest(shares: Ints, prices: Floats) -> tuple[Floats, Ints]:
    """The most that a gap of each size can hold, by price, and the last share put in (-1: the gap that is
    one smaller does as well)."""
    values = np.zeros(WHOLE + 1)
    choices = np.full(WHOLE + 1, -1)
    for gap in range(1, WHOLE + 1):
        values[gap] = values[gap - 1]
        for number in range(shares.size):
            share = shares[number]
            if share <= gap and values[gap - share] + prices[number] > values[gap] + _EPSILON:
                values[gap] = values[gap - share] + prices[number]
                choices[gap] = number
    return values, choices


def _pattern(shares: Ints, choices: Ints) -> Floats:
    """How many of each share the dearest set for a whole device has."""
    counts = np.zeros(len(shares))
    gap = WHOLE
    while gap > 0:
        if choices[gap] < 0:
            gap -= 1
        else:
            counts[choices[gap]] += 1
            gap -= int(shares[choices[gap]])
    return counts
