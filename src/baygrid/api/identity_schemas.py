"""The shapes of members, invitations and devices: what is asked and what is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from baygrid.api.bodies import Body, Text
from baygrid.api.schemas import Shape, Time
from baygrid.ports.identity import Level

Of = Annotated[
    str, Query(description="project:NAME, organisation:NAME, centre:NAME or platform", max_length=200)
]


class Membership(Shape):
    """`issuer`: the OIDC provider that says so; null: somebody here made it."""

    user: str
    name: str
    email: str
    of: str
    level: Level
    issuer: str | None
    made_at: Time
    made_by: str


class NewLevel(Body):
    of: Text
    level: Level


class MemberInvitation(Shape):
    id: str
    of: str
    level: Level
    email: str
    made_at: Time
    made_by: str
    expires_at: Time
    used_at: Time | None
    used_by: str | None
    revoked_at: Time | None


class MemberInvitationLink(MemberInvitation):
    link: str = Field(description="the address of the page that takes it; good once, shown this once")


class NewMemberInvitation(Body):
    of: Text
    level: Level
    email: Text = Field(default="", description="for whom it is; nothing is sent")
    days: int = Field(default=7, description="until it expires, 1 to 30")


class NewDevice(Body):
    label: Text = Field(default="", description="what the user is shown, such as the machine's name")


class Device(Shape):
    """As RFC 8628 has it."""

    device_code: str = Field(description="a secret: with it the device asks for its token")
    user_code: str = Field(examples=["WDJB-MJHT"])
    verification_uri: str
    verification_uri_complete: str
    expires_in: int = Field(description="seconds")
    interval: int = Field(description="seconds between two questions")


class DeviceCode(Body):
    device_code: Text


class DeviceToken(Shape):
    access_token: str = Field(description="the secret; shown this once")
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="seconds")
    id: str
    scope: str
