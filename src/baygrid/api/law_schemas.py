"""The shape of a decision of the law across the border."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from baygrid.api.schemas import Shape

Outcome = Literal[
    "FREE",
    "EXEMPT",
    "CONDITION",
    "PRESCRIBED_CONSENT",
    "STANDARD_CONTRACT_OR_CERTIFICATION",
    "SECURITY_ASSESSMENT",
    "PROHIBITED",
    "NEEDS_FACT",
]


class Obligation(Shape):
    id: str = Field(examples=["sc-filing"])
    what: str
    by: str
    basis: list[str]
    when: Literal["before_first_byte", "by_a_clock", "while_it_runs"]
    clock: dict[str, Any] | None = Field(
        examples=[
            {"number": 10, "unit": "working_days", "calendar": "cn", "after": "the contract takes effect"}
        ]
    )
    option: str | None = Field(description="the way that it goes with; null: whatever way is chosen")


class Looked(Shape):
    """A rule or an option that was looked at: what it read, and what it was compared with."""

    rule: str
    says: str
    held: bool | None = Field(description="null: it depends on what is unknown")
    read: dict[str, Any] = Field(description="facts; null: unknown")
    against: dict[str, Any]
    basis: list[str]


class Decision(Shape):
    outcome: Outcome
    options: list[str] = Field(description="ways that are open", examples=[["sc", "cert", "gba_sc"]])
    review: list[str] = Field(description="ways that are open if a person signs")
    basis: list[str] = Field(description="articles", examples=[["Provisions 8", "PIPL 38"]])
    missing: list[str] = Field(description="facts to ask, of NEEDS_FACT")
    obligations: list[Obligation]
    notes: list[str]
    refused: str | None = Field(description="why the way that was chosen is not open")
    trace: list[Looked] = Field(description="in the order in which they were asked")
    rule: str | None
    table: str
    as_of: str
