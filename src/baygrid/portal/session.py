"""The cookie of who is at the browser. No script reads it, and nobody else's page makes it act."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from baygrid.app.platform import Platform
from baygrid.app.signing_in import COOKIE, LASTS_MS, SECURE_COOKIE, Session, cookie_name, session_of


def secret_of(request: Request) -> str | None:
    return request.cookies.get(SECURE_COOKIE if request.url.scheme == "https" else COOKIE)


def find(platform: Platform, request: Request) -> Session:
    """Raises Unauthorized."""
    return session_of(platform, secret_of(request))


def keep(request: Request, response: Response, secret: str) -> None:
    """Raises Invalid where the cookie would go over a network in the clear."""
    response.set_cookie(
        cookie_name(request.url.scheme, request.url.hostname or ""), secret, LASTS_MS // 1000, path="/",
        secure=request.url.scheme == "https", httponly=True, samesite="lax",
    )  # fmt: skip


def forget(request: Request, response: Response) -> None:
    name = SECURE_COOKIE if request.url.scheme == "https" else COOKIE
    response.delete_cookie(name, path="/", secure=request.url.scheme == "https", httponly=True)
