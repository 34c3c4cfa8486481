"""The shapes of answers about the policy, and about what another one would have come to."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from baygrid.api.schemas import Shape, Time


class Policy(Shape):
    """How jobs are placed. Nothing is declared where `id` is null."""

    id: str | None
    valid_from: Time | None
    set_at: Time | None
    set_by: str | None = Field(description="the id of a token")
    document: dict[str, Any] = Field(description="to a team without what names other projects")


class FairShare(Shape):
    project: str
    organisation: str
    weight: int = Field(description="of the project in its organisation")
    of_organisation: int = Field(description="of the organisation in the region")
    entitled: float = Field(description="part of all, by the weights")
    used: float = Field(description="part of all use, which fades by the policy's half-life")


class WhatIfCourse(Shape):
    """What the history comes to in one setting. Of utilisation and fairness: from the first job to now."""

    started: int
    never: int
    never_why: list[dict[str, str]] = Field(description="of the first of those that never run")
    preemptions: int
    wait_mean_s: float | None
    wait_p50_s: float | None
    wait_p99_s: float | None
    wait_quantiles_s: list[float] = Field(description="of 0 to 100 percent of the jobs that ran")
    utilisation: dict[str, dict[str, float]] = Field(description="by centre and flavor")
    cost: WhatIfCost
    fairness: Fairness


class WhatIfCost(Shape):
    """Minor units by currency."""

    total: dict[str, int]
    projects: dict[str, dict[str, int]]


class Part(Shape):
    had: float
    entitled: float


class Fairness(Shape):
    """`jain`: 1 where all had the same part of what they are entitled to."""

    jain: float | None
    projects: dict[str, Part]


class LeftOut(Shape):
    never_ran: int
    length_unknown: int
    older_than_these: bool


class WhatIfReport(Shape):
    """The same jobs with and without a change. `predicted`: of so many the length is a like job's. `step_s`:
    by so much a start may be late."""

    jobs: int
    from_: Time = Field(alias="from")
    until: Time
    step_s: float
    predicted: int
    left_out: LeftOut
    before: WhatIfCourse
    after: WhatIfCourse
