"""The common behaviour on a real Slurm 22.05."""

import pytest

from tests.centres import behaviour

pytestmark = [pytest.mark.slow, pytest.mark.slurm, pytest.mark.xdist_group("slurm")]


@pytest.fixture
def site(site22):
    return site22


class TestSlurm(behaviour.Behaviour):
    managed = False
    clock_ms = 1_000
    counted_s = 11
    devices = "$SLURM_JOB_GPUS"  # where the others are hidden, each job counts its own from 0
    capabilities = frozenset(
        {
            "accelerators",
            "accounts",
            "arrays",
            "checkpoint",
            "secrets",
            "estimate",
            "exec",
            "gang",
            "out-of-memory",
            "outside-usage",
        }
    )
