"""The shapes of requests about contracts of data, and recipients."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt

from baygrid.api.bodies import Body, Instant, Text

Reason = Annotated[str, Field(max_length=2_000)]


class TableTerms(Body):
    columns: list[Text] | None = Field(default=None, max_length=2_000, description="else all")
    filter: str | None = Field(
        default=None, max_length=10_000, description="an SQL condition over the table's own columns"
    )
    masks: dict[str, Annotated[str, Field(max_length=10_000)]] = Field(
        default_factory=dict, description="by column: hash, null, or an SQL expression over the same row"
    )
    mode: Literal["rows", "aggregate"] = "rows"
    k: StrictInt = Field(
        default=0, ge=0, le=1_000_000, description="of aggregate: figures over so many persons"
    )


class Terms(Body):
    """What is left out stays as it was asked for."""

    tables: dict[str, TableTerms] | None = Field(
        default=None, max_length=100, description="by PROJECT/NAME, all of one project"
    )
    purpose: Reason | None = Field(default=None, description="what the data are for; the persons are told")
    ground: Text | None = Field(
        default=None, description="contract, hr, emergency, legal_duty or other (consent included)"
    )
    choice: Text | None = Field(default=None, description="sc, cert or gba_sc, where the law leaves a choice")
    onward: StrictBool | None = Field(default=None, description="the consumer may pass it on")
    scope: Text | None = Field(default=None, description="of a pilot institution's, the one that this is in")
    facts: dict[str, Any] | None = Field(default=None, description="what the law asks of this use")
    start: Instant | None = Field(default=None, alias="from", description="else when it is final")
    until: Instant | None = Field(default=None, description="else without end")


class NewContract(Terms):
    project: Text | None = Field(
        default=None, description="that is to read; a team's own where it is left out"
    )
    share: Text | None = Field(default=None, description="its name for who reads; else the provider's")


class Why(Body):
    reason: Reason


class NewRecord(Body):
    """That an obligation was met; where it is written: `sha256` of the document, or a `reference`."""

    obligation: Text
    by: Text = Field(description="the person who answers for it")
    day: date = Field(description="on which it was done")
    sha256: Text | None = None
    reference: Reason | None = None
    note: Reason = ""


class Renewal(Body):
    until: Instant | None = Field(default=None, description="else without end")


class NewRecipient(Body):
    project: Text | None = Field(default=None, description="whose shares; a team's own where it is left out")
    name: Text
    days: StrictInt = Field(default=90, description="so long its token lasts, from its activation on")


class Rotation(Body):
    project: Text | None = Field(default=None, description="a team's own where it is left out")
    overlap_hours: StrictInt = Field(default=24, ge=0, le=720, description="so long the old token works on")
    days: StrictInt = Field(default=90, description="so long the new one lasts")


class Whose(Body):
    project: Text | None = Field(default=None, description="a team's own where it is left out")
