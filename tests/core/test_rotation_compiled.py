"""The compiled rotation does what its source says.

numba keeps compiled code by the file of the function that was called, so a change in a file below it would
not be seen. If this fails while the others pass, remove the `__pycache__` of core/placement/rotation.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from baygrid.core.placement.rotation.rotate import ORDERS, Gangs, rotate


def ends() -> dict[str, list[float]]:
    """When 60 gangs end under each order."""
    draw = np.random.default_rng(5)
    submit = np.sort(draw.uniform(0, 200_000, 60))
    work = draw.lognormal(8.5, 1.5, 60)
    gpus = draw.choice([1, 2, 3, 4, 8, 12], 60)
    gangs = Gangs(submit, work, gpus, draw.choice([0.0, 7.0], 60))
    return {name: rotate(gangs, order, 2, 8).end.tolist() for name, order in ORDERS.items()}


@pytest.mark.slow
def test_compiled_and_interpreted_give_the_same_ends():
    told = subprocess.run(
        [sys.executable, __file__],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    interpreted = json.loads(told.stdout)
    for name, its in ends().items():
        assert its == pytest.approx(interpreted[name], rel=1e-9), name


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ends()))
