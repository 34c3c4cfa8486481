"""The shapes of requests. Unknown fields are mistakes, and nothing is converted silently."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from baygrid.core.data.labels import Important, Origin
from baygrid.core.units import Money, UnitError
from baygrid.ports.records import Kind, Role, Scope

MOST_MINOR = 10**15
"""Far from what a ledger of 64 bits can hold, so that sums of many such amounts still fit."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


def _printable(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("has a line break or another control character: take it out")
    return text


def instant(text: object) -> int:
    """Milliseconds from RFC 3339. Raises ValueError."""
    cure = "must be a time such as 2026-11-22T11:32:09Z"
    if not isinstance(text, str):
        raise ValueError(cure)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(cure) from None
    if at.tzinfo is None:
        raise ValueError(f"{cure}: its offset from UTC is missing")
    since = (at - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= since < _END:
        raise ValueError(f"{cure}, from 1970 to 9999 in UTC")
    return since


def _money(text: object) -> Money:
    if not isinstance(text, str):
        raise ValueError("must be an amount with its currency, such as 500 CNY")
    try:
        amount = Money.parse(text)
    except UnitError as error:
        raise ValueError(str(error)) from None
    if abs(amount.minor) > MOST_MINOR:
        raise ValueError(f"is more than {Money(MOST_MINOR, amount.currency)}, the most that is taken at once")
    return amount


Text = Annotated[str, Field(max_length=500), AfterValidator(_printable)]
Rate = Annotated[str, Field(max_length=40, examples=["0.25"], description="decimal, major units per hour")]
Instant = Annotated[
    int,
    BeforeValidator(instant, json_schema_input_type=str),
    Field(examples=["2026-11-22T11:32:09Z"], description="RFC 3339 with an offset"),
]
Amount = Annotated[
    Any,
    BeforeValidator(_money, json_schema_input_type=str),
    Field(examples=["500 CNY"], description="an amount with its currency"),
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class NewOrganisation(Body):
    name: Text
    kind: Kind
    title: Text = ""


class NewProject(Body):
    name: Text
    organisation: Text
    currency: Text
    grant: Amount | None = None


class NewGrant(Body):
    amount: Amount
    narration: Text = Field(default="", description="what it is for")
    start: Instant | None = Field(default=None, alias="from", description="else now")
    end: Instant | None = Field(default=None, alias="to", description="else without end")
    credit: bool = Field(default=False, description="to be paid when it is invoiced")


class NewPool(Body):
    name: Text
    payer: Text = Field(examples=["Shenzhen S&T innovation bureau"])
    rulebook: Text = Field(examples=["shenzhen-2024"])
    clause: Text = Field(examples=["compute-voucher"])
    amount: Amount


class PoolChange(Body):
    amount: Amount = Field(description="what is added; negative: what is taken from what is left")


class NewVoucher(Body):
    organisation: Text
    project: Text | None = Field(default=None, description="else it is for all of the organisation's")
    pool: Text
    facts: dict[str, Any] = Field(description="of the applicant, as for `baygrid measures check`")
    cap: Amount | None = Field(default=None, description="else all that the clause may give")
    until: date | None = Field(default=None, description="its last day; else the clause's")


class Transfer(Body):
    facts: dict[str, Any] = Field(description="of it, as for `baygrid law decide`")
    as_of: date | None = Field(default=None, description="else today")


class NewApplication(Body):
    project: Text | None = Field(default=None, description="a team's own where it is left out")
    amount: Amount
    start: Instant | None = Field(default=None, alias="from", description="else now")
    end: Instant = Field(alias="to")
    purpose: Text
    renews: Text | None = Field(default=None, description="an allocation that this one is to follow")


class Review(Body):
    amount: Amount = Field(description="what is recommended; nothing: to refuse")
    note: Text


class Approval(Body):
    amount: Amount | None = Field(default=None, description="else what was recommended")
    reason: Text


class Reason(Body):
    reason: Text


class Withdrawal(Body):
    reason: Text = ""


class NewBudget(Body):
    amount: Amount = Field(description="for each month")
    hard: bool = Field(default=False, description="nothing is held that would bring a month above it")
    alerts: list[int] = Field(default=[80, 100], max_length=20, description="percentages, growing")


class NewCentre(Body):
    name: Text
    jurisdiction: Text = Field(examples=["CN-QH"])
    driver: Text = Field(default="", description="else what its agent finds")
    with_offers: bool = Field(default=False, description="its agent may set the first prices when it joins")


class NewInvitation(Body):
    with_offers: bool = Field(default=False, description="its agent may set the first prices when it joins")


class NewEnergy(Body):
    price_kwh: list[Rate] = Field(max_length=100, description="for a kWh in each of the 24 hours of the day")
    utc_offset: Text = Field(examples=["+08:00"], description="of the clock of those hours, all year")
    watts_cpu: int = Field(default=0, strict=True, description="what a cpu counts as")
    watts_accelerator: int = Field(default=0, strict=True, description="what an accelerator counts as")


class NewTariff(Body):
    valid_from: Instant | None = None
    accelerator_hour: Rate = "0"
    cpu_hour: Rate = "0"
    gib_hour: Rate = "0"
    minimum_s: int = Field(
        default=0, strict=True, description="an attempt that began is charged for so long at least"
    )
    round_up_s: int = Field(
        default=0, strict=True, description="its time is rounded up to whole ones of so many seconds"
    )
    egress_gib: Rate = Field(default="0", description="for a GiB of inputs that came over a link")
    energy: NewEnergy | None = None


class NewOffer(NewTariff):
    id: Text | None = None
    centre: Text
    partition: Text
    accelerator: Text | None = None
    currency: Text


class ProposedOffer(Body):
    partition: Text
    accelerator: Text | None = None
    currency: Text
    accelerator_hour: Rate = "0"
    cpu_hour: Rate = "0"
    gib_hour: Rate = "0"


class NewAgent(Body):
    public_key: Text = Field(description="hex, Ed25519; it signs what the centre used")
    credential: Text = Field(description="SHA-256 in hex of the secret that the agent made itself")
    signature: Text = Field(
        description="hex, by that key over the lines `baygrid-join-1`, the centre's name and the credential"
    )
    offers: list[ProposedOffer] = Field(default=[], max_length=200)


class NewCredential(Body):
    credential: Text = Field(description="SHA-256 in hex of the agent's next secret")


class NewToken(Body):
    role: Role
    project: Text | None = None
    centre: Text | None = None
    label: Text = ""
    scopes: list[Scope] | None = Field(default=None, description="else as usual for the role")
    days: int | None = Field(default=None, description="until it expires; an operator's need not")


class NewPolicy(Body):
    document: dict[str, Any] = Field(description="the whole policy; what it leaves out is as without one")
    valid_from: Instant | None = None


class NewSecret(Body):
    value: str = Field(repr=False, description="4 bytes to 32 KiB of text; it is never shown again")


class NewTunnel(Body):
    command: list[Annotated[str, Field(max_length=65536)]] = Field(
        default=[], max_length=1000, description="empty: a shell"
    )
    terminal: bool = False
    rows: int = Field(default=24, ge=1, le=10_000)
    columns: int = Field(default=80, ge=1, le=10_000)
    term: Annotated[str, Field(max_length=100), AfterValidator(_printable)] = "xterm"
    port: int = Field(default=0, ge=0, le=65_535, description="a connection to it instead of a command")
    rank: int = Field(default=0, ge=0, lt=100_000, description="on whose node, of a job of several nodes")


class Content(Body):
    """What a dataset is in law. What is left out nobody has said: no law is applied by guessing it."""

    personal: bool | None = None
    sensitive: bool | None = None
    important: Important = Important.UNKNOWN
    core: bool | None = None
    origin: Origin = Origin.UNKNOWN
    mixed: bool | None = Field(default=None, description="it tells of persons of both origins")
    persons: int | None = Field(default=None, ge=0, lt=2**60, strict=True, description="at most")


class NewDataset(Body):
    name: Text
    uri: Annotated[str, Field(max_length=4096), AfterValidator(_printable)] = Field(
        examples=["s3://bucket/photos/", "blob:<sha256>"]
    )
    jurisdiction: Text = Field(examples=["CN-QH"])
    project: Text | None = Field(default=None, description="a team's own where it is left out")
    sha256: Text | None = None
    bytes: int | None = Field(default=None, ge=0, lt=2**60, strict=True)
    shared: bool = Field(default=False, description="other organisations may read it, too")
    law: Content = Content()


class NewPlan(Body):
    """An empty one takes back what was published."""

    units_per_hour: dict[str, float] = Field(
        default={}, max_length=10, examples=[{"images": 1.6e9, "audio_hours": 1.9e6, "km": 7000}]
    )
    flops: float | None = Field(default=None, description="FP16 FLOP/s of the whole centre", examples=[5e17])
    note: Text = Field(default="", examples=["on completion"])


class NewMember(Body):
    name: Text
    kind: Literal["network", "cloud"]


class WhatIf(Body):
    """What would be otherwise; at least one of the first three."""

    policy: dict[str, Any] | None = Field(default=None, description="a policy document")
    prices: dict[str, str] = Field(
        default={},
        examples=[{"hub-gpu-H100": "18"}],
        description="by offer, of an hour of its accelerator, or of a cpu where it has none",
    )
    centres: list[dict[str, Any]] = Field(default=[], max_length=20, description="centres to add")
    since: Instant | None = None
    seed: int = Field(default=42, ge=0, lt=2**32)
