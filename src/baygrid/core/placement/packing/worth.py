"""What a partly free device is worth, in whole devices, when it is filled from the usual requests.

The fewest devices that hold all usual requests are a cutting-stock problem. The dual prices of its
relaxation say what one request of each share is worth in devices (Gilmore and Gomory, Operations Research
9, 1961, whose column generation this is), and the dearest set of requests that fits in a gap is the gap's
worth. So 190 thousandths beside a request for 810 are worth nothing if nobody asks for so little, and 320
next to 650 are worth their full size.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from baygrid.core.placement.packing.kernel import WHOLE, Floats, Ints

_EPSILON = 1e-9
_ROUNDS = 10_000
"""More than any list of shares needs; a bound, should rounding make the method turn in a circle."""


def worth(demand: Mapping[int, float]) -> Floats:
    """(WHOLE + 1,): thousandths that a gap of 0 to WHOLE thousandths is worth. `demand`: weight of each share
    (1 to WHOLE) asked for; whole devices always count as asked for."""
    shares = np.array(sorted({*demand, WHOLE}, reverse=True), np.int64)
    weights = np.array([max(demand.get(int(share), 0.0), _EPSILON) for share in shares])
    patterns = np.diag(WHOLE // shares).astype(np.float64)
    costs = np.ones(len(shares))
    for _ in range(_ROUNDS):
        inverse = np.linalg.inv(patterns)
        prices = costs @ inverse
        cheapest = int(prices.argmin())
        if prices[cheapest] < -_EPSILON:  # more of a share than asked for: a column of its own, free
            column, cost = -np.eye(len(shares))[cheapest], 0.0
        else:
            values, choices = dearest(shares, np.maximum(prices, 0.0))
            if values[WHOLE] <= 1 + _EPSILON:
                return values * WHOLE
            column, cost = _pattern(shares, choices), 1.0
        change, held = inverse @ column, inverse @ weights
        ratios = np.divide(held, change, out=np.full(len(shares), np.inf), where=change > _EPSILON)
        leaving = int(ratios.argmin())
        patterns[:, leaving], costs[leaving] = column, cost
    raise ArithmeticError(f"no prices for the shares {shares.tolist()} after {_ROUNDS} rounds")


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
