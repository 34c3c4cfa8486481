"""The assignment of least cost is scipy's, of equal ones the same."""

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("scipy")

from scipy.optimize import linear_sum_assignment

from baygrid.workloads.driving.tracking.assignment import assigned


@pytest.mark.parametrize("seed", range(4))
def test_it_is_that_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(300):
        shape = rng.integers(1, 12, 2)
        cost = rng.random(shape) if seed % 2 else rng.integers(0, 4, shape).astype(float)
        cost[rng.random(shape) < 0.3] = 1e6
        rows, columns = linear_sum_assignment(cost)
        expected = np.full(shape[0], -1)
        expected[rows] = columns
        assert assigned(cost).tolist() == expected.tolist()
