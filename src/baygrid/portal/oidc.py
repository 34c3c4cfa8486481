"""Signing in at an OIDC provider: out with a link, back with its answer."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from baygrid.app import providers
from baygrid.portal import session as sessions
from baygrid.portal.routing import Page
from baygrid.portal.visit import PREFIX, Visit, inside

COOKIE = "baygrid-signing-in"
_PATH = f"{PREFIX}/oidc"


def leave(visit: Visit) -> Response:
    provider = visit.param("provider")
    back = f"{str(visit.request.base_url).rstrip('/')}{_PATH}/{provider}/callback"
    next = inside(visit.asked("next"))
    left = providers.leave(visit.platform, provider, back, next, visit.asked("invitation"))
    response = RedirectResponse(left.address, 303)
    response.set_cookie(
        COOKIE, left.sealed, providers.LASTS_MS // 1000, path=_PATH,
        secure=visit.request.url.scheme == "https", httponly=True, samesite="lax",
    )  # fmt: skip
    return response


def come_back(visit: Visit) -> Response:
    sealed = visit.request.cookies.get(COOKIE, "")
    answer = dict(visit.request.query_params)
    _, secret, next = providers.come_back(visit.platform, visit.param("provider"), sealed, answer)
    response = RedirectResponse(inside(next), 303)
    sessions.keep(visit.request, response, secret)
    response.delete_cookie(COOKIE, path=_PATH)
    return response


PAGES = (
    Page("oidc/{provider}", leave, public=True),
    Page("oidc/{provider}/callback", come_back, public=True),
)
