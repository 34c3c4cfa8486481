"""How an application lives."""

from __future__ import annotations

from itertools import product

import pytest

from baygrid.core.pricing.applications import TABLE, ApplicationState, IllegalStep, Step, step


def test_every_pair_that_is_not_in_the_table_is_refused():
    for state, taken in product(ApplicationState, Step):
        if (state, taken) in TABLE:
            assert step(state, taken) is TABLE[state, taken]
        else:
            with pytest.raises(IllegalStep, match=f"{taken.value} is not possible in state {state.value}"):
                step(state, taken)


def test_nothing_is_decided_without_a_review_and_nothing_follows_a_decision():
    for decided in (ApplicationState.APPROVED, ApplicationState.REFUSED):
        assert {state for (state, _), after in TABLE.items() if after is decided} == {
            ApplicationState.REVIEWED
        }
    assert not any(state.final for state, _ in TABLE)
    assert {after for after in TABLE.values() if after.final} == {
        state for state in ApplicationState if state.final
    }
