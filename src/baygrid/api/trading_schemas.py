"""The shapes of requests and answers about what centres sell ahead, and what projects bought of it."""

from __future__ import annotations

from pydantic import Field

from baygrid.api import bodies
from baygrid.api.schemas import Money, Rate, Shape, Time
from baygrid.core.pricing.contracts import Kind


class NewListing(bodies.Body):
    offer: bodies.Text
    kind: Kind
    quantity: int = Field(description="units: accelerators of the offer, of a plain one cpus")
    rate: bodies.Rate = Field(description="decimal, major units for a unit for an hour")
    start: bodies.Instant | None = Field(default=None, description="else now; of a reservation it lies ahead")
    end: bodies.Instant
    cpus: int | None = Field(default=None, ge=0, le=4096, description="with each accelerator; else its share")
    memory_mib: int | None = Field(
        default=None, ge=0, le=1 << 30, description="with each unit; else its share"
    )


class NewTrade(bodies.Body):
    project: bodies.Text | None = Field(default=None, description="which pays; a team's is known")
    units: int
    hours: int | None = Field(
        default=None, description="of a commitment, of all units together; else all hours of the period"
    )


class Listing(Shape):
    """`left` units can still be had; of spot `taken` are in use now. `closed_at`: when what was left
    returned to the centre."""

    id: str
    kind: Kind
    offer: str
    centre: str
    currency: str
    rate: Rate
    cpus: int
    memory_mib: int
    from_: Time = Field(alias="from")
    to: Time
    quantity: int
    sold: int
    left: int
    taken: str = Field(examples=["0.5"])
    published_at: Time
    closed_at: Time | None


class Trade(Shape):
    """What a project bought: `units` at once, `hours` of a unit in all. `amount` was paid when it was bought
    (reserved), or is paid as it is used and at the end (committed). `nodes`: kept for it in the period; none:
    only the price is."""

    id: str
    listing: str
    project: str
    kind: Kind
    offer: str
    centre: str
    rate: Rate
    from_: Time = Field(alias="from")
    to: Time
    units: int
    hours: str
    used_hours: str
    taken: str = Field(examples=["0.5"], description="units that its jobs have now")
    amount: Money
    charged: Money = Field(description="by usage")
    nodes: list[str]
    bought_at: Time
    settled_at: Time | None
