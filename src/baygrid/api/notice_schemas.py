"""The shapes of requests and answers about notifications."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from baygrid.api.bodies import Body, Text
from baygrid.api.schemas import Shape, Time
from baygrid.ports.notices import Topic


class Wanted(Body):
    project: Text | None = Field(default=None, description="else the token's own")
    target: Annotated[str, Field(max_length=2_000)] = Field(
        description="https://..., or mailto: and one address", examples=["https://hooks.example.org/baygrid"]
    )
    topics: list[Topic] = Field(default=list(Topic), max_length=10)
    language: Literal["en", "zh-Hans", "zh-Hant", "ja"] = Field(default="en", description="of mails")


class Told(Shape):
    """`failures`: deliveries that failed since one arrived; `said`: why the last one did."""

    id: str
    project: str
    target: str = Field(description="without the query of an https address")
    topics: list[Topic]
    language: str
    made_at: Time
    made_by: str
    told_at: Time | None
    failures: int
    said: str


class Subscription(Told):
    """`waiting`: notices that are still on their way."""

    waiting: int


class NewSubscription(Told):
    """`secret`: shown this once; null for mail."""

    secret: str | None
