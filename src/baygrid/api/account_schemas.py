"""The shapes of answers about accounts: what projects may spend, and how they asked for it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from baygrid.api.schemas import Money, Shape, Time
from baygrid.core.pricing.applications import ApplicationState, Step


class Allocation(Shape):
    """To be spent in [from, to); what nobody used of it then goes back."""

    id: str
    project: str
    source: Literal["grant", "payment", "credit"]
    state: Literal["planned", "in force", "ended"]
    amount: Money
    used: Money = Field(description="charges have drawn so much of it: what ends soonest is drawn first")
    returned: Money = Field(description="went back after its end")
    left: Money
    from_: Time = Field(alias="from")
    to: Time | None
    purpose: str
    made_at: Time
    application: str | None
    warned_days: int | None = Field(description="before the end, of the last warning")


class Budget(Shape):
    """How a project stands in this month."""

    project: str
    month: str = Field(examples=["2026-11"])
    budget: Money
    hard: bool
    alerts: list[int]
    charged: Money
    held: Money
    percent: int = Field(description="charged, of the budget, rounded down")
    alerted: int | None = Field(description="the last alert that was told this month")


class Forecast(Shape):
    """For the end of the month, with the figures that it rests on."""

    project: str
    month: str = Field(examples=["2026-11"])
    at: Time
    expected: Money = Field(description="the mean of the last 7 days goes on")
    at_most: Money = Field(
        description="charged, running, still and committed: more only by what starts later"
    )
    charged: Money = Field(description="in this month so far")
    attempts: int = Field(description="that run now")
    running: Money = Field(description="what these have cost so far")
    still: Money = Field(description="what these may still cost: the rest of their holds")
    committed: Money = Field(description="held for commitments that end this month: paid, used or not")
    committed_later: Money = Field(description="held for commitments that end later; in no figure")
    last_7_days: Money = Field(description="charged in them")
    waiting: Money = Field(description="held for jobs that have not started; in no figure")
    budget: Money | None


class ApplicationLine(Shape):
    id: str
    project: str
    state: ApplicationState
    amount: Money
    from_: Time = Field(alias="from")
    to: Time
    purpose: str
    renews: str | None
    recommended: Money | None
    approved: Money | None
    allocation: str | None = Field(description="what it became")


class ApplicationStep(Shape):
    step: Step
    at: Time
    by: str = Field(description="a token's id")
    amount: Money | None
    words: str


class Application(ApplicationLine):
    steps: list[ApplicationStep] = Field(description="oldest first; none is ever changed")
