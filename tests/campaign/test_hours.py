"""The campaign's time goes on without a gap, by an hour more in some seconds, and can be turned back."""

import itertools
from pathlib import Path

import pytest

from tests.campaign.hours import HOUR_NS, LASTS_NS, Hours

BEGINS_MS = 1_800_000_000_000
LASTS_MS, HOUR_MS = LASTS_NS // 1_000_000, HOUR_NS // 1_000_000
AGAIN_MS = BEGINS_MS + 3 * LASTS_MS


@pytest.fixture
def hours(tmp_path: Path) -> Hours:
    """Two hours pass."""
    path = tmp_path / "hours"
    path.write_text(f"{BEGINS_MS * 1_000_000}\n{AGAIN_MS * 1_000_000}\n")
    return Hours(path)


@pytest.mark.parametrize(
    ("machine_ms", "more_ms"),
    [
        (BEGINS_MS - 1, 0),
        (BEGINS_MS, 0),
        (BEGINS_MS + LASTS_MS // 2, HOUR_MS // 2),
        (BEGINS_MS + LASTS_MS, HOUR_MS),
        (AGAIN_MS, HOUR_MS),
        (AGAIN_MS + LASTS_MS, 2 * HOUR_MS),
        (AGAIN_MS + 100 * LASTS_MS, 2 * HOUR_MS),
    ],
)
def test_an_hour_passes_in_some_seconds(hours: Hours, machine_ms: int, more_ms: int):
    assert hours.simulated(machine_ms) == machine_ms + more_ms
    assert hours.machine(machine_ms + more_ms) == machine_ms


def test_time_never_stands_or_goes_back(hours: Hours):
    told = [hours.simulated(at) for at in range(BEGINS_MS - 5_000, AGAIN_MS + 10_000, 7)]
    assert all(before < after for before, after in itertools.pairwise(told))


def test_an_hour_that_begins_is_seen_by_all(tmp_path: Path):
    one, other = Hours(tmp_path / "hours"), Hours(tmp_path / "hours")
    at = other.now() // 1_000_000 + 10 * LASTS_MS
    assert other.simulated(at) == at
    one.pass_one()
    assert other.simulated(at) == at + HOUR_MS
