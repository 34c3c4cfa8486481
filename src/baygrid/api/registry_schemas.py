"""The shapes of the registry: what is asked and what is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from baygrid.api.bodies import Body, Text
from baygrid.api.schemas import Shape, Time
from baygrid.app.registry_import import MOST_FINDINGS
from baygrid.core.region.bodies import FIELDS, LAYERS

Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2023-12-31"])]
Words = Annotated[str, Field(max_length=2000)]


class NewLabel(Body):
    kind: Literal["layer", "field"]
    values: list[Text] = Field(
        max_length=len(FIELDS), description=f"one of {', '.join(LAYERS)}; or any of {', '.join(FIELDS)}"
    )
    since: Day | None = Field(default=None, description="from this day on; else ever")
    by: Text = Field(description="the person who says so")
    why: Text


class Merge(Body):
    into: Text = Field(description="the body that stays")
    why: Text


class Unmerge(Body):
    why: Text


class Link(Body):
    organisation: Text | None = Field(description="of the platform; null: none")


class NewZones(Body):
    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]] = Field(max_length=1000)


class AcceptedFinding(Body):
    table: Literal["bodies", "addresses", "labels", "returns", "zones"]
    line: int = Field(ge=0, strict=True)
    body: str = Field(max_length=100)
    code: str = Field(max_length=100)
    keep: StrictBool = Field(default=False, description="it is right as it is; else its row stays out")


class NewImport(Body):
    files: dict[str, str] = Field(
        description="the SHA-256 of a blob by file name: tables of the plain form, or one .xlsx"
    )
    accepted: list[AcceptedFinding] | None = Field(default=None, max_length=MOST_FINDINGS)
    dry_run: StrictBool = False


class Address(Shape):
    since: str | None
    until: str | None
    address: str
    lon: float | None
    lat: float | None
    district: str


class Label(Shape):
    kind: Literal["layer", "field"]
    value: str
    since: str | None
    until: str | None
    evidence: str
    source: str
    by: str = Field(description="classifier, or the person who says so")


class Registered(Shape):
    """A body on a day."""

    id: str
    version: int
    kind: Literal["company", "university", "institute"]
    scheme: Literal["uscc", "hk_br", "hk_cr"] | None
    code: str
    name: str
    names: dict[str, str]
    founded: str | None
    dissolved: str | None
    hk_funded: bool | None
    synthetic: bool
    scope: str
    organisation: str | None = Field(description="which it is on the platform")
    merged_into: str | None
    zone: str | None
    placed: str = Field(description="how the zone was found: polygon, district, outside, border, unplaced")
    address: str | None
    layer: str | None
    fields: list[str]


class Change(Shape):
    version: int
    change: Literal["import", "label", "merge", "merged", "unmerge", "link"]
    at: Time
    by: str
    person: str
    why: str
    data: dict[str, Any]


class History(Registered):
    addresses: list[Address]
    labels: list[Label]
    changes: list[Change]


class Proposal(Shape):
    kind: Literal["layer", "field"]
    value: str
    words: list[str]


class Zones(Shape):
    version: int
    at: Time | None
    zones: dict[str, Any] = Field(description="GeoJSON")


class Finding(Shape):
    table: Literal["bodies", "addresses", "labels", "returns", "zones"]
    line: int
    body: str
    code: str
    message: str
    keepable: bool


class Import(Shape):
    """`imported` false: nothing was changed. Findings that were not accepted are `unseen`."""

    imported: bool
    id: str | None
    counts: dict[str, int]
    findings: list[Finding]
    total: int
    unseen: int


class PastImport(Shape):
    id: str
    at: Time
    by: str
    files: dict[str, str]
    counts: dict[str, int]
