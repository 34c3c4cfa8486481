"""Pages of the frame itself: signing in, and how a reader wants to be told things."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from baygrid.app import providers
from baygrid.app.problems import Problem
from baygrid.app.signing_in import sign_in_local, sign_out, switch
from baygrid.portal import session as sessions
from baygrid.portal.language import LANGUAGES
from baygrid.portal.page import page
from baygrid.portal.routing import SIGN_IN, Page
from baygrid.portal.visit import PREFIX, YEAR_S, Visit, inside
from baygrid.portal.voice import zone_of


def ask(visit: Visit) -> Response:
    return _asked(visit, inside(visit.asked("next")))


def _asked(visit: Visit, next: str, name: str = "", problem: Problem | None = None) -> Response:
    known = providers.titles(visit.platform)
    return page(visit, "frame/sign_in.html", problem=problem, next=next, name=name, providers=known)


def sign_in(visit: Visit) -> Response:
    next = inside(visit.form.get("next"))
    try:
        _, secret = sign_in_local(visit.platform, visit.form.get("name"), visit.form.text("password"))
        response = RedirectResponse(next, 303)
        sessions.keep(visit.request, response, secret)
    except Problem as problem:
        return _asked(visit, next, visit.form.get("name"), problem)
    return response


def leave(visit: Visit) -> Response:
    sign_out(visit.platform, visit.session)
    response = RedirectResponse(visit.url(SIGN_IN), 303)
    sessions.forget(visit.request, response)
    return response


def change_hat(visit: Visit) -> Response:
    """The same user in another project, centre or office. `next`: the page that asked for it."""
    _, secret = switch(visit.platform, visit.session, visit.form.get("hat"))
    response = RedirectResponse(inside(visit.form.get("next")), 303)
    sessions.keep(visit.request, response, secret)
    return response


def prefer(visit: Visit) -> Response:
    """The reader's language and clock, kept in the browser."""
    response = RedirectResponse(inside(visit.form.get("next")), 303)
    wanted = {"language": visit.form.get("language"), "zone": visit.form.get("zone")}
    if wanted["language"] not in LANGUAGES:
        wanted["language"] = ""
    if wanted["zone"]:
        wanted["zone"] = quote(str(zone_of(wanted["zone"])), safe="")
    for name, value in wanted.items():
        if value:
            response.set_cookie(name, value, YEAR_S, path=PREFIX, httponly=True, samesite="lax")
    return response


PAGES = (
    Page(SIGN_IN, ask, public=True),
    Page(SIGN_IN, sign_in, method="POST", public=True),
    Page("sign-out", leave, method="POST"),
    Page("hat", change_hat, method="POST"),
    Page("preferences", prefer, method="POST", public=True),
)
