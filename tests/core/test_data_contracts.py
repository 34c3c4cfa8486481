"""States of contracts about data: who may do what when, and that nobody lifts another's suspension."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.contracts import (
    TABLE,
    WHO,
    IllegalStep,
    Side,
    State,
    Step,
    Suspension,
    resume,
    suspend,
    take,
)

# The Dataspace Protocol's own moves (contract negotiation, state machine), by who sends the message.
PROTOCOL = [
    (State.REQUESTED, Step.OFFER, Side.PROVIDER, State.OFFERED),
    (State.REQUESTED, Step.AGREE, Side.PROVIDER, State.AGREED),
    (State.OFFERED, Step.REQUEST, Side.CONSUMER, State.REQUESTED),
    (State.OFFERED, Step.ACCEPT, Side.CONSUMER, State.ACCEPTED),
    (State.ACCEPTED, Step.AGREE, Side.PROVIDER, State.AGREED),
    (State.AGREED, Step.VERIFY, Side.CONSUMER, State.VERIFIED),
    (State.VERIFIED, Step.FINALIZE, Side.PROVIDER, State.FINALIZED),
]
OTHER = {Side.PROVIDER: Side.CONSUMER, Side.CONSUMER: Side.PROVIDER}


@pytest.mark.parametrize(("state", "step", "side", "after"), PROTOCOL)
def test_the_protocols_moves_are_possible_for_the_side_that_makes_them(
    state: State, step: Step, side: Side, after: State
):
    assert take(state, step, side) is after
    for other in (OTHER[side], Side.OPERATOR):
        with pytest.raises(IllegalStep, match=f"the {side.value} does"):
            take(state, step, other)


def test_only_the_protocols_moves_lead_to_another_state():
    moves = {(state, step) for (state, step), after in TABLE.items() if after is not state}
    ends = {(state, Step.TERMINATE) for state in State if state is not State.TERMINATED}
    assert moves == {(state, step) for state, step, *_ in PROTOCOL} | ends


@pytest.mark.parametrize("state", [state for state in State if not state.final])
@pytest.mark.parametrize("side", Side)
def test_everybody_can_end_it_whenever_it_is_not_ended(state: State, side: Side):
    assert take(state, Step.TERMINATE, side) is State.TERMINATED


@given(st.sampled_from(Step), st.sampled_from(Side))
def test_the_end_is_for_good(step: Step, side: Side):
    with pytest.raises(IllegalStep):
        take(State.TERMINATED, step, side)


def test_a_step_out_of_turn_says_what_is_possible():
    with pytest.raises(IllegalStep, match="possible are record, terminate, verify"):
        take(State.AGREED, Step.FINALIZE, Side.PROVIDER)


def test_every_step_has_somebody_who_takes_it():
    assert WHO.keys() == set(Step)
    assert {step for _, step in TABLE} == set(Step)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(Side)), max_size=12))
def test_a_suspension_lasts_until_its_own_side_lifts_it(moves: list[tuple[bool, Side]]):
    held: tuple[Suspension, ...] = ()
    model: set[Side] = set()
    for suspends, side in moves:
        if suspends:
            if side in model:
                with pytest.raises(IllegalStep, match="already"):
                    suspend(held, Suspension(side, "asked", "why", 0))
            else:
                held = suspend(held, Suspension(side, "asked", "why", 0))
                model.add(side)
        elif model & {side, Side.PLATFORM}:
            held = resume(held, side)
            model.remove(side if side in model else Side.PLATFORM)
        else:
            with pytest.raises(IllegalStep):
                resume(held, side)
        assert {it.side for it in held} == model
