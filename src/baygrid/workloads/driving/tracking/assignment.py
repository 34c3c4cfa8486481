"""The assignment of least cost, of each row to a column of its own: shortest augmenting paths, as in D. F.
Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on Aerospace and Electronic
Systems 52(4), 2016. It is what `scipy.optimize.linear_sum_assignment` does, of equal ones the same, without
what loading scipy.optimize costs every process."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.compiled import njit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def assigned(cost: Floats) -> Ints:
    """The column of each row (n,), -1 for rows that are left over; `cost` (n, m) is finite."""
    rows, columns = cost.shape
    if columns < rows:
        out = np.full(rows, -1, np.int64)
        of_columns = _assigned(np.ascontiguousarray(cost.T))
        for column in range(columns):
            out[of_columns[column]] = column
        return out
    return _assigned(np.ascontiguousarray(cost))


@njit(cache=True, nogil=True)
def _assigned(cost: Floats) -> Ints:
    """As above, with no more rows than columns."""
    rows, columns = cost.shape
    u, v = np.zeros(rows), np.zeros(columns)
    column_of, row_of = np.full(rows, -1, np.int64), np.full(columns, -1, np.int64)
    path = np.empty(columns, np.int64)
    shortest = np.empty(columns)
    seen_rows, seen_columns = np.empty(rows, np.bool_), np.empty(columns, np.bool_)
    left = np.empty(columns, np.int64)
    for first in range(rows):
        row, lowest, end, count = first, 0.0, -1, columns
        shortest[:] = np.inf
        seen_rows[:], seen_columns[:] = False, False
        for k in range(columns):
            left[k] = columns - 1 - k
        while end < 0:
            seen_rows[row] = True
            reached, best, at = lowest, np.inf, -1
            for k in range(count):
                column = left[k]
                further = reached + cost[row, column] - u[row] - v[column]
                if further < shortest[column]:
                    path[column], shortest[column] = row, further
                if shortest[column] < best or (shortest[column] == best and row_of[column] < 0):
                    best, at = shortest[column], k
            lowest, column = best, left[at]
            if row_of[column] < 0:
                end = column
            else:
                row = row_of[column]
            seen_columns[column] = True
            count -= 1
            left[at] = left[count]
        u[first] += lowest
        for row in range(rows):
            if seen_rows[row] and row != first:
                u[row] += lowest - shortest[column_of[row]]
        for column in range(columns):
            if seen_columns[column]:
                v[column] -= lowest - shortest[column]
        column = end
        while True:
            row = path[column]
            row_of[column] = row
            column_of[row], column = column, column_of[row]
            if row == first:
                break
    return column_of
