"""The shapes of answers, for the OpenAPI document (answers are rendered by `render`, not by these models)."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from baygrid.ports.records import CentreState, Kind, Role, Scope

T = TypeVar("T")

Time = Annotated[str, Field(description="RFC 3339, UTC, milliseconds", examples=["2026-11-22T11:32:09.123Z"])]
Unit = Literal["images", "audio_hours", "km"]
Status = Literal["measured", "stale", "planned"]
Rate = Annotated[str, Field(description="Decimal, major units per hour", examples=["0.25"])]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Money(Shape):
    """An exact amount: whole minor units (fen, cents) of one currency."""

    minor: int
    currency: str
    text: str = Field(examples=["12.34 CNY"])


class Wrong(Shape):
    path: str
    message: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable, `detail` is one sentence for a person, with the cure."""

    type: str = Field(examples=["urn:baygrid:problem:invalid"])
    title: str
    status: int
    detail: str
    code: str
    problems: list[Wrong] = Field(default=[], description="every mistake of a document")


class Listing(Shape, Generic[T]):
    """A page. `next` is the cursor of the following one, null after the last."""

    items: list[T]
    next: str | None


class Health(Shape):
    status: Literal["ok", "unavailable"]
    version: str
    role: Literal["leader", "follower"]
    term: int


class Standing(Shape):
    led: bool = Field(description="whether some server plans")
    leader: str
    term: int
    queued: int
    active: int
    held: dict[str, int] = Field(description="jobs by what they wait for")
    oldest_queued_at: Time | None = Field(description="when the first that is queued was submitted")
    centres: int
    late: dict[str, int] = Field(description="seconds of silence, by centre")
    never_reported: list[str]


class Me(Shape):
    role: Role
    project: str | None
    centre: str | None
    label: str
    token: str = Field(description="the id of the token, or of the browser's session")
    user: str | None
    scopes: list[Scope]


class Organisation(Shape):
    name: str
    kind: Kind
    title: str


class Project(Shape):
    """free = granted - held - charged."""

    name: str
    organisation: str
    currency: str
    granted: Money
    held: Money
    charged: Money
    free: Money


class Token(Shape):
    id: str
    role: Role
    label: str
    project: str | None
    centre: str | None
    created_at: Time
    revoked_at: Time | None
    expires_at: Time | None
    scopes: list[Scope]
    user: str | None
    made_by: str | None


class NewTokenAnswer(Token):
    token: str = Field(description="the secret; shown this once")


class Event(Shape):
    cursor: str
    at: Time
    kind: str = Field(examples=["job-submitted", "job-placed", "attempt-running", "charge-posted"])
    project: str | None
    job: str | None
    attempt: str | None
    centre: str | None
    data: dict[str, Any]


class Output(Shape):
    name: str
    sha256: str
    size: int


class Node(Shape):
    name: str
    cpus: int
    memory_mib: int
    accelerators: dict[str, int]


class Partition(Shape):
    """Sums over its nodes."""

    name: str
    nodes: int
    cpus: int
    memory_mib: int
    accelerators: dict[str, int]
    time_limit_s: int | None
    node_list: list[Node] = Field(default=[], description="only where one centre is asked for")


class Centre(Shape):
    name: str
    jurisdiction: str
    driver: str = Field(description="as its agent says; until then as it was made")
    version: str = Field(description="of what the driver drives", examples=["22.05.8"])
    capabilities: list[str] | None = Field(description="null: its agent has not said", examples=[["gang"]])
    renewing: bool = Field(description="its agent is to make itself a new credential")
    state: CentreState
    reachable: bool
    seen_at: Time | None
    partitions: list[Partition]


class Invitation(Shape):
    centre: Centre
    join_token: str = Field(description="an agent joins with it, once; shown this once")
    expires_at: Time
    with_offers: bool


class Joining(Shape):
    centre: Centre
    expires_at: Time | None
    with_offers: bool = Field(description="the first prices may be set with it")
    used: bool = Field(description="an agent has joined with it; the same one may again")


class Joined(Shape):
    centre: Centre
    offers: list[str] = Field(description="that were made now; those that were there stay as they are")


class NodeUse(Shape):
    """A node of a centre, and what of it live attempts have."""

    partition: str
    name: str
    cpus: int
    memory_mib: int
    accelerators: dict[str, int]
    used_cpus: int
    used_memory_mib: int
    used_accelerators: dict[str, float] = Field(description="of a shared one its part")
    attempts: int


class CentreUse(Shape):
    """What one account had at a centre."""

    account: str = Field(description="inside a project, outside the centre's own word for who it was")
    inside: bool = Field(description="by jobs of Baygrid's; outside is metered and never charged")
    jobs: int
    cpu_hours: float
    accelerator_hours: float


class EnergyRates(Shape):
    """`price_kwh`: for each of the 24 hours of the day, by a clock `utc_offset` ahead of UTC."""

    price_kwh: list[Rate]
    utc_offset: str = Field(examples=["+08:00"])
    watts_cpu: int
    watts_accelerator: int


class Rates(Shape):
    valid_from: Time
    accelerator_hour: Rate
    cpu_hour: Rate
    gib_hour: Rate
    minimum_s: int = Field(description="an attempt that began is charged for so long at least")
    round_up_s: int = Field(description="its time is rounded up to whole ones of so many seconds; 0: exact")
    egress_gib: Rate = Field(description="for a GiB of inputs that came over a link")
    energy: EnergyRates | None


class OfferRating(Shape):
    """What an offer does of one unit of work, and what that costs there."""

    unit: Unit
    status: Status
    units_per_hour: float = Field(description="of the measured devices; planned: of the whole centre")
    per_device_hour: float | None
    devices: int | None
    profile: str | None
    at: Time
    note: str
    price: str | None = Field(
        examples=["1.2345"], description="major units for `per` units; measured ones only"
    )
    per: int = Field(description="a million images, one hour of audio, one km")


class Offer(Rates):
    """At the rates in force now; `tariffs` has all of them by date."""

    id: str
    centre: str
    partition: str
    accelerator: str | None
    currency: str
    reachable: bool
    state: CentreState | None
    tariffs: list[Rates]
    ratings: list[OfferRating] = Field(description="what it does in an hour, by unit of work")


class LogSize(Shape):
    size: int = Field(description="how much of the log is held now")


class BlobProgress(Shape):
    whole: bool
    size: int
