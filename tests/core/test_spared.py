"""What is not charged: only what a centre took with it."""

import pytest

from baygrid.core.jobs.lifecycle import FINAL_ATTEMPT_STATES, AttemptState
from baygrid.core.jobs.spared import not_charged

CAUSES = ("exit-code", "setup-failed", "out-of-memory", "time-limit", "publishing-failed", "money", None)


def test_what_a_centre_lost_is_not_charged_whatever_came_of_it():
    assert not_charged(AttemptState.LOST, "lost", ()) == "its centre lost it"
    assert not_charged(AttemptState.LOST, None, ("labels",)) == "its centre lost it"


def test_an_interruption_is_charged_where_something_of_it_was_kept():
    failed = AttemptState.FAILED
    assert "nothing of it was kept" in (not_charged(failed, "interrupted", ()) or "")
    assert not_charged(failed, "interrupted", ("checkpoint",)) is None
    assert not_charged(failed, "interrupted", ("labels",)) is None


@pytest.mark.parametrize("state", sorted(FINAL_ATTEMPT_STATES - {AttemptState.LOST}))
@pytest.mark.parametrize("cause", CAUSES)
def test_all_else_is_charged(state: AttemptState, cause: str | None):
    assert not_charged(state, cause, ()) is None
