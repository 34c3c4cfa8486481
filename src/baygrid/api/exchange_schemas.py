"""The shapes of answers about the exchange."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from baygrid.api.schemas import Shape, Time


class Member(Shape):
    name: str
    kind: Literal["centre", "network", "cloud"]
    since: Time | None = Field(description="when the operator added it; a centre is a member by itself")


class MeasuredLink(Shape):
    """Of the last few measurements, however old."""

    mbit_s: float | None = Field(description="their median; none where no data came")
    latency_min_ms: float | None
    latency_median_ms: float | None
    loss: float = Field(description="questions without an answer, from 0 to 1")
    at: Time = Field(description="of the newest one")


class Link(Shape):
    """What placement reckons with: measured where that is fresh, else declared, else unknown."""

    from_: str = Field(alias="from")
    to: str
    mbit_s: float | None
    origin: Literal["measured", "declared", "unknown"]
    gib_price: float = Field(description="major units for a GiB, as the policy says")
    measured_at: Time | None
    age_s: int | None
    measured: MeasuredLink | None


class Exchange(Shape):
    members: list[Member]
    links: list[Link]
