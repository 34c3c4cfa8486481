"""How an application for an allocation lives: a team asks, one operator reviews, another decides.

`step` is the only place where its state changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ApplicationState(StrEnum):
    """The last three are final."""

    REQUESTED = "REQUESTED"
    REVIEWED = "REVIEWED"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"

    @property
    def final(self) -> bool:
        return self in _FINAL


class Step(StrEnum):
    """What somebody does with it. REQUEST makes it."""

    REQUEST = "request"
    REVIEW = "review"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


class IllegalStep(Exception):
    """No row for this state and step."""

    def __init__(self, state: ApplicationState, step: Step) -> None:
        super().__init__(f"{step.value} is not possible in state {state.value}")
        self.state = state
        self.step = step


_FINAL: Final = frozenset({ApplicationState.APPROVED, ApplicationState.REFUSED, ApplicationState.WITHDRAWN})

TABLE: Final[Mapping[tuple[ApplicationState, Step], ApplicationState]] = {
    (ApplicationState.REQUESTED, Step.REVIEW): ApplicationState.REVIEWED,
    (ApplicationState.REVIEWED, Step.APPROVE): ApplicationState.APPROVED,
    (ApplicationState.REVIEWED, Step.REFUSE): ApplicationState.REFUSED,
    (ApplicationState.REQUESTED, Step.WITHDRAW): ApplicationState.WITHDRAWN,
    (ApplicationState.REVIEWED, Step.WITHDRAW): ApplicationState.WITHDRAWN,
}


def step(state: ApplicationState, taken: Step) -> ApplicationState:
    """The next state. Raises IllegalStep."""
    try:
        return TABLE[state, taken]
    except KeyError:
        raise IllegalStep(state, taken) from None
