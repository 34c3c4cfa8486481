"""Who is at the browser. The cookie holds a token of the API; pages never show it, and no script reads it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from baygrid.app.access import Actor, authenticate
from baygrid.app.platform import Platform

LASTS_S = 12 * 3600


@dataclass(frozen=True, slots=True)
class Session:
    """`csrf`: what every form of this session carries."""

    actor: Actor
    csrf: str


def session_of(platform: Platform, secret: str) -> Session:
    """Raises Unauthorized."""
    actor = authenticate(platform, secret)
    return Session(actor, hmac.digest(secret.encode(), b"baygrid portal forms", hashlib.sha256).hex())


def cookie_name(request: Request) -> str:
    """Over TLS no other host, and no page without TLS, can set it."""
    return "__Host-baygrid" if request.url.scheme == "https" else "baygrid"


def keep(request: Request, response: Response, secret: str) -> None:
    response.set_cookie(
        cookie_name(request), secret, LASTS_S, path="/", secure=request.url.scheme == "https", httponly=True,
        samesite="lax",
    )  # fmt: skip


def forget(request: Request, response: Response) -> None:
    response.delete_cookie(
        cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True
    )
