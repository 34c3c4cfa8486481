"""Shapes of Delta Sharing's protocol, for the OpenAPI document. Names are the protocol's."""
# ruff: noqa: N815

from __future__ import annotations

from pydantic import BaseModel, Field


class DeltaError(BaseModel):
    """What is wrong, as the protocol of Delta Sharing says it."""

    errorCode: str = Field(examples=["RESOURCE_DOES_NOT_EXIST"])
    message: str


class DeltaShare(BaseModel):
    name: str


class DeltaShareAnswer(BaseModel):
    share: DeltaShare


class DeltaShares(BaseModel):
    items: list[DeltaShare]
    nextPageToken: str | None = None


class DeltaSchema(BaseModel):
    name: str
    share: str


class DeltaSchemas(BaseModel):
    items: list[DeltaSchema]
    nextPageToken: str | None = None


class DeltaTable(BaseModel):
    name: str
    schema_: str = Field(alias="schema")
    share: str
    id: str
    accessModes: list[str]


class DeltaTables(BaseModel):
    items: list[DeltaTable]
    nextPageToken: str | None = None


class DeltaQuery(BaseModel):
    """All may be left out. Hints leave out files that cannot hold such rows; rows are left out by the reader.
    At most one of `version`, `timestamp` and `startingVersion`."""

    predicateHints: list[str] | None = None
    jsonPredicateHints: str | None = None
    limitHint: int | None = Field(default=None, ge=0, lt=2**31)
    version: int | None = Field(default=None, ge=0, lt=2**63)
    timestamp: str | None = Field(default=None, examples=["2026-11-01T00:00:00Z"])
    startingVersion: int | None = Field(default=None, ge=0, lt=2**63)
    endingVersion: int | None = Field(default=None, ge=0, lt=2**63)
    maxFiles: int | None = Field(default=None, ge=1, lt=2**31)
    pageToken: str | None = None
