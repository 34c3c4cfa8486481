"""What is known of a link, and which of it decides."""

from dataclasses import replace

import pytest

from baygrid.core.placement.links import FRESH_MS, Measured, Origin, Sample, Speed, fresh, speed, summary
from baygrid.core.placement.policy import CentrePolicy

NOW = 10 * FRESH_MS


def sample(bit_s: int | None, at: int = NOW, us: int | None = 900, lost: int = 0) -> Sample:
    return Sample(at, bit_s, us, us, 5, lost)


def test_one_busy_moment_does_not_move_the_bandwidth():
    found = summary([sample(10**9), sample(10**6), sample(9 * 10**8)])
    assert found.bit_s == 9 * 10**8


def test_a_failed_measurement_counts_as_loss_and_says_nothing_of_the_bandwidth():
    found = summary([sample(10**9, 1), sample(None, 2, None, lost=5)])
    assert found == Measured(10**9, 900, 900, 0.5, at=2, carried_at=1)


def test_nothing_came_at_all():
    found = summary([sample(None, 2, None, lost=5)])
    assert found == Measured(None, None, None, 1.0, at=2, carried_at=None)
    assert fresh(found, 2) is None


def test_what_is_old_decides_nothing():
    found = summary([sample(10**9)])
    assert fresh(found, NOW + FRESH_MS) == Speed(10**9, Origin.MEASURED, NOW)
    assert fresh(found, NOW + FRESH_MS + 1) is None


@pytest.mark.parametrize(("bit_s", "counts"), [(123_456_789, 120_000_000), (1_000_000, 1_000_000), (7, 7)])
def test_noise_does_not_count(bit_s: int, counts: int):
    found = fresh(summary([sample(bit_s)]), NOW)
    assert found is not None
    assert found.bit_s == counts


def test_measured_before_declared_before_unknown():
    declared, measured = CentrePolicy(mbit_s=100), Speed(10**6, Origin.MEASURED, 5)
    assert speed(measured, declared) == measured
    assert speed(None, declared) == Speed(10**8, Origin.DECLARED)
    unknown = speed(None, CentrePolicy())
    assert unknown.origin is Origin.UNKNOWN
    assert unknown.transfer_s(1 << 40) == 0


def test_transfer_is_rounded_up_to_seconds():
    assert replace(speed(None, CentrePolicy(mbit_s=8))).transfer_s(1_000_001) == 2
