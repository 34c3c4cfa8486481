"""Bugs that are planted must be found: otherwise that none are found means little."""

import pytest

from baygrid.sim.faults import Faults
from baygrid.sim.region import Region
from tests.sim.planted import BUGS

MOST = 200

# Faults that lead to a bug sooner than a mixture drawn from the seed; all are also found by those, later.
SOONER = {
    "lease not fenced": Faults.leaders,
    "version not checked": Faults.planners,
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_it_is_found(bug, monkeypatch):
    BUGS[bug](monkeypatch)
    for seed in range(MOST):
        faults = SOONER[bug]() if bug in SOONER else None
        failure = Region(seed, 12, faults).run().failure
        if failure is not None:
            return
    pytest.fail(f"{bug}: not found in {MOST} seeds")
