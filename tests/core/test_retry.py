"""How long a job waits before it is tried again."""

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.jobs.retry import MAX_RETRIES, pause_s

FAILED, LOST = AttemptState.FAILED, AttemptState.LOST


@pytest.mark.parametrize(
    ("state", "cause", "pauses"),
    [
        (FAILED, "interrupted", [0, 5, 10, 20, 40, 60, 60]),
        (LOST, None, [0, 5, 10, 20, 40, 60, 60]),
        (FAILED, "exit-code", [10, 20, 40, 80, 160, 320, 600]),
        (FAILED, "staging-failed", [10, 20, 40, 80, 160, 320, 600]),
    ],
)
def test_by_cause_each_time_longer_up_to_a_limit(state: AttemptState, cause: str | None, pauses: list[int]):
    assert [pause_s(state, cause, retries) for retries in range(7)] == pauses
    assert pause_s(state, cause, MAX_RETRIES) == pauses[-1]
