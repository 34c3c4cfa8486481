"""A seed is a whole story: told again, it is the same to the last byte."""

import os
import subprocess
import sys

import pytest

from baygrid.sim.region import Region
from tests.sim.planted import hold_not_released

SEED = 3


def test_a_seed_replays():
    first, second = Region(SEED, 12), Region(SEED, 12)
    assert first.run() == second.run()
    assert first.world.log.lines == second.world.log.lines


def test_seeds_differ():
    assert Region(SEED, 12).run().sha256 != Region(SEED + 1, 12).run().sha256


def test_a_failure_replays(monkeypatch):
    hold_not_released(monkeypatch)
    first, second = Region(SEED, 12).run(), Region(SEED, 12).run()
    assert first.failure is not None
    assert first == second
    assert first.failure.events


@pytest.mark.slow
def test_a_seed_replays_in_another_process():
    """Sets and dictionaries of texts must have no say: their order differs between processes."""
    said = {
        subprocess.run(
            [sys.executable, "-m", "baygrid.sim", "--seeds", "2", "--first", str(SEED)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }
    assert len(said) == 1, said
