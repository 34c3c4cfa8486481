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
