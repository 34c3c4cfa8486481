"""The shapes of answers of the data service's catalogue: parties, tables, labels, wishes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from baygrid.api.schemas import Shape, Time


class Party(Shape):
    organisation: str
    version: int
    facts: dict[str, Any] = Field(description="by the names that the rulebooks ask for")
    pilot: dict[str, Any] | None = Field(description="of a pilot institution")
    made_at: Time
    made_by: str


class Labels(Shape):
    """What a column is in law. null, and "unknown": nobody has said."""

    personal: bool | None
    sensitive: bool | None
    important: Literal["no", "notified", "published", "unknown"]
    core: bool | None
    origin: Literal["domestic", "overseas", "unknown"]
    subject: bool = Field(description="its values tell one person from another")


class Column(Shape):
    name: str
    type: str = Field(description="as Arrow writes it")
    nullable: bool
    labels: Labels | None = Field(description="as a person confirmed them")


class Table(Shape):
    """The newest version. Other organisations do not see where it is read, nor with which secret."""

    project: str
    name: str
    ref: str = Field(examples=["clinic/patients"])
    version: int
    title: str
    place: str = Field(description="the jurisdiction where it lies", examples=["CN-QH"])
    format: Literal["parquet", "delta", "csv", "postgresql"]
    open: bool = Field(description="whoever asks may have it, as far as the law lets it")
    columns: list[Column]
    confirmed_by: str | None = Field(description="the person who confirmed labels last")
    uri: str | None
    table: str | None
    secret: str | None
    made_at: Time
    made_by: str | None


class Proposal(Shape):
    column: str
    proposed: Labels | None
    why: str
    confirmed: Labels | None


class Profile(Shape):
    columns: dict[str, dict[str, Any]] = Field(description="figures by column")
    withheld: list[str] = Field(description="columns of which nothing is shown")


class Sample(Shape):
    columns: list[str]
    rows: list[list[Any]]
    withheld: list[str] = Field(description="columns that nobody has said to be harmless")


class Wish(Shape):
    text: str
    times: int
    projects: int = Field(description="by how many it was asked for")
    first_at: Time
    last_at: Time
