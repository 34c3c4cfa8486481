"""The shapes of requests to the data service's catalogue."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, StrictBool

from baygrid.api.bodies import Body, Text
from baygrid.app.sql import MOST_ROWS, MOST_TEXT


class NewTable(Body):
    project: Text | None = Field(default=None, description="a team's own where it is left out")
    name: Text
    title: Text
    format: Literal["parquet", "delta", "csv", "postgresql"]
    uri: str = Field(
        max_length=1000,
        description="s3://BUCKET/PREFIX, file:///PATH, dataset:NAME, postgresql://HOST:PORT/DATABASE",
    )
    table: Text = Field(default="", description="of PostgreSQL, as SCHEMA.NAME")
    place: Text | None = Field(default=None, description="a jurisdiction; else the dataset's own")
    secret: Text | None = Field(default=None, description="a secret of the project's that the source needs")
    open: StrictBool = Field(default=False, description="whoever asks may have it, as far as the law lets it")


class ColumnLabels(Body):
    """What is left out nobody has said."""

    personal: StrictBool | None = None
    sensitive: StrictBool | None = None
    important: Literal["no", "notified", "published", "unknown"] = "unknown"
    core: StrictBool | None = None
    origin: Literal["domestic", "overseas", "unknown"] = "unknown"
    subject: StrictBool = False


class Confirmation(Body):
    labels: dict[str, ColumnLabels] = Field(description="by column; others keep theirs")
    by: Text = Field(description="the person who answers for them")


class NewWish(Body):
    project: Text | None = Field(default=None, description="a team's own where it is left out")
    text: str = Field(max_length=1000, description="which data you look for, or a table's name")


class PartyFacts(Body):
    facts: dict[str, Any] = Field(description="by the names that the rulebooks ask for")
    pilot: dict[str, Any] | None = Field(default=None, description="of a pilot institution")


class Query(Body):
    sql: str = Field(max_length=MOST_TEXT, description="one SELECT, in DuckDB's dialect")
    rows: int = Field(default=100_000, ge=1, le=MOST_ROWS, strict=True, description="how many at most")
    project: Text | None = Field(default=None, description="a team's own where it is left out")
