"""Members of projects and the like, invitations, and devices that ask for a token."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from baygrid.api import identity_schemas as shapes
from baygrid.api import paging, render, schemas
from baygrid.api.edge import Caller, Json, Route, reads, reads_openly, server_of
from baygrid.api.render import instant, instant_or_none
from baygrid.app import devices, invitations, members
from baygrid.app.members import Member, parse_of
from baygrid.ports.identity import InvitationRow

router = APIRouter(route_class=Route, tags=["identity"])


@router.get("/v1/members", response_model=schemas.Listing[shapes.Membership])
def list_members(
    call: Caller, of: shapes.Of, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None
) -> Json:
    """Of a project for everybody in it; else for who decides about it."""
    rows = members.members(call.platform, call.actor, parse_of(of))
    page, next = paging.window(rows, lambda it: f"{it.user.id} {it.row.issuer}", cursor, limit)
    return Json(render.items(map(_member, page), next))


@router.put("/v1/members/{user}", status_code=204, response_class=Response)
def set_member(user: str, call: Caller, body: Annotated[shapes.NewLevel, reads(shapes.NewLevel)]) -> Response:
    """Another level for who is a member; others are invited."""
    members.set_level(call.platform, call.actor, parse_of(body.of), user, body.level)
    return Response(status_code=204)


@router.delete("/v1/members/{user}", status_code=204, response_class=Response)
def remove_member(user: str, call: Caller, of: shapes.Of) -> Response:
    """Sessions and tokens that the user has there are refused from now on. Everybody may leave."""
    members.remove(call.platform, call.actor, parse_of(of), user)
    return Response(status_code=204)


@router.get("/v1/invitations", response_model=schemas.Listing[shapes.MemberInvitation])
def list_invitations(
    call: Caller, of: shapes.Of, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None
) -> Json:
    rows = invitations.invitations(call.platform, call.actor, parse_of(of))
    page, next = paging.window(rows, lambda row: row.id, cursor, limit)
    return Json(render.items(map(_invitation, page), next))


@router.post("/v1/invitations", status_code=201, response_model=shapes.MemberInvitationLink)
def invite(
    request: Request,
    call: Caller,
    body: Annotated[shapes.NewMemberInvitation, reads(shapes.NewMemberInvitation)],
) -> Json:
    """A link that makes whoever uses it a member, once."""
    of = parse_of(body.of)
    made = invitations.invite(call.platform, call.actor, of, body.level, body.email, body.days)
    return Json(_invitation(made.row) | {"link": _address(request, made.path)}, 201)


@router.delete("/v1/invitations/{invitation}", status_code=204, response_class=Response)
def take_invitation_back(invitation: str, call: Caller) -> Response:
    """Nobody can use it any more. Twice is fine."""
    invitations.take_back(call.platform, call.actor, invitation)
    return Response(status_code=204)


@router.post("/v1/device", response_model=shapes.Device)
async def ask_for_token(
    request: Request, body: Annotated[shapes.NewDevice, reads_openly(shapes.NewDevice)]
) -> Json:
    """A device asks for a token, by RFC 8628: its user confirms it in the portal, then it fetches it."""
    platform = server_of(request).platform
    asked = await run_in_threadpool(devices.ask, platform, body.label)
    page = _address(request, "/portal/device")
    return Json(
        {
            "device_code": asked.secret,
            "user_code": asked.code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?code={asked.code}",
            "expires_in": devices.LASTS_MS // 1000,
            "interval": devices.INTERVAL_MS // 1000,
        }
    )


@router.post("/v1/device/token", response_model=shapes.DeviceToken)
async def fetch_token(
    request: Request, body: Annotated[shapes.DeviceCode, reads_openly(shapes.DeviceCode)]
) -> Json:
    """The token, once. Until it is confirmed a problem whose `error` is `authorization_pending`, `slow_down`,
    `access_denied` or `expired_token`."""
    platform = server_of(request).platform
    token, secret = await run_in_threadpool(devices.fetch, platform, body.device_code)
    return Json(
        {
            "access_token": secret,
            "token_type": "Bearer",
            "expires_in": devices.TOKEN_LASTS_MS // 1000,
            "id": token.id,
            "scope": " ".join(sorted(token.scopes)),
        }
    )


def _address(request: Request, path: str) -> str:
    return f"{str(request.base_url).rstrip('/')}{path}"


def _member(it: Member) -> dict[str, Any]:
    return {
        "user": it.user.id,
        "name": it.user.name,
        "email": it.user.email,
        "of": it.row.of.key,
        "level": it.row.level.value,
        "issuer": it.row.issuer or None,
        "made_at": instant(it.row.made_at),
        "made_by": it.row.made_by,
    }


def _invitation(row: InvitationRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "of": row.of.key,
        "level": row.level.value,
        "email": row.email,
        "made_at": instant(row.made_at),
        "made_by": row.made_by,
        "expires_at": instant(row.expires_at),
        "used_at": instant_or_none(row.used_at),
        "used_by": row.used_by,
        "revoked_at": instant_or_none(row.revoked_at),
    }
