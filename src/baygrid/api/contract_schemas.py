"""The shapes of answers about contracts of data, the persons they show, and recipients."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from baygrid.api.schemas import Shape, Time

State = Literal["REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED"]
Side = Literal["consumer", "provider", "operator", "platform"]


class TableTerms(Shape):
    columns: list[str] | None
    filter: str | None
    masks: dict[str, str]
    mode: Literal["rows", "aggregate"]
    k: int


class ContractGrant(Shape):
    id: str
    table: str = Field(examples=["clinic/patients"])
    terms: TableTerms


class Suspension(Shape):
    by: Side
    code: str
    reason: str
    at: Time


class WhyNot(Shape):
    code: str
    text: str
    data: dict[str, Any]


class ObligationRecord(Shape):
    by: str
    day: str
    sha256: str | None
    reference: str | None
    note: str


class ContractObligation(Shape):
    """`first`: before the first byte; `due`: the last day of its clock; `years`: so long a record holds."""

    id: str
    says: str
    article: str
    first: bool
    due: str | None
    years: int | None
    record: ObligationRecord | None
    why: WhyNot | None = Field(description="it is in the way of reading; null: it is not")


class ContractStep(Shape):
    n: int
    at: Time
    step: str
    side: Side
    by: str
    data: dict[str, Any]


class Law(Shape):
    """What the law says of it today."""

    as_of: str
    outcome: str
    options: list[str]
    basis: list[str]
    missing: list[str]
    notes: list[str]
    counts: bool = Field(description="its persons count against the exporter's thresholds")


class ContractLine(Shape):
    id: str
    share: str
    provider: str
    consumer: str
    purpose: str
    ground: str | None
    choice: str | None
    onward: bool
    scope: str | None
    facts: dict[str, Any]
    start: Time = Field(alias="from")
    until: Time | None
    grants: list[ContractGrant]
    state: State
    suspended: list[Suspension] | None
    renews: str | None


class Contract(ContractLine):
    obligations: list[ContractObligation]
    steps: list[ContractStep]
    law: Law
    why: WhyNot | None = Field(description="it cannot be read now; null: it can")


class Persons(Shape):
    """Distinct persons: `pi` of whom nothing sensitive is shown, `spi` of whom something is."""

    pi: int
    spi: int


class Ahead(Shape):
    kind: Literal["pi", "spi"]
    threshold: int
    persons: int
    near: bool = Field(description="nine tenths of it are reached")
    day: str | None = Field(description="when it is reached at the rate of the last 90 days, if this year")


class CountedAt(Shape):
    at: Time
    pi: int
    spi: int


class Counted(Shape):
    exporter: str
    since: Time
    exposed: Persons = Field(description="whom grants let be read: these decide")
    observed: Persons = Field(description="of whom rows were served")
    ahead: list[Ahead]
    history: list[CountedAt]


class SharingToken(Shape):
    id: str
    made_at: Time
    activated_at: Time | None
    expires_at: Time | None
    revoked_at: Time | None


class Recipient(Shape):
    id: str
    project: str
    name: str
    made_at: Time
    tokens: list[SharingToken]


class ActivationLink(Shape):
    recipient: Recipient
    link: str = Field(description="the path of the profile; whoever has it gets the token, once")
    until: Time


class SharingProfile(Shape):
    """A profile of Delta Sharing, as its clients read it."""

    shareCredentialsVersion: int  # noqa: N815 - the protocol's name
    endpoint: str
    bearerToken: str  # noqa: N815
    expirationTime: str  # noqa: N815


class Documents(Shape):
    files: dict[str, str] = Field(description="Markdown by name")
