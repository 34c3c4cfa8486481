"""How a contract about data lives: states and steps of the Dataspace Protocol (2025-1, contract negotiation),
and beside a finalised one who has suspended it.

`take` is the only place where a state changes. A suspension is a fact beside the state: each side has its
own and lifts only that one, so that nobody's no is undone by another's yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    REQUESTED = "REQUESTED"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    AGREED = "AGREED"
    VERIFIED = "VERIFIED"
    FINALIZED = "FINALIZED"
    TERMINATED = "TERMINATED"

    @property
    def final(self) -> bool:
        return self is State.TERMINATED


class Side(StrEnum):
    """Who takes a step. PLATFORM: nobody asked; time or the law did it."""

    CONSUMER = "consumer"
    PROVIDER = "provider"
    OPERATOR = "operator"
    PLATFORM = "platform"


class Step(StrEnum):
    """RECORD: that an obligation was met, whenever that was; the state stays."""

    REQUEST = "request"
    OFFER = "offer"
    ACCEPT = "accept"
    AGREE = "agree"
    VERIFY = "verify"
    FINALIZE = "finalize"
    RECORD = "record"
    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True)
class Suspension:
    """`code` and `reason` of whoever suspended; `at` in milliseconds since 1970, UTC."""

    side: Side
    code: str
    reason: str
    at: int


class IllegalStep(Exception):
    """The message says what is in the way and who may do what."""


TABLE: Final[Mapping[tuple[State, Step], State]] = {
    (State.OFFERED, Step.REQUEST): State.REQUESTED,
    (State.REQUESTED, Step.OFFER): State.OFFERED,
    (State.OFFERED, Step.OFFER): State.OFFERED,
    (State.OFFERED, Step.ACCEPT): State.ACCEPTED,
    (State.REQUESTED, Step.AGREE): State.AGREED,
    (State.ACCEPTED, Step.AGREE): State.AGREED,
    (State.AGREED, Step.VERIFY): State.VERIFIED,
    (State.VERIFIED, Step.FINALIZE): State.FINALIZED,
    (State.FINALIZED, Step.SUSPEND): State.FINALIZED,
    (State.FINALIZED, Step.RESUME): State.FINALIZED,
    **{(state, Step.RECORD): state for state in State if not state.final},
    **{(state, Step.TERMINATE): State.TERMINATED for state in State if not state.final},
}

_BOTH: Final = frozenset({Side.CONSUMER, Side.PROVIDER, Side.OPERATOR})
_EVERYONE: Final = _BOTH | {Side.PLATFORM}
# What the platform does of negotiating: it agrees to open data, in the provider's name.
WHO: Final[Mapping[Step, frozenset[Side]]] = {
    Step.REQUEST: frozenset({Side.CONSUMER}),
    Step.OFFER: frozenset({Side.PROVIDER}),
    Step.ACCEPT: frozenset({Side.CONSUMER}),
    Step.AGREE: frozenset({Side.PROVIDER, Side.PLATFORM}),
    Step.VERIFY: frozenset({Side.CONSUMER, Side.PLATFORM}),
    Step.FINALIZE: frozenset({Side.PROVIDER, Side.PLATFORM}),
    Step.RECORD: _BOTH,
    Step.SUSPEND: _EVERYONE,
    Step.RESUME: _EVERYONE,
    Step.TERMINATE: _EVERYONE,
}


def take(state: State, step: Step, side: Side) -> State:
    """The state after `step` of `side`. Raises IllegalStep."""
    if side not in WHO[step]:
        who = " or ".join(sorted(it.value for it in WHO[step] if it is not Side.PLATFORM))
        raise IllegalStep(f"the {side.value} cannot {step.value} a contract: the {who} does")
    try:
        return TABLE[state, step]
    except KeyError:
        raise IllegalStep(_possible(state, step)) from None


def _possible(state: State, step: Step) -> str:
    if state.final:
        return f"it is {state.value}, for good: request a new contract"
    nexts = ", ".join(sorted(it.value for (of, it) in TABLE if of is state))
    return f"{step.value} is not possible while it is {state.value}: possible are {nexts}"


def suspend(suspensions: tuple[Suspension, ...], new: Suspension) -> tuple[Suspension, ...]:
    """One for each side. Raises IllegalStep when that side has suspended it already."""
    if any(it.side is new.side for it in suspensions):
        raise IllegalStep(f"the {new.side.value} has suspended it already")
    return (*suspensions, new)


def resume(suspensions: tuple[Suspension, ...], side: Side) -> tuple[Suspension, ...]:
    """Lifts that side's suspension; of a side that has none, the platform's, which the caller grants only
    where the law lets it. Raises IllegalStep when there is neither."""
    for whose in (side, Side.PLATFORM):
        if any(it.side is whose for it in suspensions):
            return tuple(it for it in suspensions if it.side is not whose)
    if suspensions:
        others = " and ".join(f"the {it.side.value}" for it in suspensions)
        raise IllegalStep(f"{others} suspended it: only who did can lift that")
    raise IllegalStep("it is not suspended")
